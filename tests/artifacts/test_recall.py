"""Aliases and recalls: what they refuse, whom they tell, and which flags arrive where."""

import threading

import pytest
from django.db import connection

from accounts.actions.members import remove_member
from accounts.models import Membership, Notice
from artifacts.actions.aliases import remove_dataset_alias, set_dataset_alias
from artifacts.actions.recall import reinstate_version, withdraw_version
from artifacts.actions.versions import add_external_version, add_version
from artifacts.models import DatasetAlias, DatasetVersion
from artifacts.queries.datasets import aliases_of, dataset_table
from artifacts.queries.history import history_of_version
from artifacts.queries.uses import uses_of
from artifacts.queries.versions import get_version, get_version_by_alias
from artifacts.versions import is_withdrawn, when_withdrawn
from experiments.actions.inputs import DatasetInput, log_inputs
from experiments.actions.runs import delete_run
from experiments.models import RunInput
from experiments.queries.recalls import recalled_inputs, runs_on_version
from experiments.queries.runs import inputs_of
from experiments.queries.search import search_runs
from kernel.errors import AlreadyExists, Conflict, Invalid, MledError, NotFound, Refused
from tests.factories import (
    a_dataset,
    a_member,
    a_person,
    a_run,
    a_team,
    a_version,
    again,
    events,
    events_since,
    user_of,
)
from tests.world import stored


@pytest.fixture
def team(db):
    return a_team()


@pytest.fixture
def churn(team):
    return a_dataset(team.scientist, name="churn")


@pytest.fixture
def version(team, churn):
    return a_version(team.scientist, churn)


def use(actor, run, version, context="train"):
    used = DatasetInput(
        version.dataset.name, version.digest[:36], tags={"mlflow.data.context": context} if context else {}
    )
    log_inputs(actor, run, inputs=[used])


def told(actor):
    return list(Notice.objects.filter(user=user_of(actor)).order_by("pk"))


def found(team, text):
    """Names of the runs that a query finds."""
    return {one.name for one in search_runs(team.manager, project=team.project, text=text).rows}


# --- Aliases


def test_an_alias_moves_forth_and_back(team, churn, version):
    second = a_version(team.engineer, churn)
    set_dataset_alias(team.scientist, churn, name="current", version=version)
    (event,) = events_since(lambda: set_dataset_alias(team.engineer, churn, name="current", version=second))
    assert event.changed("artifacts.datasetalias")["version_id"] == [version.pk.hex, second.pk.hex]
    assert get_version_by_alias(team.manager, churn, "current") == second
    set_dataset_alias(team.engineer, churn, name="current", version=version)
    assert get_version_by_alias(team.manager, churn, "current") == version
    assert [alias.name for alias in aliases_of(team.manager, churn)] == ["current"]


def test_an_alias_that_is_there_already_changes_nothing(team, churn, version):
    set_dataset_alias(team.scientist, churn, name="current", version=version)
    assert events_since(lambda: set_dataset_alias(team.engineer, churn, name="current", version=version)) == []


def test_an_alias_goes_and_is_gone(team, churn, version):
    set_dataset_alias(team.scientist, churn, name="current", version=version)
    remove_dataset_alias(team.engineer, churn, name="current")
    with pytest.raises(NotFound):
        remove_dataset_alias(team.engineer, churn, name="current")


@pytest.mark.parametrize("name", ["", "1", "v2", "V3", "a b", "a/b", "-x", "x" * 101, "a\x00", "é"])
def test_a_name_that_is_no_alias_is_refused(team, churn, version, name):
    with pytest.raises(Invalid):
        set_dataset_alias(team.scientist, churn, name=name, version=version)


def test_an_alias_names_a_version_of_its_own_dataset(team, churn):
    other = a_version(team.scientist)
    with pytest.raises(NotFound):
        set_dataset_alias(team.scientist, churn, name="current", version=other)


def test_who_may_not_give_aliases(team, churn, version):
    with pytest.raises(Refused):
        set_dataset_alias(team.manager, churn, name="current", version=version)
    with pytest.raises(NotFound):
        set_dataset_alias(a_person(), churn, name="current", version=version)


def test_a_recalled_version_gets_no_alias_but_keeps_its_own(team, churn, version):
    set_dataset_alias(team.scientist, churn, name="current", version=version)
    withdraw_version(team.engineer, version, reason="wrong")
    with pytest.raises(Conflict, match="wrong"):
        set_dataset_alias(team.scientist, churn, name="best", version=version)
    assert DatasetAlias.objects.get(dataset=churn).name == "current"


