"""Who does which job: the order, the limits, the lease; and what becomes of jobs whose worker is gone."""

from __future__ import annotations

import threading
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection

from accounts.actions.members import remove_member
from accounts.models import Membership
from audit.ledger.acting import acting
from experiments.actions.runs import delete_run
from experiments.values import RunStatus
from kernel.actor import system
from kernel.clock import now
from kernel.errors import Conflict, MledError, Refused
from runner.actions.jobs import NotOurs, begin_job, end_job, put_back_job, start_job, stop_job
from runner.actions.joining import join_worker
from runner.models import Job, RunnerRules, Sweep
from runner.recipes import Resources
from runner.working import leasing, lost
from runner.working.carrying import stopped_by
from runner.working.watching import Held
from tests.factories import Team, a_team, default_experiment, events_since, user_of
from tests.factories_runner import a_draft, a_job, a_worker, held_by


@pytest.fixture
def team(db) -> Team:
    return a_team()


def waiting(team: Team, **more: Any) -> Job:
    return a_job(team.scientist, default_experiment(team.project), **more)


def taken(*queues: str, cards: int = 0) -> UUID | None:
    found = leasing.take(queues or ("default",), cards=cards)
    return found and found.job


def a_sweep(team: Team, job: Job, *, at_once: int) -> Sweep:
    with acting(system(), "runner.sweep_of_a_test", project_id=team.project.pk):
        sweep = Sweep(
            project=team.project, parent=job.run, recipe=job.recipe, method=Sweep.Method.GRID, jobs_max=9,
            at_once=at_once,
        )  # fmt: skip
        sweep.save()
    return sweep


def test_the_higher_priority_goes_first_and_then_the_older(team):
    first, second, urgent = waiting(team), waiting(team), waiting(team, priority=5)
    elsewhere = waiting(team, queue="gpu", priority=9)
    assert [taken() for _ in range(4)] == [urgent.pk, first.pk, second.pk, None]
    assert taken("default", "gpu") == elsewhere.pk


def test_what_needs_graphics_cards_waits_for_a_worker_that_has_as_many(team):
    three = waiting(team, draft=a_draft(resources=Resources(gpus=3)))
    one = waiting(team, draft=a_draft(resources=Resources(gpus=1)))
    without = waiting(team)
    assert [taken(), taken()] == [without.pk, None]
    assert [taken(cards=2), taken(cards=2), taken(cards=3)] == [one.pk, None, three.pk]


def test_a_project_has_no_more_jobs_at_once_than_its_rules_allow(team):
    with acting(system(), "runner.rules_of_a_test", project_id=team.project.pk):
        RunnerRules(project=team.project, jobs_at_once=2).save()
    jobs = [waiting(team) for _ in range(3)]
    other = a_team()
    theirs = waiting(other)
    assert [taken() for _ in range(4)] == [jobs[0].pk, jobs[1].pk, theirs.pk, None]
    held = Job.objects.get(pk=jobs[0].pk)
    end_job(system(), held, lease=held.lease, state=Job.State.FAILED, cause=Job.Cause.PREPARING)
    assert taken() == jobs[2].pk


def test_a_sweep_has_no_more_jobs_at_once_than_it_says(team):
    sweep = a_sweep(team, waiting(team, queue="other"), at_once=1)
    points = [waiting(team, sweep=sweep) for _ in range(2)]
    alone = waiting(team)
    assert [taken() for _ in range(3)] == [points[0].pk, alone.pk, None]


def test_a_lease_is_kept_and_heard_of_until_somebody_stops_the_job_or_takes_it_over(team):
    job = waiting(team)
    mine = leasing.take(("default",))
    assert mine is not None
    held = start_job(system(), job, lease=mine.lease, worker=a_worker(), token=None)
    assert leasing.renew({mine.job: mine.lease}, {mine.job: "Fetching the code"}) == {mine.job}
    held.refresh_from_db()
    assert held.stage == "Fetching the code"
    assert leasing.news_of({mine.job: mine.lease}) == leasing.News(frozenset(), frozenset())
    stop_job(team.scientist, held)
    assert leasing.news_of({mine.job: mine.lease}).stopped == {mine.job}
    assert leasing.take_over(mine.job, Held(mine.lease, now())) is None, "renewed since somebody saw it"
    assert leasing.take_over(mine.job, leasing.held_now()[mine.job])
    assert leasing.news_of({mine.job: mine.lease}).lost == {mine.job}
    assert leasing.renew({mine.job: mine.lease}, {}) == set()


def test_bookkeeping_leaves_no_event(team):
    waiting(team)
    worker = a_worker()

    def quietly() -> None:
        mine = leasing.take(("default",))
        assert mine is not None
        leasing.renew({mine.job: mine.lease}, {mine.job: "at something"})
        worker.seen_at = now()
        worker.save()

    assert events_since(quietly) == []


def running(job: Job) -> Job:
    """Its command runs, and its worker renewed the lease."""
    held = held_by(job, a_worker())
    leasing.renew({held.pk: held.lease}, {})
    return held


def lose(job: Job) -> None:
    """Its worker is gone, and somebody sees it."""
    assert lost.settle({job.pk: leasing.held_now()[job.pk]}) == 1
    job.refresh_from_db()


def prepared(job: Job) -> Job:
    mine = leasing.take((job.queue,))
    assert mine is not None
    return start_job(system(), job, lease=mine.lease, worker=a_worker(), token=None)


