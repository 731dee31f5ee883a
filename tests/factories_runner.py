"""A row in every table of what is executed: recipes, jobs, sweeps, workers, rules and secrets."""

from __future__ import annotations

import io
from typing import Any
from uuid import uuid4

from accounts.models import Project
from artifacts.blobs import know
from artifacts.models import Blob, DatasetVersion
from artifacts.storage import blobs
from audit.ledger.acting import acting
from experiments.actions.runs import create_run
from experiments.models import Experiment
from kernel.actor import Actor, operator, system
from kernel.clock import now
from kernel.digests import sha256_hex
from runner.actions.jobs import begin_job, end_job, launch, start_job
from runner.models import (
    Admission,
    Environment,
    Job,
    JobOutput,
    Recipe,
    RecreationCheck,
    RunnerRules,
    Secret,
    Sweep,
    Template,
    Worker,
)
from runner.recipes import Draft, Input


def a_draft(version: DatasetVersion | None = None, **more: Any) -> Draft:
    """What shall be done, as plain values: a script of a repository, unless said otherwise."""
    given: dict[str, Any] = {
        "kind": Recipe.Kind.REPOSITORY,
        "repository": "https://git.example.org/team/code.git",
        "commit": "0123456789abcdef0123456789abcdef01234567",
        "words": ("python", "train.py", "--lr", "{lr}"),
        "params": {"lr": 0.1},
        "seed": 7,
        "inputs": () if version is None else (Input("train", version.pk, "train"),),
    }
    return Draft(**(given | more))


def a_job(actor: Actor, experiment: Experiment, *, draft: Draft | None = None, **more: Any) -> Job:
    """A job that waits, with its run; keywords as for `launch`."""
    return launch(actor, experiment, draft=draft or a_draft(), **more)


def a_worker(name: str = "", **more: Any) -> Worker:
    """A worker of one slot that is there."""
    given: dict[str, Any] = {"queues": ["default"], "executor": "sandbox", "about": {"system": "Linux"}}
    with acting(system(), "runner.join"):
        worker = Worker(name=name or f"worker-{uuid4().hex[:8]}", **(given | more))
        worker.save()
    return worker


def held_by(job: Job, worker: Worker) -> Job:
    """A job that waits, as it is once this worker has it and its command runs."""
    job.lease = uuid4()
    job.save()
    job = start_job(system(), job, lease=job.lease, worker=worker, token=None)
    return begin_job(system(), job, lease=job.lease)


def a_failed_job(actor: Actor, experiment: Experiment, *, why: str = "It failed.", **more: Any) -> Job:
    """A job whose command ended badly; keywords as for `launch`."""
    job = held_by(a_job(actor, experiment, **more), a_worker())
    return end_job(
        system(), job, lease=job.lease, state=Job.State.FAILED, cause=Job.Cause.EXIT, why=why, exit_code=1
    )  # fmt: skip


def an_environment(project: Project, text: str = "scikit-learn==1.7.2\n") -> Environment:
    """Packages by a requirements file."""
    stored = blobs().receive(io.BytesIO(text.encode()), limit=1_000_000)
    with acting(operator(), "runner.keep_environment", project_id=project.pk) as act:
        know(stored)
        environment = Environment(
            project=project,
            digest=sha256_hex(text.encode()),
            kind=Environment.Kind.REQUIREMENTS,
            python="3.11",
            lock=Blob.objects.get(pk=stored.digest),
        )
        environment.save()
        act.speaks_of(environment.ledger_subject)
    return environment


def a_job_of_everything(actor: Actor, project: Project, version: DatasetVersion, word: str) -> Job:
    """A failed job of a sweep with all that belongs to it; `word` stands in each text that a person gives.

    Its runs stand in the project's Default experiment. Workers belong to the whole site and say nothing of a project.
    """
    experiment = Experiment.objects.get(project=project, is_default=True)
    draft = a_draft(
        version,
        repository=f"https://git.example.org/{word}.git",
        words=("python", f"{word}.py"),
        params={f"{word}-param": word},
        environment=an_environment(project, f"# {word}\n").pk,
        secrets=(word.upper(),),
    )
    parent = create_run(actor, experiment, name=f"{word} sweep")
    first = a_failed_job(actor, experiment, draft=draft, why=word, name=f"{word} job")
    with acting(actor, "runner.leave_everything", project_id=project.pk) as act:
        act.speaks_of(first.ledger_subject)
        sweep = Sweep(
            project=project, parent=parent, recipe=first.recipe, method=Sweep.Method.GRID, jobs_max=2,
            space={f"{word}-param": [word]}, state=Sweep.State.STOPPED, ended_because=word,
        )  # fmt: skip
        sweep.save()
        Template(
            project=project, name=word, description=word, draft={"words": [word]},
            schema=[{"name": f"{word}-param", "type": "text", "default": word, "words": word}],
        ).save()  # fmt: skip
        RunnerRules(project=project).save()
        Secret(project=project, name=word.upper(), sealed=word).save()
        digest = sha256_hex(uuid4().bytes)
        Admission(name=f"worker-{uuid4().hex[:8]}", digest=digest, expires_at=now(), used_at=now()).save()
    job = a_failed_job(actor, experiment, draft=draft, why=word, sweep=sweep, name=f"{word} job")
    with acting(system(), "runner.keep_check", project_id=project.pk) as act:
        rows = [{"key": f"{word}-loss", "context": "", "then": 1.0, "now": 2.0, "verdict": "different"}]
        check = RecreationCheck(again=job.run, first=first.run, verdict="different", rows=rows, changed=[word])
        check.save()
        act.speaks_of(check.ledger_subject)
    JobOutput.objects.create(job=job, start=0, content=f"{word}\n".encode())
    return job
