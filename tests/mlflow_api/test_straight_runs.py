"""New runs go straight to the database where nothing stands against it, and leave what they always left."""

import datetime as dt
import json
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.db import DatabaseError, connection

from accounts.actions.members import remove_member
from accounts.actions.tokens import create_job_token, revoke_token
from accounts.actions.users import deactivate_user
from accounts.models import ApiToken, Membership, RightsStamp
from accounts.roles import Scope
from audit.ledger import acting, together
from audit.ledger.models import AuditEvent, AuditPayload, Pending
from audit.ledger.sequencer import Sequencer
from audit.ledger.together import write_together
from audit.ledger.verify import verify_ledger
from experiments.actions import straight_runs
from experiments.actions.experiments import delete_experiment, rename_experiment, restore_experiment
from experiments.models import Experiment, Run, RunTag
from experiments.queries.experiments import wire_id
from kernel import clock
from kernel.actor import operator, system
from tests.factories import Team, a_member, a_project, a_run, a_team, a_token, an_experiment, events_since, user_of
from tests.mlflow_api.speaking import Mlflow, error_of
from tests.mlflow_api.test_straight import DENIED, INVALID, MISSING, NOBODY, statements
from tests.together import errors, values
from tests.together import together as at_once

SAID = {
    "start_time": 1_700_000_000_123,
    "user_id": "ada",
    "tags": [
        {"key": "mlflow.source.name", "value": "train.py"},
        {"key": "mlflow.source.type", "value": "LOCAL"},
        {"key": "mlflow.source.git.commit", "value": "c0ffee"},
        {"key": "ünï/köy", "value": '"\\ \u0001 \u2028 🌱'},
        {"key": "empty", "value": ""},
    ],
}


@pytest.fixture
def place(team: Team, db: None) -> Experiment:
    return an_experiment(team.scientist, team.project)


@pytest.fixture
def ada(team: Team, root: str, place: Experiment) -> Mlflow:
    """The experiment's author, of whom this process knows everything, and who has begun runs there."""
    return known(Mlflow(a_token(team.scientist)[1], root), place)


def known(client: Mlflow, place: Experiment) -> Mlflow:
    for _ in range(2):
        assert begun(client, place).status_code == 200
    return client


def begun(client: Mlflow, place: Experiment, **asked: Any) -> Any:
    return client.send("POST", "2.0/mlflow/runs/create", {"experiment_id": wire_id(place), **asked})


def run_of(answer: Any) -> Run:
    assert answer.status_code == 200, answer.content
    found: Run = Run.objects.get(uid=answer.json()["run"]["info"]["run_id"])
    return found


def went_straight(client: Mlflow, place: Experiment, monkeypatch: pytest.MonkeyPatch, **asked: Any) -> bool:
    """Whether a run that has begun, began on the straight way."""
    with statements(monkeypatch) as sent:
        answer = begun(client, place, **asked)
    run_of(answer)
    return len(sent) == (2 if connection.vendor == "postgresql" else 9)


# --- The ordinary case


def test_a_new_run_is_one_statement_for_its_number_and_one_for_the_rest(
    ada: Mlflow, place: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    with statements(monkeypatch) as sent:
        assert begun(ada, place, tags=[{"key": f"t{n}", "value": "x"} for n in range(40)]).status_code == 200
    if connection.vendor == "postgresql":
        draw, write = sent
        assert "accounts_rightsstamp" in write
    else:
        opened, draw, *inserts, closed = sent
        assert (opened.split()[0], closed.split()[0]) == ("SAVEPOINT", "RELEASE")  # BEGIN and COMMIT, outside of tests
        assert [statement.split()[0] for statement in inserts] == ["INSERT"] * 6
    assert "accounts_rightsstamp" in draw


def test_its_statements_are_planned_once_for_a_connection(ada: Mlflow, place: Experiment) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite keeps statements by itself.")
    for asked in [SAID, {}] * 5:
        begun(ada, place, **asked)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*), bool_and(generic_plans > 0) FROM pg_prepared_statements"
            " WHERE statement LIKE '%rightsstamp%' AND statement LIKE '%experiments_experiment e%'"
        )
        assert cursor.fetchone() == (2, True)


