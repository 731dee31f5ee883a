"""What ran out goes for good by two people's hands, a tombstone stays, and the log is as sound as before."""

import datetime as dt
import json
from uuid import uuid4

import pytest
from django.test import Client

from accounts.actions.members import appoint
from accounts.roles import Role, Scope
from artifacts.models import ArtifactFile
from audit.compliance import due
from audit.compliance.actions.assessments import assess_run
from audit.compliance.actions.holds import place_hold
from audit.compliance.actions.profiles import choose_retention
from audit.compliance.actions.purges import ask_purge, carry_out_purge, refuse_purge, withdraw_purge
from audit.compliance.actions.reviews import submit_run
from audit.compliance.due import keeps_of
from audit.compliance.models import Purge, RunStanding, Tombstone
from audit.ledger.sequencer import Sequencer
from audit.ledger.verify import verify_ledger
from experiments.actions.batches import log_batch
from experiments.actions.comments import add_comment
from experiments.actions.experiments import delete_experiment, restore_experiment
from experiments.actions.inputs import DatasetInput, log_inputs
from experiments.actions.runs import restore_run, set_tags, update_run
from experiments.actions.seals import seal_run
from experiments.actions.stars import star_run
from experiments.models import Comment, MetricSeries, Param, Run, RunInput, RunTag, Star
from experiments.queries.runs import get_run
from experiments.queries.search import View, search_runs
from experiments.values import RunStatus
from kernel.actor import operator, system
from kernel.errors import Conflict, Invalid, Locked, MledError, NotFound, Refused
from registry.actions.aliases import set_alias
from registry.actions.logged_models import create_logged_model
from registry.actions.registered_models import create_registered_model
from registry.actions.versions import create_version
from tests.factories import (
    a_batch,
    a_file,
    a_member,
    a_person,
    a_run,
    a_team,
    a_token,
    again,
    an_administrator,
    an_experiment,
    events_since,
    join,
    user_of,
)
from tests.keeping import a_team_that_keeps_shortly, two_years_on
from tests.ledger.conftest import data  # noqa: F401 - keys and anchors of a test's own

pytestmark = pytest.mark.django_db
WHY, DONE = "The study is over.", "Retention ran out."


@pytest.fixture
def team():
    return a_team_that_keeps_shortly()


@pytest.fixture
def later(monkeypatch):
    two_years_on(monkeypatch)


@pytest.fixture
def run(team):
    """A sealed run with something of everything in it."""
    scientist = team.scientist
    run = a_run(scientist, an_experiment(scientist), name="old one")
    log_batch(scientist, run, batch=a_batch(loss=[3, 2, 1], params={"lr": "0.1"}, tags={"site": "Basel"}))
    log_inputs(
        scientist, run, inputs=[DatasetInput("wards", "d1", "local", "x", tags={"mlflow.data.context": "train"})]
    )
    a_file(scientist, run, "logs/console.txt", b"a line")
    add_comment(team.engineer, run, text="a word about it")
    star_run(team.engineer, run)
    ended = end(team, run)
    assess_run(system(), ended)
    return seal_run(system(), Run.objects.get(pk=ended.pk))


def end(team, run: Run) -> Run:
    return update_run(team.scientist, run, status=RunStatus.FINISHED, ended_ms=1_700_000_060_000)


def asked(team, *runs: Run) -> Purge:
    return ask_purge(team.manager, team.project, runs=runs, reason=WHY)


def purged(team, *runs: Run) -> Purge:
    return carry_out_purge(team.administrator, asked(team, *runs), reason=DONE)


def client_of(actor) -> Client:
    client = Client()
    client.force_login(user_of(actor))
    return client


def found(team, view: View) -> set[str]:
    return {one.name for one in search_runs(team.scientist, project=team.project, view=view).rows}


