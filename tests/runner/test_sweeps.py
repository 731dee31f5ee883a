"""Sweeps: one parent with its runs below, begun as others end, each point once, ended by what may end it."""

import datetime as dt

import pytest

from accounts.actions.members import remove_member
from accounts.models import Membership
from accounts.roles import Role
from audit.ledger.acting import acting
from audit.ledger.models import AuditEvent
from experiments.actions.batches import log_batch
from experiments.actions.experiments import set_metric_direction
from experiments.actions.runs import delete_run
from experiments.models import Run
from experiments.queries.runs import params_of, parent_of, tags_of
from experiments.values import RunStatus
from kernel.actor import operator, system
from kernel.clock import now
from kernel.errors import Conflict, Invalid, NotFound, Refused
from runner.actions.jobs import end_job, launch, retry_job, stop_job
from runner.actions.sweeps import begin_sweep, carry_sweep, stop_sweep
from runner.models import Job, Sweep
from runner.queries.sweeps import best_of, children_of, get_sweep, goal_of, progress_of, sweep_of, sweeps_of
from runner.sweeping import plan_of
from runner.working.sweeps import after_job, carry_sweeps
from tests.factories import a_batch, a_member, a_person, a_team, again, default_experiment
from tests.factories_runner import a_draft, a_worker, held_by

pytestmark = pytest.mark.django_db


@pytest.fixture
def team():
    return a_team()


def a_sweep(actor, project, *, name="lr sweep", draft=None, metric="", higher_is_better=None, **asked):
    given = {
        "space": {"lr": [0.1, 0.2, 0.3, 0.4]},
        "at_once": 2,
        "metric": metric,
        "higher_is_better": higher_is_better,
    }
    plan = plan_of(**(given | asked))
    return begin_sweep(actor, default_experiment(project), draft=draft or a_draft(), plan=plan, name=name)


def open_jobs(sweep):
    return list(Job.objects.filter(sweep=sweep, state__in=Job.OPEN).order_by("created_at"))


def end(job, state=Job.State.FINISHED, *, cause=Job.Cause.EXIT, why="", worker=None, **values):
    """What a worker does, and then what follows the commit."""
    job = held_by(Job.objects.get(pk=job.pk), worker or a_worker())
    if values:
        log_batch(operator(), job.run, batch=a_batch(**{key: [value] for key, value in values.items()}))
    end_job(system(), job, lease=job.lease, state=state, cause=cause, why=why)
    after_job(job.pk)


def test_a_sweep_is_one_parent_whose_runs_begin_as_others_end(team):
    sweep = a_sweep(team.scientist, team.project, metric="accuracy", higher_is_better=True)
    parent = sweep.parent
    assert (parent.status, parent.name) == (RunStatus.RUNNING, "lr sweep")
    assert params_of(team.scientist, parent) == {"seed": "7", "sweep.lr": "0.1, 0.2, 0.3, 0.4"}
    for accuracy in (0.5, 0.9, 0.7, 0.6):
        assert 1 <= len(open_jobs(sweep)) <= 2
        end(open_jobs(sweep)[0], accuracy=accuracy)
    children = children_of(team.scientist, sweep, goal_of(team.scientist, sweep))
    assert [(one.point, one.value) for one in children] == [
        ({"lr": 0.1}, 0.5), ({"lr": 0.2}, 0.9), ({"lr": 0.3}, 0.7), ({"lr": 0.4}, 0.6)
    ]  # fmt: skip
    assert [one.job.run.name for one in children] == [f"lr sweep {place}" for place in (1, 2, 3, 4)]
    assert {parent_of(team.scientist, one.job.run) for one in children} == {parent}
    assert {one.job.created_by_id for one in children} == {team.scientist.user_id}
    sweep.refresh_from_db()
    parent.refresh_from_db()
    assert (sweep.state, sweep.ended_because) == (Sweep.State.DONE, "4 of 4 runs finished.")
    assert (parent.status, parent.ended_ms is not None) == (RunStatus.FINISHED, True)
    best = best_of(team.scientist, sweep)
    assert best.point == {"lr": 0.2}
    assert tags_of(team.scientist, parent)["mled.sweep.best"] == best.job.run.uid.hex
    progress = progress_of(team.scientist, sweep)
    assert (progress.counts, progress.begun, progress.percent) == ({Job.State.FINISHED: 4}, 4, 100)