@pytest.mark.parametrize("asked", [{}, SAID, {"run_name": "Über"}], ids=["nothing said", "much said", "named"])
def test_both_ways_leave_the_same_rows_the_same_event_and_the_same_answer(
    ada: Mlflow, place: Experiment, monkeypatch: pytest.MonkeyPatch, asked: dict[str, Any]
) -> None:
    moment = clock._now()
    monkeypatch.setattr(clock, "_now", lambda: moment)
    named = {"run_name": "the same", **asked}
    answers: list[Any] = []
    (straight,) = events_since(lambda: answers.append(begun(ada, place, **named)))
    monkeypatch.setattr(straight_runs, "_known", {})
    (ordinary,) = events_since(lambda: answers.append(begun(ada, place, **named)))
    left = [left_by(run_of(answer), answer) for answer in answers]
    assert left[0] == left[1]
    assert straight.event.verb == ordinary.event.verb == "experiments.create_run"


def left_by(run: Run, answer: Any) -> dict[str, Any]:
    """All that a new run left, its ids and number taken out."""
    event = AuditEvent.objects.get(subject_id=run.uid.hex)
    (past,) = run.history.all()
    own = {run.uid.hex: "UID", str(run.uid): "UID", str(event.pk): "EVENT"}
    told = json.loads(AuditPayload.objects.get(event_id=event.pk).body)
    for change in told["changes"]:
        change["fields"] = {name: pair for name, pair in change["fields"].items() if name not in ("id", "number")}
    assert Pending.objects.filter(event_id=event.pk).count() == 1
    assert past.history_change_reason == str(event.pk)
    without = {"id", "uid", "number", "history_id", "history_change_reason", "commitment", "subject_id", "request_id"}
    rows = [row_of(one, without) for one in (run, past, event)]
    tags = list(RunTag.objects.filter(run=run).order_by("key").values_list("key", "value", "experiment_id"))
    said = json.dumps([told, answer.json(), tags, rows], default=str, sort_keys=True)
    for text, word in own.items():
        said = said.replace(text, word)
    left: dict[str, Any] = json.loads(said)
    return left


def row_of(row: Any, without: set[str]) -> dict[str, Any]:
    return {one.attname: getattr(row, one.attname) for one in row._meta.concrete_fields if one.attname not in without}


@pytest.mark.parametrize(
    ("address", "kept"), [("fe80::1%eth0", "fe80::1"), ("::1", "::1"), ("10.0.0.7", "10.0.0.7"), ("", None)]
)
def test_both_ways_keep_where_a_call_came_from(
    ada: Mlflow, place: Experiment, monkeypatch: pytest.MonkeyPatch, address: str, kept: str | None
) -> None:
    for _ in range(2):
        asked = {"experiment_id": wire_id(place)}
        run = run_of(ada.send("POST", "2.0/mlflow/runs/create", asked, REMOTE_ADDR=address))
        event = AuditEvent.objects.get(subject_id=run.uid.hex)
        assert Pending.objects.get(event_id=event.pk).ip == kept
        monkeypatch.setattr(straight_runs, "_known", {})


def test_what_goes_straight_follows_in_the_log_and_is_counted_without_a_gap(ada: Mlflow, place: Experiment) -> None:
    runs = [run_of(begun(ada, place)) for _ in range(3)]
    assert [run.number for run in runs] == list(range(runs[0].number, runs[0].number + 3))
    assert [run.pk for run in runs] == sorted(run.pk for run in runs)
    Sequencer().run_until_empty()
    assert verify_ledger().problems == []