def test_everything_in_it_goes_and_the_log_is_sound(team, run, later):
    Sequencer().run_until_empty()
    assert verify_ledger().is_sound
    purge = asked(team, run)
    (kept,) = events_since(lambda: carry_out_purge(team.administrator, purge, reason=DONE))
    assert (kept.verb, kept.reason, kept.event.project_id) == ("compliance.carry_out_purge", DONE, team.project.pk)
    body = json.dumps(kept.changes)
    assert "0.1" not in body
    assert "a word about it" not in body
    for table in (Param, RunTag, MetricSeries, RunInput, Comment, Star, RunStanding):
        assert not table.objects.filter(run=run).exists(), table
    assert not Comment.history.filter(run_id=run.pk).exists()
    assert not ArtifactFile.objects.filter(root=run.artifact_root).exists()
    stone = Tombstone.objects.get(run=run)
    assert stone.removed == {
        "params": 1, "tags": 2, "inputs": 1, "metrics": 1, "points": 3, "files": 1, "bytes": 6, "comments": 1,
        "stars": 1,
    }  # fmt: skip
    assert len(stone.digest) == 64
    Sequencer().run_until_empty()
    after = verify_ledger()
    assert after.is_sound, after.problems


def test_no_door_gives_it_out_and_nobody_writes_to_it(team, run, later):
    other = a_run(team.scientist, run.experiment, name="stays")
    purged(team, run)
    with pytest.raises(NotFound, match="was purged"):
        get_run(team.scientist, run.uid.hex)
    for view in View:
        assert "old one" not in found(team, view)
    for act in (
        lambda: restore_run(team.scientist, run),
        lambda: set_tags(team.scientist, run, tags={"a": "b"}),
        lambda: add_comment(team.scientist, Run.objects.get(pk=run.pk), text="hm"),
        lambda: star_run(team.scientist, Run.objects.get(pk=run.pk)),
        lambda: a_file(team.scientist, Run.objects.get(pk=run.pk), "x.txt"),
    ):
        with pytest.raises(MledError):
            act()
    assert not RunTag.objects.filter(run=run).exists()
    secret = a_token(team.scientist, scopes=[Scope.READ, Scope.LOG], default_project=team.project)[1]
    headers = {"Authorization": f"Bearer {secret}"}
    answer = Client().get(f"/api/2.0/mlflow/runs/get?run_id={run.uid.hex}", headers=headers)
    assert (answer.status_code, answer.json()["error_code"]) == (404, "RESOURCE_DOES_NOT_EXIST")
    listed = client_of(team.scientist).get("/api/v1/runs/?lifecycle=all").json()["results"]
    assert run.uid.hex not in json.dumps(listed)
    delete_experiment(team.scientist, other.experiment)
    restore_experiment(team.scientist, other.experiment)
    assert Run.objects.get(pk=other.pk).lifecycle == "active"
    assert Run.objects.get(pk=run.pk).is_deleted


def test_its_page_tells_what_went_and_who_did_it(team, run, later):
    purged(team, run)
    answer = client_of(team.scientist).get(f"/r/{run.readable_id}/")
    text = answer.content.decode()
    assert answer.status_code == 410
    for words in (WHY, DONE, "Mona", "Root", Tombstone.objects.get(run=run).digest):
        assert words in text
    assert "0.1" not in text
    assert client_of(a_person()).get(f"/r/{run.readable_id}/").status_code == 404
    assert client_of(team.scientist).get(f"/r/{run.readable_id}/params/").status_code == 404
    for page in ("keeping", "reviews", "log", "runs", "rules"):
        assert client_of(team.auditor).get(f"/p/{team.project.slug}/{page}/").status_code == 200, page


# --- What stays


def test_nothing_goes_before_its_time_or_while_something_stands_on_it(team, run, later, monkeypatch):
    going = a_run(team.scientist)
    with pytest.raises(Conflict, match="not ended"):
        asked(team, going)
    submitted = end(team, a_run(team.scientist))
    submit_run(team.scientist, submitted, comment="please")
    with pytest.raises(Conflict, match="submitted for review"):
        asked(team, submitted)
    model = create_registered_model(team.scientist, team.project, name="net")
    version = create_version(team.scientist, model, source=f"runs:/{run.uid.hex}/logs", run=run)
    set_alias(team.scientist, model, alias="champion", version=version)
    with pytest.raises(Conflict, match="something stands on it"):
        asked(team, run)
    held = end(team, a_run(team.scientist))
    place_hold(team.auditor, team.project, reason="Claim", run=held)
    with pytest.raises(Conflict, match="legal hold"):
        asked(team, held)
    choose_retention(team.manager, team.project, retention_class="ten-years")
    with pytest.raises(Conflict, match="kept until"):
        asked(team, end(team, a_run(team.scientist)))
    unset = a_team()
    with pytest.raises(Conflict, match="no retention is set"):
        asked(unset, end(unset, a_run(unset.scientist)))