# --- Who may recall


def test_a_scientist_recalls_only_what_they_made(team, churn):
    engineers = a_version(team.engineer, churn)
    with pytest.raises(Refused, match="only where you created"):
        withdraw_version(team.scientist, engineers, reason="wrong")
    mine = a_version(team.scientist, churn)
    withdraw_version(team.scientist, mine, reason="wrong")
    assert is_withdrawn(get_version(team.manager, churn, 2))


def test_engineers_and_managers_recall_what_others_made(team, churn):
    for recaller in (team.engineer, team.manager):
        version = a_version(team.scientist, churn)
        withdraw_version(recaller, version, reason="wrong")
        reinstate_version(recaller, version, reason="right after all")


def test_others_recall_nothing_and_the_attempt_is_on_record(team, version):
    with pytest.raises(Refused):
        withdraw_version(team.auditor, version, reason="wrong")
    for stranger in (a_person(), team.administrator):
        with pytest.raises(NotFound):
            withdraw_version(stranger, version, reason="wrong")
    denied = events(outcome="denied", verb="artifacts.withdraw_version")
    assert {kept.subject for kept in denied} == {f"artifacts.datasetversion {version.pk.hex}"}
    assert not is_withdrawn(get_version(team.manager, version.dataset, 1))


@pytest.mark.parametrize("reason", ["", "  ", "x" * 2001, "a\x00b"])
def test_a_recall_needs_a_reason(team, version, reason):
    with pytest.raises(Invalid) as refused:
        withdraw_version(team.engineer, version, reason=reason)
    assert refused.value.field == "reason"


# --- What a recall does


def test_a_recall_is_on_record_and_says_who_when_and_why(team, churn, version):
    (event,) = events_since(lambda: withdraw_version(team.engineer, version, reason="labels are wrong"))
    assert (event.verb, event.reason) == ("artifacts.withdraw_version", "labels are wrong")
    assert event.subject == f"artifacts.datasetversion {version.pk.hex}"
    withdrawal = when_withdrawn(get_version(team.manager, churn, 1))
    assert withdrawal.words == f"was recalled on {withdrawal.at:%Y-%m-%d} by Emil: labels are wrong"
    (row,), _ = dataset_table(team.manager, team.project)
    assert row.recalled == [1]
    reinstate_version(team.manager, version, reason="they are right")
    assert when_withdrawn(get_version(team.manager, churn, 1)) is None
    assert [one.past.reason for one in history_of_version(team.manager, version)] == [
        "they are right",
        "labels are wrong",
        "",
    ]


def test_a_recall_that_is_repeated_changes_nothing(team, version):
    withdraw_version(team.engineer, version, reason="wrong")
    assert events_since(lambda: withdraw_version(team.engineer, version, reason="wrong")) == []
    assert len(told(team.scientist)) == 1


def test_who_comes_second_is_told_who_was_first(team, version):
    withdraw_version(team.engineer, version, reason="wrong labels")
    with pytest.raises(Conflict, match=r"already.*Emil: wrong labels"):
        withdraw_version(team.manager, version, reason="something else")
    reinstate_version(team.manager, version, reason="fine")
    with pytest.raises(Conflict, match=r"reinstated already.*Mona: fine"):
        reinstate_version(team.engineer, version, reason="also fine")


def test_what_was_never_recalled_is_not_reinstated(team, version):
    with pytest.raises(Conflict, match="not recalled"):
        reinstate_version(team.engineer, version, reason="why not")


def test_new_uses_are_refused_and_old_ones_replay(team, churn, version):
    old, new = a_run(team.scientist), a_run(team.scientist)
    use(team.scientist, old, version)
    withdraw_version(team.engineer, version, reason="wrong labels")
    with pytest.raises(Conflict, match=r"Version 1 of dataset 'churn' was recalled on .* by Emil: wrong labels"):
        use(team.scientist, new, version)
    assert inputs_of(team.scientist, new) == []
    assert events_since(lambda: use(team.scientist, old, version)) == []
    reinstate_version(team.engineer, version, reason="fine")
    withdraw_version(team.engineer, version, reason="Labels are wrong.")
    with pytest.raises(Conflict, match=r"by Emil: Labels are wrong\. Use"):
        use(team.scientist, new, version)
    reinstate_version(team.engineer, version, reason="fine again")
    use(team.scientist, new, version)
    assert len(inputs_of(team.scientist, new)) == 1