def test_who_carries_it_on_twice_or_late_changes_nothing(team):
    sweep = a_sweep(team.scientist, team.project)
    before = AuditEvent.objects.count()
    for _ in range(3):
        carry_sweep(system(), sweep)
        assert carry_sweeps() >= 1
    assert Job.objects.filter(sweep=sweep).count() == 2
    assert AuditEvent.objects.count() == before
    job = open_jobs(sweep)[0]
    end(job)
    for _ in range(3):
        after_job(job.pk)
    assert Job.objects.filter(sweep=sweep).count() == 3
    while open_jobs(sweep):
        end(open_jobs(sweep)[0])
    carry_sweep(system(), sweep)
    taken = [job.recipe.params["lr"] for job in Job.objects.filter(sweep=sweep).select_related("recipe")]
    assert sorted(taken) == [0.1, 0.2, 0.3, 0.4]
    with pytest.raises(Refused, match="by itself"):
        carry_sweep(team.scientist, sweep)


def test_the_best_is_told_by_the_goal_of_the_project_where_none_was_named(team):
    sweep = a_sweep(team.scientist, team.project, space={"lr": [0.1, 0.2]})
    assert goal_of(team.scientist, sweep) is None
    set_metric_direction(team.scientist, team.project, key="loss", higher_is_better=False)
    end(open_jobs(sweep)[0], loss=0.8, speed=1.0)
    end(open_jobs(sweep)[0], loss=0.3, speed=2.0)
    assert (goal_of(team.scientist, sweep).metric, best_of(team.scientist, sweep).point) == ("loss", {"lr": 0.2})


def test_a_seed_may_be_swept_and_a_parameter_keeps_its_type(team):
    sweep = a_sweep(team.scientist, team.project, space={"seed": "1..3", "deep": [True, False]}, at_once=6)
    told = [
        (job.recipe.seed, job.recipe.params["deep"]) for job in Job.objects.filter(sweep=sweep).order_by("created_at")
    ]
    assert told == [(1, True), (2, True), (3, True), (1, False), (2, False), (3, False)]


def test_a_sweep_whose_first_runs_all_fail_ends_and_says_so(team):
    sweep = a_sweep(team.scientist, team.project, space={"lr": "1..50"}, method="random", jobs_max=40, at_once=4)
    for _ in range(4):
        end(open_jobs(sweep)[0], Job.State.FAILED, why="KeyError: 'outcome'")
    sweep.refresh_from_db()
    assert sweep.state == Sweep.State.STOPPED
    assert sweep.ended_because.startswith("The first 4 runs all failed")
    assert "KeyError: 'outcome'" in sweep.ended_because
    assert open_jobs(sweep) == []
    assert Job.objects.filter(sweep=sweep).count() == 7
    assert Run.objects.get(pk=sweep.parent_id).status == RunStatus.FAILED


def test_a_lost_worker_is_no_fault_of_the_sweep_and_its_run_is_waited_for(team):
    sweep = a_sweep(team.scientist, team.project, space={"lr": [0.1]})
    job = open_jobs(sweep)[0]
    job.retries_left = 1
    with acting(system(), "runner.test", project_id=sweep.project_id):
        job.save()
    end(job, Job.State.FAILED, cause=Job.Cause.WORKER, why="Its worker was lost.")
    sweep.refresh_from_db()
    assert sweep.state == Sweep.State.RUNNING
    again_job = retry_job(team.scientist, job)
    assert (again_job.sweep_id, parent_of(team.scientist, again_job.run)) == (sweep.pk, sweep.parent)
    end(again_job)
    sweep.refresh_from_db()
    assert (sweep.state, sweep.ended_because) == (Sweep.State.DONE, "1 of 1 runs finished.")
    assert [one.job.pk for one in children_of(team.scientist, sweep)] == [again_job.pk]


def test_a_budget_of_time_ends_it_where_it_is(team, monkeypatch):
    sweep = a_sweep(team.scientist, team.project, seconds_max=1, at_once=1)
    job = held_by(open_jobs(sweep)[0], a_worker())

    later = now() + dt.timedelta(seconds=5)
    monkeypatch.setattr("runner.actions.jobs.now", lambda: later)
    end_job(system(), job, lease=job.lease, state=Job.State.FINISHED, cause=Job.Cause.EXIT)
    after_job(job.pk)
    sweep.refresh_from_db()
    assert sweep.state == Sweep.State.STOPPED
    assert "budget of 1 seconds was used up after 1 of 4 runs" in sweep.ended_because
    assert Run.objects.get(pk=sweep.parent_id).status == RunStatus.FINISHED


def test_whoever_leaves_the_project_begins_no_more_runs(team):
    sweep = a_sweep(team.scientist, team.project, at_once=1)
    remove_member(operator(), Membership.objects.get(project=team.project, user_id=team.scientist.user_id))
    end(open_jobs(sweep)[0])
    sweep.refresh_from_db()
    assert sweep.state == Sweep.State.STOPPED
    assert "may not start runs here any more" in sweep.ended_because
    assert Job.objects.filter(sweep=sweep).count() == 1


