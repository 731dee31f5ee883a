"""What a project is after, and how far its runs have come."""

import datetime as dt

import pytest

from accounts.models import Project
from accounts.roles import Scope
from experiments.actions.batches import log_batch
from experiments.actions.experiments import set_metric_direction
from experiments.actions.goals import clear_goal, set_goal, state_of
from experiments.actions.runs import delete_run, update_run
from experiments.queries import goals as queries
from experiments.queries.experiments import metric_directions
from experiments.queries.goals import GoalState, goal_of, progress_of
from experiments.values import RunStatus
from kernel.clock import now, now_ms
from kernel.errors import Conflict, Invalid, NotFound, Refused
from tests.factories import Team, a_batch, a_run, an_experiment, events_since, with_token

DAY_MS = 24 * 3600 * 1000
AIM = {"metric": "acc", "higher_is_better": True, "target": 0.9}


def fresh(team: Team) -> Project:
    return Project.objects.get(pk=team.project.pk)


def a_measured_run(team: Team, *values: float, days_ago: int, key: str = "acc", status=RunStatus.FINISHED, name=""):
    ended = now_ms() - days_ago * DAY_MS
    run = a_run(team.scientist, name=name, started_ms=ended - 60_000)
    log_batch(team.scientist, run, batch=a_batch(**{key: values}))
    return update_run(team.scientist, run, status=status, ended_ms=ended)


def progress(team: Team, viewer=None, **aim):
    set_goal(team.manager, team.project, **(AIM | aim))
    viewer, project = viewer or team.scientist, fresh(team)
    return progress_of(viewer, project, goal_of(viewer, project))


def test_a_manager_sets_the_goal_with_one_event_and_clears_it(team):
    day = dt.date(2027, 1, 12)
    (kept,) = events_since(lambda: set_goal(team.manager, team.project, **AIM, by_date=day, reason="The ward asks."))
    assert (kept.verb, kept.event.project_id) == ("experiments.set_goal", team.project.pk)
    assert kept.changed("accounts.project") == {
        "goal_metric": ["", "acc"], "goal_target": [None, 0.9], "goal_date": [None, "2027-01-12"],
    }  # fmt: skip
    goal = goal_of(team.auditor, fresh(team))
    assert (goal.metric, goal.higher_is_better, goal.target, goal.by_date) == ("acc", True, 0.9, day)
    (gone,) = events_since(lambda: clear_goal(team.manager, team.project))
    assert (gone.verb, goal_of(team.manager, fresh(team))) == ("experiments.clear_goal", None)
    assert metric_directions(team.manager, team.project) == {"acc": True}


def test_the_same_goal_once_more_leaves_no_event(team):
    set_goal(team.manager, team.project, **AIM)
    assert events_since(lambda: set_goal(team.manager, team.project, **AIM)) == []
    clear_goal(team.manager, team.project)
    assert events_since(lambda: clear_goal(team.manager, team.project)) == []


def test_only_managers_set_goals(team, outsider):
    for who in (team.scientist, team.engineer, team.auditor, team.administrator):
        with pytest.raises(Refused):
            set_goal(who, team.project, **AIM)
        with pytest.raises(Refused):
            clear_goal(who, team.project)
    with pytest.raises(NotFound):
        set_goal(outsider, team.project, **AIM)
    with pytest.raises(NotFound):
        clear_goal(outsider, team.project)
    with pytest.raises(Refused):
        set_goal(with_token(team.manager, scopes=[Scope.READ, Scope.LOG]), team.project, **AIM)
    assert fresh(team).goal_metric == ""


def test_of_two_managers_the_second_is_told(team):
    seen = state_of(fresh(team))
    set_goal(team.manager, team.project, **AIM, expected=seen)
    with pytest.raises(Conflict, match="nothing was saved"):
        set_goal(team.manager, team.project, **(AIM | {"target": 0.95}), expected=seen)
    with pytest.raises(Conflict):
        clear_goal(team.manager, team.project, expected=seen)
    assert fresh(team).goal_target == 0.9
    set_goal(team.manager, team.project, **AIM, expected=seen)  # what stands there is what is wanted
    clear_goal(team.manager, team.project, expected=state_of(fresh(team)))


