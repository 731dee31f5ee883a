"""What a project decided, citing runs: never rewritten, replaced or taken back."""

import uuid

import pytest

from experiments.actions.decisions import RUNS_MAX, record_decision, take_back_decision
from experiments.actions.experiments import grant_access
from experiments.actions.runs import delete_run
from experiments.models import Decision, DecisionRun
from experiments.queries.decisions import (
    decisions_citing,
    decisions_of,
    get_decision,
    runs_cited,
    runs_named,
    standing_of,
)
from experiments.queries.runs import get_run
from kernel.errors import AlreadyExists, Conflict, Invalid, NotFound, Refused
from tests.factories import Team, a_person, a_run, a_team, an_experiment, events_since, user_of


@pytest.fixture
def team(db) -> Team:
    return a_team()


def test_a_decision_keeps_what_why_and_the_runs_in_their_order(team):
    first, second = a_run(team.scientist), a_run(team.scientist)
    made = record_decision(
        team.manager,
        team.project,
        title="  Stop the\nLightGBM line ",
        why="0.04 behind.\r\n",
        runs=[second, first, second],
    )
    told = get_decision(team.auditor, team.project, 1)
    assert (told.number, told.title, told.why) == (1, "Stop the LightGBM line", "0.04 behind.")
    assert runs_cited(told) == [second, first]
    assert told.created_by_id == team.manager.user_id
    assert standing_of(told).holds
    assert [one.pk for one in decisions_citing(team.scientist, first)] == [made.pk]
    assert not decisions_citing(team.scientist, a_run(team.scientist)).exists()


def test_it_is_one_event_that_names_the_decision_and_each_run(team):
    run = a_run(team.scientist)
    [event] = events_since(lambda: record_decision(team.manager, team.project, title="Go", runs=[run]))
    made = Decision.objects.get()
    assert (event.verb, event.subject) == ("experiments.record_decision", f"experiments.decision {made.pk.hex}")
    assert event.changed("experiments.decision")["title"] == [None, "Go"]
    assert event.changed("experiments.decisionrun")["run_id"][1] == run.pk
    assert event.event.project_id == team.project.pk


def test_numbers_count_up_in_each_project(team):
    other = a_team()
    for who, project in ((team.manager, team.project), (other.manager, other.project), (team.manager, team.project)):
        record_decision(who, project, title="Go")
    assert [one.number for one in decisions_of(team.scientist, team.project)] == [2, 1]
    assert [one.number for one in decisions_of(other.scientist, other.project)] == [1]


def test_a_later_one_replaces_an_earlier_and_only_once(team):
    first = record_decision(team.manager, team.project, title="24 hours")
    second = record_decision(team.manager, team.project, title="48 hours", replaces=first)
    assert standing_of(get_decision(team.scientist, team.project, 1)).later == second
    assert get_decision(team.scientist, team.project, 2).replaces == first
    for refused in (
        lambda: record_decision(team.manager, team.project, title="72 hours", replaces=first),
        lambda: take_back_decision(team.manager, first, reason="No."),
    ):
        with pytest.raises(Conflict, match="was replaced by decision 2"):
            refused()
    assert Decision.objects.count() == 2


def test_one_is_taken_back_with_a_reason_and_what_it_said_stays(team):
    made = record_decision(team.manager, team.project, title="Go", why="It is ready.")
    with pytest.raises(Invalid, match="Say why"):
        take_back_decision(team.manager, made, reason="  ")
    take_back_decision(team.manager, made, reason="The data were recalled.")
    told = get_decision(team.scientist, team.project, 1)
    assert (told.why, told.taken_back_why) == ("It is ready.", "The data were recalled.")
    assert not standing_of(told).holds
    assert events_since(lambda: take_back_decision(team.manager, made, reason="Again.")) == []
    assert Decision.objects.get().taken_back_why == "The data were recalled."
    with pytest.raises(Conflict, match="taken back"):
        record_decision(team.manager, team.project, title="Other", replaces=made)