def test_no_more_begin_below_a_parent_that_was_deleted(team):
    sweep = a_sweep(team.scientist, team.project, at_once=1)
    delete_run(team.scientist, sweep.parent)
    end(open_jobs(sweep)[0])
    sweep.refresh_from_db()
    assert (sweep.state, sweep.ended_because.startswith("Its parent run was deleted.")) == (Sweep.State.STOPPED, True)
    assert Job.objects.filter(sweep=sweep).count() == 1


def test_stopping_ends_what_waits_and_asks_what_is_under_way(team):
    sweep = a_sweep(team.scientist, team.project)
    held, waiting = open_jobs(sweep)
    held = held_by(held, a_worker())
    with pytest.raises(Refused):
        stop_sweep(a_member_of(team), sweep)
    stopped = stop_sweep(team.scientist, sweep, reason="Wrong data.")
    assert (stopped.state, stopped.ended_because) == (Sweep.State.STOPPED, "Ada stopped it. Wrong data.")
    held.refresh_from_db()
    waiting.refresh_from_db()
    assert (waiting.state, held.state, held.stop_asked_at is not None) == (Job.State.STOPPED, Job.State.RUNNING, True)
    assert Run.objects.get(pk=sweep.parent_id).status == RunStatus.KILLED
    after_job(waiting.pk)
    assert Job.objects.filter(sweep=sweep).count() == 2
    with pytest.raises(Conflict, match="over already"):
        stop_sweep(team.engineer, sweep)


def a_member_of(team):
    return a_member(team.project, Role.DATA_SCIENTIST)


def test_a_job_that_ends_just_then_does_not_keep_its_sweep_from_being_stopped(team, monkeypatch):
    sweep = a_sweep(team.scientist, team.project)
    first, second = open_jobs(sweep)

    def just_over(actor, job, **more):
        if job == first:
            end_job(system(), held, lease=held.lease, state=Job.State.FINISHED, cause=Job.Cause.EXIT)
        return stop_job(actor, job, **more)

    held = held_by(first, a_worker())
    monkeypatch.setattr("runner.actions.sweeps.stop_job", just_over)
    stop_sweep(team.scientist, sweep)
    assert Job.objects.get(pk=second.pk).state == Job.State.STOPPED
    sweep.refresh_from_db()
    assert sweep.state == Sweep.State.STOPPED


def test_who_is_not_of_the_project_sees_no_sweep_and_an_auditor_begins_none(team):
    sweep = a_sweep(team.scientist, team.project)
    stranger = a_person()
    for ask in (lambda: get_sweep(stranger, sweep.pk), lambda: stop_sweep(stranger, sweep)):
        with pytest.raises(NotFound):
            ask()
    assert sweep_of(stranger, sweep.parent) is None
    assert list(sweeps_of(stranger, team.project)) == []
    assert sweep_of(team.auditor, sweep.parent) == sweep
    with pytest.raises(Refused):
        a_sweep(team.auditor, team.project)
    with pytest.raises(Invalid, match="the budget is 3"):
        a_sweep(team.scientist, team.project, jobs_max=3)


@pytest.mark.parametrize("queue", ["q" * 41, "", "gpu a100"])
def test_what_cannot_be_the_name_of_a_queue_is_told_whoever_asks(team, queue):
    place, plan = default_experiment(team.project), plan_of(space={"lr": [0.1, 0.2]})
    for ask in (
        lambda: launch(team.scientist, place, draft=a_draft(), queue=queue),
        lambda: begin_sweep(team.scientist, place, draft=a_draft(), plan=plan, queue=queue),
    ):
        with pytest.raises(Invalid, match="is no name of a queue") as told:
            ask()
        assert told.value.field == "queue"
    assert not Job.objects.filter(project=team.project).exists()


def test_a_job_that_failed_is_tried_again_once(team):
    sweep = a_sweep(team.scientist, team.project, space={"lr": [0.1, 0.2, 0.3]}, at_once=1)
    job = open_jobs(sweep)[0]
    with pytest.raises(Conflict, match="not over yet"):
        retry_job(team.scientist, job)
    end(job, Job.State.FAILED, why="Out of luck.")
    made = retry_job(again(team.engineer), job)
    assert (made.retry_of_id, made.run_id != job.run_id, made.recipe_id) == (job.pk, True, job.recipe_id)
    assert made.created_by_id == team.engineer.user_id
    with pytest.raises(Conflict, match="tried again already"):
        retry_job(team.scientist, job)
    with pytest.raises(Refused):
        retry_job(team.auditor, made)
    with pytest.raises(NotFound):
        retry_job(a_person(), job)
    end(made)
    with pytest.raises(Conflict, match="It finished"):
        retry_job(team.scientist, made)
    other = open_jobs(sweep)[0]
    stop_job(team.scientist, other)
    assert retry_job(team.scientist, other).retry_of_id == other.pk