def test_a_project_has_a_default_experiment_that_takes_runs_straight(
    ada: Mlflow, team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    default = Experiment.objects.get(project=team.project, is_default=True)
    run_of(begun(ada, default))
    assert went_straight(ada, default, monkeypatch)
    nowhere = ada.send("POST", "2.0/mlflow/runs/create", {})
    assert run_of(nowhere).experiment_id == default.pk
    assert nowhere.json()["run"]["info"]["experiment_id"] == "0"


# --- Everything else


def remove(team: Team, place: Experiment) -> None:
    remove_member(operator(), Membership.objects.get(user_id=team.scientist.user_id, project=team.project))


def revoke(team: Team, place: Experiment) -> None:
    for token in ApiToken.objects.filter(user=user_of(team.scientist)):
        revoke_token(team.scientist, token=token)


def deactivate(team: Team, place: Experiment) -> None:
    deactivate_user(operator(), user=user_of(team.scientist), reason="left")


def into_the_bin(team: Team, place: Experiment) -> None:
    delete_experiment(team.scientist, Experiment.objects.get(pk=place.pk))


REFUSALS: dict[str, tuple[Callable[[Team, Experiment], object], tuple[int, str]]] = {
    "a membership that was withdrawn": (remove, MISSING),
    "a token that was revoked": (revoke, NOBODY),
    "an owner who was deactivated": (deactivate, NOBODY),
    "a deleted experiment": (into_the_bin, INVALID),
}


@pytest.mark.parametrize(("change", "refusal"), REFUSALS.values(), ids=REFUSALS)
def test_what_changed_since_the_last_run_is_met_by_the_next_which_takes_no_number(
    ada: Mlflow, place: Experiment, team: Team, change: Callable[[Team, Experiment], object], refusal: tuple[int, str]
) -> None:
    before = Run.objects.filter(experiment=place).count()
    number = a_run(team.engineer, an_experiment(team.engineer, team.project)).number
    change(team, place)
    assert [error_of(begun(ada, place)) for _ in range(2)] == [refusal, refusal]
    assert Run.objects.filter(experiment=place).count() == before
    assert a_run(team.engineer, an_experiment(team.engineer, team.project)).number == number + 1


def test_an_experiment_that_comes_back_or_changes_its_name_takes_runs_again(
    ada: Mlflow, place: Experiment, team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    into_the_bin(team, place)
    assert error_of(begun(ada, place)) == INVALID
    restore_experiment(team.scientist, Experiment.objects.get(pk=place.pk))
    assert went_straight(ada, place, monkeypatch)
    rename_experiment(team.scientist, Experiment.objects.get(pk=place.pk), name="another name")
    assert went_straight(ada, place, monkeypatch)


def test_new_rights_of_anybody_are_read_once_and_then_it_goes_straight_again(
    ada: Mlflow, place: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    RightsStamp.objects.filter(pk=RightsStamp.THE_ROW).update(stamp="00000000-0000-4000-8000-000000000001")
    assert [went_straight(ada, place, monkeypatch) for _ in range(2)] == [False, True]


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"run_name": "x", "tags": [{"key": "mlflow.runName", "value": "y"}]}, "run_name"),
        ({"tags": [{"key": "no/../way", "value": "y"}]}, "tags.key"),
        ({"tags": [{"key": "mled.truncated", "value": "y"}]}, "tags"),
        ({"run_name": "x" * 501}, "run_name"),
        ({"start_time": 2**63}, "start_time"),
    ],
)
def test_bad_input_is_named_in_its_own_words(ada: Mlflow, place: Experiment, asked: dict[str, Any], field: str) -> None:
    before = Run.objects.count()
    answer = begun(ada, place, **asked)
    assert (error_of(answer), answer.json()["field"]) == (INVALID, field)
    assert Run.objects.count() == before


def test_a_text_too_long_to_keep_is_cut_with_a_note(ada: Mlflow, place: Experiment) -> None:
    run = run_of(begun(ada, place, tags=[{"key": "long", "value": "x" * 70_000}]))
    kept = dict(RunTag.objects.filter(run=run).values_list("key", "value"))
    assert (len(kept["long"]), "70000" in kept["mled.truncated"]) == (65_536, True)


def test_a_run_within_another_is_nested_there(ada: Mlflow, place: Experiment) -> None:
    outer = run_of(begun(ada, place))
    inner = run_of(begun(ada, place, tags=[{"key": "mlflow.parentRunId", "value": outer.uid.hex}]))
    assert inner.parent_id == outer.pk


def test_a_jobs_token_begins_runs_within_its_own_alone(ada: Mlflow, place: Experiment, team: Team, root: str) -> None:
    own = run_of(begun(ada, place))
    owner, until = user_of(team.scientist), clock.now() + dt.timedelta(days=1)
    _, secret = create_job_token(
        system(), owner=owner, project=team.project, run_uid=own.uid.hex, name="job", until=until
    )
    job = Mlflow(secret, root)
    for _ in range(2):
        assert error_of(begun(job, place)) == DENIED
        assert begun(job, place, tags=[{"key": "mlflow.parentRunId", "value": own.uid.hex}]).status_code == 200


def test_who_may_not_log_is_told_so_however_often(ada: Mlflow, place: Experiment, team: Team, root: str) -> None:
    reader = Mlflow(a_token(team.scientist, scopes=[Scope.READ])[1], root)
    auditor, outsider = Mlflow(a_token(team.auditor)[1], root), Mlflow(a_token(a_member(a_project()))[1], root)
    for _ in range(2):
        assert [error_of(begun(who, place)) for who in (reader, auditor, outsider)] == [DENIED, DENIED, MISSING]