def test_what_happened_since_makes_it_stay_and_a_clients_clock_does_not_shorten_it(team, run):
    (before,) = keeps_of(team.project, [run])
    backdated = update_run(team.scientist, a_run(team.scientist), status=RunStatus.FINISHED, ended_ms=1)
    (keep,) = keeps_of(team.project, [backdated])
    assert keep.until is not None
    assert keep.until > due.now() + dt.timedelta(days=364)
    ahead = update_run(team.scientist, a_run(team.scientist), status=RunStatus.FINISHED, ended_ms=2**62)
    assert keeps_of(team.project, [ahead])[0].until is not None
    star_run(team.scientist, run)
    assert keeps_of(team.project, [run])[0].until == before.until
    set_tags(team.scientist, run, tags={"more": "1"})
    (after,) = keeps_of(team.project, [Run.objects.get(pk=run.pk)])
    assert before.until is not None
    assert after.until is not None
    assert after.until > before.until


def test_a_hold_placed_after_the_asking_stops_the_purge(team, run, later):
    purge = asked(team, run)
    place_hold(team.auditor, team.project, reason="Claim")
    with pytest.raises(Locked, match="legal hold"):
        carry_out_purge(team.administrator, purge, reason=DONE)
    assert Param.objects.filter(run=run).exists()


def test_many_runs_are_looked_at_in_as_many_questions_as_one(team, run, later, django_assert_max_num_queries):
    """Each says of itself what it says alone: nothing is mixed up between them."""
    first, second, third, submitted, free = (end(team, a_run(team.scientist)) for _ in range(5))
    model = create_registered_model(team.scientist, team.project, name="net")
    made = create_version(team.scientist, model, source=f"runs:/{first.uid.hex}/logs", run=first)
    set_alias(team.scientist, model, alias="champion", version=made)
    logged = create_logged_model(team.scientist, second.experiment, name="net", source_run=second)
    built = create_version(team.scientist, model, source=f"models:/{logged.model_id}", logged_model=logged)
    set_alias(team.scientist, model, alias="next", version=built)
    place_hold(team.auditor, team.project, reason="Claim", run=third)
    submit_run(team.scientist, submitted, comment="please")
    runs = [Run.objects.get(pk=one.pk) for one in (first, second, third, submitted, free, run)]
    alone = [keep for one in runs for keep in keeps_of(team.project, [one])]
    with django_assert_max_num_queries(8):
        together = keeps_of(team.project, runs)
    assert together == alone
    said = ["net version 1: alias 'champion'", "net version 2: alias 'next'", "legal hold", "submitted for review"]
    for keep, words in zip(together, said, strict=False):
        assert words in keep.obstacle
    assert [keep.obstacle for keep in together[4:]] == ["", ""]
    place_hold(team.auditor, team.project, reason="All of it")
    assert all(keep.obstacle for keep in keeps_of(team.project, runs))


# --- Who


def test_two_people_neither_of_them_an_author(team, run, later):
    for actor in (team.scientist, team.engineer, team.auditor, team.administrator):
        with pytest.raises(Refused):
            ask_purge(actor, team.project, runs=[run], reason=WHY)
    both = a_member(team.project, Role.PROJECT_MANAGER, "Both")
    purge = ask_purge(both, team.project, runs=[run], reason=WHY)
    with pytest.raises(Conflict, match="asked already"):
        asked(team, run)
    for actor in (team.scientist, team.manager, team.auditor, both):
        with pytest.raises(Refused):
            carry_out_purge(actor, purge, reason=DONE)
    for reason in ("", " "):
        with pytest.raises(Invalid):
            carry_out_purge(team.administrator, purge, reason=reason)
    carry_out_purge(team.administrator, purge, reason=DONE)
    for act in (carry_out_purge, refuse_purge):
        with pytest.raises(Conflict, match="before"):
            act(team.administrator, purge, reason="again")
    with pytest.raises(NotFound):
        asked(team, run)


def test_an_author_of_the_run_neither_asks_nor_purges(team, later):
    author = a_member(team.project, Role.DATA_SCIENTIST, "Author")
    run = end_by(author, a_run(author, project=team.project))
    join(team.project, author, Role.PROJECT_MANAGER)
    with pytest.raises(Refused, match="had a hand"):
        ask_purge(again(author), team.project, runs=[run], reason=WHY)
    purge = asked(team, run)
    appoint(operator(), user=user_of(author), role=Role.ADMINISTRATOR)
    with pytest.raises(Refused, match="had a hand"):
        carry_out_purge(again(author), purge, reason=DONE)