def test_what_was_only_prepared_waits_again_in_its_old_place(team):
    job, later = waiting(team), waiting(team)
    lose(prepared(job))
    job.refresh_from_db()
    assert (job.state, job.worker, job.started_at, job.lease) == ("queued", None, None, None)
    assert taken() == job.pk
    assert taken() == later.pk


def test_what_brings_down_three_workers_is_not_given_to_a_fourth(team):
    job = waiting(team, retries=2)
    for _ in range(3):
        job = Job.objects.get(pk=job.pk)
        lose(prepared(job))
    job.refresh_from_db()
    assert (job.state, job.cause) == ("failed", "worker")
    assert "3 workers in a row" in job.why
    assert not Job.objects.filter(retry_of=job).exists()


def test_who_stopped_what_runs_and_why_is_told_where_it_ends(team):
    job = held_by(waiting(team), a_worker())
    stop_job(team.engineer, job, reason="wrong data")
    assert stopped_by(job) == f"{user_of(team.engineer).name} stopped it. wrong data"


def test_what_had_begun_fails_and_is_tried_again_in_a_new_run_once(team):
    job = running(waiting(team, retries=1, name="mine", tags={"kept": "yes"}))
    seen = leasing.held_now()
    assert lost.settle(seen) == 1
    assert lost.settle(seen) == 0, "whoever comes second finds it settled"
    job.refresh_from_db()
    job.run.refresh_from_db()
    assert (job.state, job.cause, job.run.status) == ("failed", "worker", RunStatus.FAILED)
    assert "tried again in a new run" in job.why
    again = Job.objects.get(retry_of=job)
    assert (again.state, again.retries_left, again.run.name) == ("queued", 0, "mine")
    assert again.run_id != job.run_id
    assert again.created_by == user_of(team.scientist)


def test_what_somebody_stopped_is_stopped_when_its_worker_is_lost(team):
    for job in (prepared(waiting(team, retries=1)), running(waiting(team, retries=1))):
        stop_job(team.scientist, job)
        lose(job)
        assert (job.state, job.cause) == ("stopped", "stop")
        assert not Job.objects.filter(retry_of=job).exists()


def test_who_may_launch_no_more_has_nothing_tried_again(team):
    job = running(waiting(team, retries=1))
    membership = Membership.objects.get(project=team.project, user=user_of(team.scientist))
    remove_member(team.manager, membership)
    lose(job)
    assert (job.state, job.cause) == ("failed", "worker")
    assert "It is not tried again" in job.why
    assert not Job.objects.filter(retry_of=job).exists()


def test_a_job_ends_though_somebody_deleted_its_run(team):
    job = running(waiting(team, retries=1))
    delete_run(team.scientist, job.run)
    lose(job)
    assert job.state == "failed"


def test_only_a_worker_speaks_of_its_job_and_only_with_its_lease(team):
    job, worker = waiting(team), a_worker()
    mine = leasing.take(("default",))
    assert mine is not None
    says = [
        lambda who, lease: start_job(who, job, lease=lease, worker=worker, token=None),
        lambda who, lease: put_back_job(who, job, lease=lease, reason="back"),
        lambda who, lease: begin_job(who, job, lease=lease),
        lambda who, lease: end_job(who, job, lease=lease, state=Job.State.FAILED, cause=Job.Cause.EXIT),
    ]
    for say in says:
        with pytest.raises(Refused):
            say(team.scientist, mine.lease)
        with pytest.raises(NotOurs):
            say(system(), uuid4())
        with pytest.raises(MledError):
            say(a_team().scientist, mine.lease)
    begun = held_by(waiting(team), worker)
    with pytest.raises(Conflict, match="cannot go back"):
        put_back_job(system(), begun, lease=begun.lease, reason="back")


def test_a_worker_joins_by_itself_and_once(db):
    told: dict[str, Any] = {"queues": ["default"], "slots": 2, "executor": "plain", "about": {}, "version": "1"}
    team = a_team()
    for person in (team.engineer, team.administrator):
        with pytest.raises(Refused):
            join_worker(person, name="mine", **told)
    worker = join_worker(system(), name="mine", **told)
    assert (worker.name, worker.slots, worker.is_draining) == ("mine", 2, False)
    with pytest.raises(Conflict):
        join_worker(system(), name="mine", **told)


def test_workers_that_look_at_the_same_moment_take_each_job_once(committed_db):
    team = a_team()
    with acting(system(), "runner.rules_of_a_test", project_id=team.project.pk):
        RunnerRules(project=team.project, jobs_at_once=10).save()
    jobs = {waiting(team).pk for _ in range(12)}
    got: list[UUID] = []
    together = threading.Barrier(4)

    def work() -> None:
        together.wait()
        misses = 0
        while misses < 3:
            found = leasing.take(("default",))
            misses = 0 if found else misses + 1
            got.extend([found.job] if found else [])
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(60)
    assert len(got) == len(set(got)) == 10, "each once, and not more than the project may have at once"
    assert set(got) <= jobs


def test_a_job_that_was_asked_to_stop_does_not_wait_again_where_its_worker_leaves(team):
    job = waiting(team)
    job.lease = uuid4()
    job.save()
    prepared = start_job(system(), job, lease=job.lease, worker=a_worker(), token=None)
    stop_job(team.scientist, prepared)
    over = put_back_job(system(), prepared, lease=prepared.lease, reason="back")
    assert (over.state, over.cause, over.run.status) == (Job.State.STOPPED, Job.Cause.STOP, RunStatus.KILLED)
    assert (over.lease, over.ended_at is None) == (None, False)
