"""What the random walk does with what is executed: launching, carrying, losing, stopping, trying again; with sweeps,
templates, rules, secrets and workers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from django.test import override_settings

from accounts.actions.tokens import create_job_token, end_job_token
from experiments.actions.lost import take_for_dead
from experiments.actions.runs import create_run, set_tags
from experiments.models import Experiment, Run
from kernel.actor import operator, system
from kernel.clock import now
from runner.actions import (
    bundles,
    comparing,
    environments,
    jobs,
    joining,
    recreating,
    rules,
    secrets,
    sweeps,
    templates,
    workers,
)
from runner.models import Admission, Environment, Job, Sweep, Template, Worker
from runner.sweeping import Plan, read_space
from runner.working import leasing, lost
from tests.factories import default_experiment, unique, user_of, with_token
from tests.factories_runner import a_draft, held_by

OVER = {"state__in": ("failed", "stopped")}
OPEN = {"state__in": Job.OPEN}


REACHED = {
    "MLED_WORKER_DATABASE_URL": "postgres://worker:pass-of-the-walk@db.example.org/mled",
    "MLED_WORKER_REDIS_URL": "redis://redis.example.org/0",
    "MLED_WORKER_BLOBS": "/mnt/blobs",
}


def _taken(walk: Any) -> Job:
    """Any job that waits or is under way, with a lease of ours: who had it before has it no more."""
    job = walk.any(Job, **OPEN)
    job.lease, job.lease_until = uuid4(), now()
    job.save()
    return job


def _take_off(walk: Any) -> None:
    """take_off_worker, of one that was not heard of for an hour."""
    worker = _worker(walk)
    worker.seen_at = now() - dt.timedelta(hours=1)
    worker.save()
    workers.take_off_worker(walk.who(), None, worker=worker)


def _worker(walk: Any) -> Worker:
    return walk.any(Worker, name__startswith="walked")


def _launch(walk: Any) -> None:
    """launch, most of the time in an experiment that is there."""
    jobs.launch(
        walk.who(), walk.any(Experiment), draft=a_draft(params={"lr": 0.1, "a": walk.text()}), name=walk.text(),
        tags=walk.pairs(), retries=walk.chance.randrange(2),
    )  # fmt: skip


def _carry(walk: Any) -> None:
    """start_job, begin_job, end_job, put_back_job: as far as the worker gets."""
    job = _taken(walk)
    if job.state == Job.State.QUEUED:
        job = jobs.start_job(system(), job, lease=job.lease, worker=_worker(walk), token=None)
    if job.state == Job.State.PREPARING:
        if walk.chance.random() < 0.3:
            jobs.put_back_job(system(), job, lease=job.lease, reason=walk.text())
            return
        job = jobs.begin_job(system(), job, lease=job.lease)
    if walk.chance.random() < 0.7:
        state = walk.chance.choice((Job.State.FINISHED, Job.State.FAILED, Job.State.STOPPED))
        jobs.end_job(system(), job, lease=job.lease, state=state, cause=Job.Cause.EXIT, why=walk.text(), exit_code=1)


def _recreate(walk: Any) -> None:
    """recreate a run that has finished, and keep_check once that has finished too; note_bundle_of it."""
    job = jobs.launch(operator(), walk.any(Experiment), draft=a_draft())
    first = _finished(job, _worker(walk)).run
    bundles.note_bundle_of(walk.who(), first, files=1, data=0)
    again = recreating.recreate(walk.who(), first)
    comparing.keep_check(system(), _finished(again, _worker(walk)).run)


def _finished(job: Job, worker: Worker) -> Job:
    """Done by a worker, and well."""
    held = held_by(job, worker)
    held = jobs.end_job(system(), held, lease=held.lease, state=Job.State.FINISHED, cause=Job.Cause.EXIT, exit_code=0)
    held.run.refresh_from_db()
    return held


def _lose(walk: Any) -> None:
    """end_job, put_back_job and retry_job, by whoever finds what a dead worker left."""
    job = _taken(walk)
    lost.settle({job.pk: leasing.held_now()[job.pk]})


def _sweep(walk: Any) -> None:
    plan = Plan(space=read_space({"a": [1, 2, 3]}), at_once=walk.chance.randint(1, 2))
    sweeps.begin_sweep(walk.who(), walk.any(Experiment), draft=a_draft(), plan=plan, name=walk.text())


def _sweep_to_its_end(walk: Any) -> None:
    """carry_sweep, of one whose only run is over."""
    plan = Plan(space=read_space({"a": [1]}), at_once=1)
    place = default_experiment(walk.team.project)
    sweep = sweeps.begin_sweep(walk.team.scientist, place, draft=a_draft(), plan=plan, name=walk.text())
    _finished(Job.objects.get(sweep=sweep), _worker(walk))
    sweeps.carry_sweep(system(), sweep)


def _keep_template(walk: Any) -> None:
    draft = {"trainer": "tabular", "params": {}}
    templates.keep_template(
        walk.who(), walk.team.project, name=unique("template"), description=walk.text(), draft=draft
    )


def _join(walk: Any) -> None:
    """join_worker: a few, that stay."""
    joining.join_worker(
        system(), name=f"walked-{walk.chance.randrange(3)}", queues=["default"], slots=1, executor="plain", about={},
        version="1",
    )  # fmt: skip


def _admit(walk: Any) -> None:
    """admit_worker, withdraw_admission, use_admission, of an installation that others reach."""
    with override_settings(**REACHED):
        _admit_one(walk, workers.new_word())


def _admit_one(walk: Any, word: str) -> None:
    admission = workers.admit_worker(walk.who(), name=unique("elsewhere"), word=word)
    if walk.chance.random() < 0.5:
        workers.withdraw_admission(walk.who(), admission=admission)
    else:
        workers.use_admission(walk.chance.choice((system(), walk.person())), word=word, address="192.0.2.7")


def _fall_silent(walk: Any) -> None:
    """take_for_dead, of a run that a script began; it runs on where the script speaks again."""
    script = with_token(walk.team.scientist)
    run = create_run(script, default_experiment(walk.team.project))
    take_for_dead(system(), run, since=now() + dt.timedelta(seconds=1))
    if walk.chance.random() < 0.5:
        set_tags(script, Run.objects.get(pk=run.pk), tags={"walked": "on"})


def _hold_a_token(walk: Any) -> None:
    """give_job_token, take_job_token."""
    project, run = walk.team.project, walk.any(Run)
    given = {"run_uid": run.uid.hex, "name": "walked", "until": now() + dt.timedelta(hours=1)}
    token, _ = create_job_token(system(), owner=user_of(walk.team.engineer), project=project, **given)
    end_job_token(system(), token=token)


RUNNER: list[Callable[[Any], Any]] = [
    _fall_silent,
    _hold_a_token,
    _launch,
    _carry,
    _lose,
    _recreate,
    _sweep,
    _sweep_to_its_end,
    _keep_template,
    _join,
    _admit,
    lambda w: jobs.stop_job(w.who(), w.any(Job, **OPEN), reason=w.text()),
    lambda w: jobs.retry_job(w.who(), w.any(Job, **OVER)),
    lambda w: sweeps.carry_sweep(system(), w.any(Sweep)),
    lambda w: sweeps.stop_sweep(w.who(), w.any(Sweep, state=Sweep.State.RUNNING), reason=w.text()),
    lambda w: templates.change_template(w.who(), w.any(Template), description=w.text()),
    lambda w: templates.retire_template(w.who(), w.any(Template)),
    lambda w: environments.keep_environment(
        w.who(), w.team.project, kind=Environment.Kind.REQUIREMENTS, python="3.11", lock=w.text().encode()
    ),
    lambda w: rules.set_rules(w.who(), w.team.project, allows_network=w.chance.random() < 0.5),
    lambda w: secrets.keep_secret(w.who(), w.team.project, name=f"SECRET{w.chance.randrange(3)}", value=unique("s")),
    lambda w: secrets.remove_secret(w.who(), w.team.project, name=f"SECRET{w.chance.randrange(3)}"),
    lambda w: workers.drain_worker(w.who(), w.team.project, worker=_worker(w), draining=w.chance.random() < 0.5),
    _take_off,
    lambda w: workers.withdraw_admission(w.who(), admission=w.any(Admission)),
]