def test_nothing_of_a_batch_of_inputs_stays_where_one_is_recalled(team, churn, version):
    good = a_version(team.scientist, churn)
    withdraw_version(team.engineer, version, reason="wrong")
    run = a_run(team.scientist)
    with pytest.raises(Conflict):
        log_inputs(
            team.scientist,
            run,
            inputs=[DatasetInput("churn", good.digest[:36]), DatasetInput("churn", version.digest[:36])],
        )
    assert inputs_of(team.scientist, run) == []


def test_the_content_of_a_recalled_version_does_not_come_back_as_a_new_one(team, churn):
    files = [("a.csv", stored(b"x\n1\n"))]
    version = add_version(team.scientist, churn, files=files)
    withdraw_version(team.engineer, version, reason="wrong")
    with pytest.raises(AlreadyExists, match="recalled"):
        add_version(team.scientist, churn, files=files)


# --- Whom it reaches


def test_runs_on_a_recalled_version_are_flagged_at_once_and_found(team, churn, version, django_assert_num_queries):
    good = a_version(team.scientist, churn)
    runs = [a_run(team.scientist, name=f"run {number}") for number in range(3)]
    use(team.scientist, runs[0], version)
    use(team.scientist, runs[1], version, "test")
    use(team.scientist, runs[1], good)
    use(team.scientist, runs[2], good)
    assert recalled_inputs(team.manager, runs) == {}
    withdraw_version(team.engineer, version, reason="wrong labels")
    with django_assert_num_queries(1):
        flagged = recalled_inputs(team.manager, runs)
    assert flagged == {runs[0].pk: [version], runs[1].pk: [version]}
    assert when_withdrawn(flagged[runs[0].pk][0]).reason == "wrong labels"
    assert recalled_inputs(a_person(), runs) == {}

    assert found(team, "recalled = true") == {"run 0", "run 1"}
    assert found(team, "recalled = false") == {"run 2"}


def test_what_was_built_on_a_version_is_listed_with_its_role(team, churn, version):
    runs = [a_run(team.scientist, name=f"run {number}") for number in range(3)]
    for run in runs:
        use(team.scientist, run, version, "eval")
    delete_run(team.scientist, runs[0])
    (used,) = [uses for uses in uses_of(team.manager, version, limit=1) if uses.kind == "runs"]
    assert (used.total, len(used.newest)) == (2, 1)
    assert used.newest[0].context == "eval"
    assert used.newest[0].who == "Ada"
    assert used.newest[0].url == f"/r/{runs[2].readable_id}/"
    assert [row.run for row in runs_on_version(team.manager, version)] == [runs[2], runs[1]]
    (row,), _ = dataset_table(team.manager, team.project)
    assert row.uses["runs"] == 2
    with pytest.raises(NotFound):
        uses_of(a_person(), version)


def test_its_maker_and_the_authors_of_runs_on_it_are_told_and_nobody_else(team, churn, version):
    author, leaver = a_member(team.project, name="Aldo"), a_member(team.project, name="Lea")
    for person in (author, leaver):
        use(person, a_run(person), version)
    remove_member(team.manager, Membership.objects.get(user=user_of(leaver)))
    withdraw_version(team.engineer, version, reason="wrong labels")
    (maker_s,), (author_s,) = told(team.scientist), told(author)
    assert "You made this version" in maker_s.text
    assert author_s.text == "Version 1 of dataset 'churn' was recalled: wrong labels. You logged runs on it."
    assert author_s.url == f"/p/{team.project.slug}/datasets/{churn.pk}/v/1/"
    assert author_s.project == team.project
    for other in (team.engineer, team.manager, leaver):
        assert told(other) == []
    reinstate_version(team.engineer, version, reason="fine")
    assert [one.kind for one in told(author)] == ["dataset.recalled", "dataset.reinstated"]


def test_who_recalls_is_not_told_what_they_did(team, version):
    use(team.scientist, a_run(team.scientist), version)
    withdraw_version(team.scientist, version, reason="wrong")
    assert told(team.scientist) == []


# --- Binding by name and digest