@pytest.mark.parametrize(
    ("wrong", "field"),
    [({"metric": ""}, "metric"), ({"metric": "a\nb"}, "metric"), ({"metric": "../x"}, "metric"),
     ({"target": float("nan")}, "target"), ({"target": float("inf")}, "target")],
)  # fmt: skip
def test_what_is_no_goal_is_refused_in_the_words_of_its_field(team, wrong, field):
    with pytest.raises(Invalid) as refused:
        set_goal(team.manager, team.project, **(AIM | wrong))
    assert refused.value.field == field
    assert fresh(team).goal_metric == ""


def test_the_best_rises_with_each_better_run(team):
    for days_ago, values in ((40, (0.5, 0.7)), (30, (0.6,)), (20, (0.8, 0.75)), (2, (0.85,))):
        a_measured_run(team, *values, days_ago=days_ago)
    found = progress(team)
    assert [one.value for one in found.improvements] == [0.7, 0.8, 0.85]
    assert (found.state, len(found.measured), found.is_whole) == (GoalState.ON_THE_WAY, 4, True)
    assert found.gain == pytest.approx(0.05)


def test_where_lower_is_better_the_least_counts(team):
    for days_ago, values in ((3, (0.5, 0.3)), (2, (0.4,)), (1, (0.2,))):
        a_measured_run(team, *values, days_ago=days_ago, key="loss")
    found = progress(team, metric="loss", higher_is_better=False, target=0.2)
    assert [one.value for one in found.improvements] == [0.3, 0.2]
    assert (found.state, found.reached.value) == (GoalState.REACHED, 0.2)


def test_a_goal_whose_day_has_passed_is_late_unless_it_was_reached(team):
    today, yesterday = now().date(), now().date() - dt.timedelta(days=1)
    assert progress(team, by_date=today).state is GoalState.ON_THE_WAY
    assert progress(team, by_date=yesterday).state is GoalState.LATE
    a_measured_run(team, 0.9, days_ago=0)
    assert progress(team, by_date=yesterday).state is GoalState.REACHED


def test_only_finished_runs_with_a_finite_value_count(team):
    a_measured_run(team, 0.95, days_ago=3, status=RunStatus.FAILED)
    a_measured_run(team, float("nan"), days_ago=3)
    a_measured_run(team, float("inf"), days_ago=3)
    gone = a_measured_run(team, 0.99, days_ago=3)
    delete_run(team.scientist, gone)
    log_batch(team.scientist, a_run(team.scientist), batch=a_batch(acc=[0.97]))
    a_measured_run(team, 0.99, days_ago=3, key="other")
    a_measured_run(team, 0.4, days_ago=2)
    assert [one.value for one in progress(team).improvements] == [0.4]


def test_who_sees_no_run_learns_no_result(team):
    a_measured_run(team, 0.95, days_ago=1)
    found = progress(team, team.administrator)
    assert (found.measured, found.improvements, found.state) == ([], [], GoalState.ON_THE_WAY)


def test_only_the_newest_runs_are_looked_at_and_the_page_says_so(team, monkeypatch):
    for days_ago, value in ((3, 0.8), (2, 0.5), (1, 0.6)):
        a_measured_run(team, value, days_ago=days_ago)
    monkeypatch.setattr(queries, "NEWEST", 2)
    found = progress(team)
    assert ([one.value for one in found.improvements], found.is_whole) == ([0.5, 0.6], False)


def test_many_runs_take_as_many_queries_as_few(team, django_assert_max_num_queries):
    experiment = an_experiment(team.scientist)
    for number in range(12):
        run = a_run(team.scientist, experiment)
        log_batch(team.scientist, run, batch=a_batch(acc=[number / 20]))
        update_run(team.scientist, run, status=RunStatus.FINISHED, ended_ms=now_ms() + number)
    set_metric_direction(team.manager, team.project, key="acc", higher_is_better=True)
    set_goal(team.manager, team.project, **AIM)
    project = fresh(team)
    goal = goal_of(team.scientist, project)
    with django_assert_max_num_queries(6):
        assert len(progress_of(team.scientist, project, goal).improvements) == 12