def end_by(actor, run: Run) -> Run:
    return update_run(actor, run, status=RunStatus.FINISHED, ended_ms=1_700_000_060_000)


def test_it_is_refused_or_taken_back_and_can_be_asked_again(team, run, later):
    with pytest.raises(Invalid):
        ask_purge(team.manager, team.project, runs=[], reason=WHY)
    with pytest.raises(Invalid):
        ask_purge(team.manager, team.project, runs=[run], reason=" ")
    first = asked(team, run)
    with pytest.raises(Invalid):
        refuse_purge(team.administrator, first, reason="")
    refuse_purge(team.administrator, first, reason="Not yet.")
    second = asked(team, run)
    withdraw_purge(team.manager, second)
    with pytest.raises(Conflict):
        carry_out_purge(team.administrator, second, reason=DONE)
    assert Param.objects.filter(run=run).exists()
    other = a_team()
    with pytest.raises(NotFound):
        ask_purge(team.manager, team.project, runs=[a_run(other.scientist)], reason=WHY)


# --- Page and REST


def test_the_page_asks_and_an_administrator_decides_there(team, run, later):
    url = f"/p/{team.project.slug}/keeping/"
    manager, root = client_of(team.manager), client_of(team.administrator)
    assert f'value="{run.uid.hex}"' in manager.get(url).content.decode()
    assert "Say why" in manager.post(f"{url}purges/", {"run": run.uid.hex, "reason": ""}, follow=True).content.decode()
    told = manager.post(f"{url}purges/", {"run": run.uid.hex, "reason": WHY}, follow=True).content.decode()
    assert "An administrator decides" in told
    assert "Purge for good" not in told
    page = root.get(url).content.decode()
    assert "Purge for good" in page
    assert run.readable_id not in page
    purge = Purge.objects.get(project=team.project)
    doing = f"{url}purges/{purge.pk}/do/"
    assert manager.post(f"{doing}nothing/").status_code == 404
    assert root.post(f"{doing}carry-out/", {"reason": DONE}, follow=True).status_code == 200
    after = manager.get(url).content.decode()
    assert "Carried out" in after
    assert DONE in after
    assert root.get(url).status_code == 200


def test_purges_over_rest(team, run, later):
    manager, root = client_of(team.manager), client_of(an_administrator("Second"))

    def send(client: Client, path: str, **body):
        return client.post(path, json.dumps(body), "application/json")

    url = f"/api/v1/projects/{team.project.slug}/purges/"
    assert send(manager, url, runs=[run.readable_id], reason="").status_code == 400
    assert send(manager, url, runs=["QXZ-9"], reason=WHY).status_code == 404
    made = send(manager, url, runs=[run.readable_id], reason=WHY)
    assert made.status_code == 201, made.content
    assert (made.json()["runs"], made.json()["state"]) == ([run.uid.hex], "asked")
    one = f"/api/v1/purges/{made.json()['id']}/"
    assert send(manager, f"{one}carry-out/", reason=DONE).status_code == 403
    assert send(client_of(a_person()), f"{one}carry-out/", reason=DONE).status_code == 404
    assert send(root, f"{one}carry-out/", reason=DONE).json()["state"] == "done"
    assert send(root, f"{one}refuse/", reason=DONE).status_code in (404, 409)
    assert manager.get(url).json()["results"][0]["decision"] == DONE


def test_a_decision_sent_again_is_the_same_though_a_run_that_it_cites_was_purged(team, run, later):
    path, mona = f"/api/v1/projects/{team.project.slug}/decisions/", client_of(team.manager)
    body = {"title": "Go on", "runs": [run.readable_id, run.uid.hex], "key": str(uuid4())}
    first = mona.post(path, body, content_type="application/json")
    assert first.status_code == 201, first.content
    purged(team, run)
    again = mona.post(path, body, content_type="application/json")
    assert (again.status_code, again.json()["number"]) == (201, 1)
    fresh = mona.post(path, body | {"key": str(uuid4())}, content_type="application/json")
    assert fresh.status_code == 400
    assert "was purged" in fresh.content.decode()