def test_a_client_s_dataset_is_the_version_that_its_digest_names(team, churn, version):
    for digest in (version.digest[:36], version.digest[:12]):
        run = a_run(team.scientist)
        log_inputs(team.scientist, run, inputs=[DatasetInput("churn", digest, "local", "{}")])
        assert [one.dataset_version for one in inputs_of(team.scientist, run)] == [version]


@pytest.mark.parametrize("length", [1, 11])
def test_a_digest_that_is_too_short_names_no_version(team, churn, version, length):
    run = a_run(team.scientist)
    log_inputs(team.scientist, run, inputs=[DatasetInput("churn", version.digest[:length], "local", "{}")])
    (used,) = [one.dataset_version for one in inputs_of(team.scientist, run)]
    assert (used.number, used.digest, used.root) == (2, version.digest[:length], None)


def test_a_digest_that_is_no_hex_names_no_version(team, churn, version):
    run = a_run(team.scientist)
    log_inputs(team.scientist, run, inputs=[DatasetInput("churn", version.digest[:20] + "%")])
    assert [one.dataset_version.number for one in inputs_of(team.scientist, run)] == [2]


def test_a_prefix_that_two_versions_have_names_neither(team, churn):
    for ending in "ab":
        add_external_version(team.scientist, churn, digest="c" * 63 + ending, source="s3://lake/x")
    run = a_run(team.scientist)
    log_inputs(team.scientist, run, inputs=[DatasetInput("churn", "c" * 20)])
    (used,) = [one.dataset_version for one in inputs_of(team.scientist, run)]
    assert used.number == 3


def test_the_same_name_in_another_project_is_another_dataset(team, version):
    other = a_team()
    run = a_run(other.scientist)
    log_inputs(other.scientist, run, inputs=[DatasetInput("churn", version.digest[:36])])
    (used,) = [one.dataset_version for one in inputs_of(other.scientist, run)]
    assert used.pk != version.pk


# --- Races


def both(*acts):
    """Do these at once; what each raised, or None."""
    raised = [None] * len(acts)

    def run(place, act):
        try:
            act()
        except MledError as error:
            raised[place] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return raised


def test_two_versions_made_at_once_have_two_numbers(committed_db):
    team = a_team()
    churn = a_dataset(team.scientist)
    acts = [lambda n=n: a_version(again(team.engineer), churn, files={"a.csv": b"%d" % n}) for n in range(4)]
    assert both(*acts) == [None] * 4
    assert sorted(DatasetVersion.objects.values_list("number", flat=True)) == [1, 2, 3, 4]


def test_the_same_content_sent_twice_at_once_is_one_version(committed_db):
    team = a_team()
    churn = a_dataset(team.scientist)
    act = lambda: a_version(again(team.engineer), churn, files={"a.csv": b"1"})  # noqa: E731
    raised = both(act, act)
    assert [type(one) for one in raised if one] == [AlreadyExists]
    assert DatasetVersion.objects.count() == 1


def test_an_alias_set_twice_at_once_names_one_of_the_two(committed_db):
    team = a_team()
    churn = a_dataset(team.scientist)
    versions = [a_version(team.scientist, churn) for _ in range(2)]
    acts = [lambda v=v: set_dataset_alias(again(team.engineer), churn, name="current", version=v) for v in versions]
    assert both(*acts) == [None, None]
    assert DatasetAlias.objects.get().version in versions


def test_of_two_recalls_at_once_one_counts(committed_db):
    team = a_team()
    version = a_version(team.scientist)
    people = [team.engineer, team.manager]
    raised = both(
        *[lambda p=p, n=n: withdraw_version(again(p), version, reason=f"reason {n}") for n, p in enumerate(people)]
    )
    assert [type(one) for one in raised if one] == [Conflict]
    assert len(told(team.scientist)) == 1


def test_a_use_and_a_recall_at_once_leave_a_flag_or_a_refusal(committed_db):
    team = a_team()
    version = a_version(team.scientist)
    run = a_run(team.scientist)
    raised = both(
        lambda: use(again(team.scientist), run, version),
        lambda: withdraw_version(again(team.engineer), version, reason="wrong"),
    )
    assert raised[1] is None
    used = RunInput.objects.filter(run=run).exists()
    assert used == (raised[0] is None)
    if used:
        assert list(recalled_inputs(again(team.manager), [run])) == [run.pk]
    else:
        assert isinstance(raised[0], Conflict)