def test_what_another_room_does_with_an_act_is_done_in_its_transaction(
    ada: Mlflow, place: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that wants the database has the ordinary way: the straight one has no moment for it."""

    def look(act: acting.Act) -> None:
        seen.append((act.verb, Run.objects.filter(experiment=place).exists(), acting.open_act() is None))

    seen: list[tuple[str, bool, bool]] = []
    monkeypatch.setattr(acting, "before_event", [look])
    monkeypatch.setattr("audit.ledger.at_once.before_event", [look])
    assert not went_straight(ada, place, monkeypatch)
    assert seen == [("experiments.create_run", True, True)]


# --- Together


def test_runs_that_begin_at_once_are_all_there_with_numbers_of_their_own(committed_db: None) -> None:
    team = a_team()
    place, root, secret = an_experiment(team.scientist), f"/mlflow/{team.project.slug}", a_token(team.scientist)[1]
    known(Mlflow(secret, root), place)

    def begin(writer: int) -> list[str]:
        client = Mlflow(secret, root)
        return [run_of(begun(client, place, run_name=f"{writer} {n}")).name for n in range(5)]

    outcomes = at_once(*(partial(begin, writer) for writer in range(8)))
    assert errors(outcomes) == []
    assert values(outcomes) == [[f"{writer} {n}" for n in range(5)] for writer in range(8)]
    numbers = sorted(Run.objects.filter(experiment=place).values_list("number", flat=True))
    assert numbers == list(range(numbers[0], numbers[0] + 42))
    assert AuditEvent.objects.filter(verb="experiments.create_run", project_id=team.project.pk).count() == 42
    Sequencer().run_until_empty()
    assert verify_ledger().problems == []


def test_a_write_that_fails_takes_nobody_with_it_who_has_another_way(
    committed_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if connection.vendor == "postgresql":
        pytest.skip("Nobody shares a commit on PostgreSQL.")
    team, joined = a_team(), together._Joined()
    monkeypatch.setattr(together, "_waiting", joined)
    place = an_experiment(team.scientist)

    def tag(value: str) -> bool:
        with connection.cursor() as cursor:
            cursor.execute("UPDATE experiments_experiment SET artifact_location = %s WHERE id = %s", [value, place.pk])
        return True

    def fail() -> bool:
        raise DatabaseError("no such luck")

    joined.writes += [partial(tag, "first"), fail, partial(tag, "third")]
    together._lead(joined)
    assert (together._outcome(joined, 0), together._outcome(joined, 2)) == (False, False)
    with pytest.raises(DatabaseError, match="no such luck"):
        together._outcome(joined, 1)
    assert Experiment.objects.get(pk=place.pk).artifact_location == ""
    assert write_together(partial(tag, "alone")) is True
    assert Experiment.objects.get(pk=place.pk).artifact_location == "alone"


def test_what_is_found_at_the_commit_meets_each_on_its_own_way(
    committed_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A foreign key that leads nowhere is told by the commit, which does not say whose it was."""
    if connection.vendor == "postgresql":
        pytest.skip("Nobody shares a commit on PostgreSQL.")
    team, joined = a_team(), together._Joined()
    run = a_run(team.scientist)
    monkeypatch.setattr(together, "_waiting", joined)

    def tag(run_id: int) -> bool:
        with connection.cursor() as cursor:
            values = [run_id, run.experiment_id, "joined", "x"]
            cursor.execute(
                "INSERT INTO experiments_runtag (run_id, experiment_id, key, value) VALUES (%s, %s, %s, %s)", values
            )
        return True

    joined.writes += [partial(tag, run.pk), partial(tag, 2**40)]
    together._lead(joined)
    assert [together._outcome(joined, place) for place in (0, 1)] == [False, False]
    assert not RunTag.objects.filter(key="joined").exists()
    assert write_together(partial(tag, run.pk)) is True
    with pytest.raises(DatabaseError):
        write_together(partial(tag, 2**40))


def test_a_turn_that_is_not_had_is_told_to_whoever_asked_for_it(
    committed_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if connection.vendor == "postgresql":
        pytest.skip("Nobody waits for a turn on PostgreSQL.")
    joined = together._Joined()
    monkeypatch.setattr(together, "_waiting", joined)
    joined.writes += [lambda: True, lambda: True]

    def broken() -> None:
        raise DatabaseError("the connection is gone")

    with monkeypatch.context() as patched:
        patched.setattr("mled_site.databases.sqlite.base.DatabaseWrapper._take_turn", lambda mine: broken())
        together._lead(joined)
    assert together._outcome(joined, 1) is False
    with pytest.raises(DatabaseError, match="is gone"):
        together._outcome(joined, 0)
    assert together._waiting is None