def test_the_same_key_makes_one_and_never_another_persons(team):
    key, run = uuid.uuid4(), a_run(team.scientist)
    made = record_decision(team.manager, team.project, title="Go", runs=[run], key=key)
    again = record_decision(team.manager, team.project, title="Go", runs=[run], key=key)
    assert made.pk == again.pk == key
    assert (Decision.objects.count(), DecisionRun.objects.count()) == (1, 1)
    other = a_team()
    for who, project, said in (
        (other.manager, other.project, {"title": "Go", "runs": []}),
        (team.manager, team.project, {"title": "Stop", "runs": [run]}),
        (team.manager, team.project, {"title": "Go", "runs": []}),
    ):
        with pytest.raises(AlreadyExists):
            record_decision(who, project, key=key, **said)
    assert Decision.objects.count() == 1


def test_only_managers_decide_and_strangers_find_nothing(team):
    made = record_decision(team.manager, team.project, title="Go")
    for who in (team.scientist, team.engineer, team.auditor):
        with pytest.raises(Refused):
            record_decision(who, team.project, title="Go")
        with pytest.raises(Refused):
            take_back_decision(who, made, reason="No.")
    stranger = a_team()
    assert not decisions_of(stranger.manager, team.project).exists()
    for refused in (
        lambda: get_decision(stranger.manager, team.project, 1),
        lambda: record_decision(stranger.manager, team.project, title="Go"),
        lambda: take_back_decision(stranger.manager, made, reason="No."),
    ):
        with pytest.raises(NotFound):
            refused()
    assert not decisions_of(team.administrator, team.project).exists(), "administrators read no content"


def test_who_was_let_into_one_experiment_sees_none_of_them(team):
    experiment, guest = an_experiment(team.scientist, team.project), a_person("Gil")
    run = a_run(team.scientist, experiment)
    grant_access(team.manager, experiment, user=user_of(guest))
    record_decision(team.manager, team.project, title="Go", runs=[run])
    assert get_run(guest, run.uid.hex) == run
    assert not decisions_citing(guest, run).exists()
    assert not decisions_of(guest, team.project).exists()


def test_runs_that_cannot_be_cited_are_refused(team):
    elsewhere = a_team()
    foreign, deleted = a_run(elsewhere.scientist), a_run(team.scientist)
    delete_run(team.scientist, deleted)
    with pytest.raises(Invalid, match="no run of this project"):
        record_decision(team.manager, team.project, title="Go", runs=[foreign])
    with pytest.raises(Invalid, match="is deleted"):
        record_decision(team.manager, team.project, title="Go", runs=[deleted])
    with pytest.raises(Invalid, match="'nothing' is no run"):
        runs_named(team.manager, team.project, ["nothing"], most=2)
    with pytest.raises(Invalid, match="no run of this project"):
        runs_named(team.manager, team.project, [foreign.uid.hex], most=2)
    with pytest.raises(Invalid, match="3 runs are cited"):
        runs_named(team.manager, team.project, ["a", "b", "b", "c"], most=2)
    many = [a_run(team.scientist) for _ in range(RUNS_MAX + 1)]
    with pytest.raises(Invalid, match="101 runs are cited"):
        record_decision(team.manager, team.project, title="Go", runs=many)
    assert not Decision.objects.exists()


@pytest.mark.parametrize("wrong", [{"title": " "}, {"title": "x" * 201}, {"title": "a\0b"}, {"why": "x" * 20_001}])
def test_what_is_no_decision_is_refused_by_its_field(team, wrong):
    with pytest.raises(Invalid) as refused:
        record_decision(team.manager, team.project, **({"title": "Go"} | wrong))
    assert refused.value.field == next(iter(wrong))


def test_a_decision_of_another_project_is_not_replaced(team):
    other = a_team()
    foreign = record_decision(other.manager, other.project, title="Go")
    with pytest.raises(Invalid, match="another project"):
        record_decision(team.manager, team.project, title="Go", replaces=foreign)


def test_a_list_takes_as_many_queries_whatever_it_cites(team, django_assert_max_num_queries):
    runs = [a_run(team.scientist) for _ in range(3)]
    for at in range(4):
        record_decision(team.manager, team.project, title=f"Go {at}", runs=runs)
    with django_assert_max_num_queries(4):
        assert [len(runs_cited(one)) for one in decisions_of(team.scientist, team.project)] == [3] * 4
