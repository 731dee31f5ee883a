"""A database with many runs to look at: `python -m bench.stocked 10000` fills the one that the environment names.

People, projects, datasets and long curves come through actions. The runs are put in by few statements, as fast as the
database takes them, so they have no history; everything that pages read of a run is there.
"""

import math
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from random import Random
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mled_site.settings")
django.setup()

from django.db import connection  # noqa: E402
from django.db.models import Model, QuerySet  # noqa: E402

from accounts.actions.members import add_member  # noqa: E402
from accounts.actions.projects import create_project  # noqa: E402
from accounts.actions.users import create_user  # noqa: E402
from accounts.models import Project, ProjectCounter, User  # noqa: E402
from accounts.roles import Role  # noqa: E402
from audit.ledger.acting import acting  # noqa: E402
from experiments.actions.batches import log_batch  # noqa: E402
from experiments.actions.experiments import create_experiment, set_metric_direction  # noqa: E402
from experiments.actions.inputs import DatasetInput, log_inputs  # noqa: E402
from experiments.actions.runs import create_run  # noqa: E402
from experiments.metrics.batch import Batch, MetricPoint  # noqa: E402
from experiments.models import Experiment, MetricSeries, Param, Run, RunInput, RunTag  # noqa: E402
from experiments.values import RunStatus  # noqa: E402
from kernel.actor import Actor, ActorKind, Door, operator, system  # noqa: E402

EMAIL, PASSWORD = "bench@example.org", "a long enough passphrase 7"
PROJECT, SECOND = "bench", "second"
WIDE_KEYS = [f"layer/{number:03}/norm" for number in range(200)]
WIDE_RUNS = 500
CURVE_RUNS, CURVE_POINTS = 20, 100_000
DAY_MS = 86_400_000
PIECE = 5_000  # runs written in one transaction
METRICS = ("val/auroc", "val/loss", "val/f1", "train/loss", "train/auroc", "test/auroc", "seconds", "memory")


def fill(count: int) -> None:
    """So many runs in the project, a tenth of them in a second project as well; what is there already is kept."""
    user = User.objects.filter(email=EMAIL).first()
    if user is None:
        user = create_user(operator(), email=EMAIL, name="Bench", password=PASSWORD)
    ada = Actor(ActorKind.USER, Door.WEB, user_id=user.pk, user_name=user.name)
    projects = [Project.objects.filter(slug=slug).first() or _project(user, slug) for slug in (PROJECT, SECOND)]
    for project, wanted in zip(projects, (count, count // 10), strict=True):
        if not Experiment.objects.filter(project=project, name="curves").exists():
            _furnish(ada, project)
        _top_up(project, user, wanted)
    if not MetricSeries.objects.filter(key="curve").exists():
        _curves(ada, Experiment.objects.get(project__slug=PROJECT, name="curves"))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")  # as autovacuum and `manage.py up` do by themselves in time


def _project(user: User, slug: str) -> Project:
    project = create_project(operator(), slug=slug)
    add_member(operator(), project, user=user, role=Role.DATA_SCIENTIST)
    return project


def _furnish(ada: Actor, project: Project) -> None:
    """Experiments, directions, and a run that three datasets went into."""
    for name in ("sweep", "wide", "curves"):
        create_experiment(ada, project, name=name)
    for key in METRICS[:6]:
        set_metric_direction(ada, project, key=key, higher_is_better="loss" not in key)
    first = create_run(ada, Experiment.objects.get(project=project, name="curves"), name="first")
    log_inputs(ada, first, inputs=[DatasetInput(f"icu-{n}", f"d{n}", "local", f"/data/{n}") for n in range(3)])


def _top_up(project: Project, user: User, wanted: int) -> None:
    """Runs until there are so many, each tenth the parent of the nine that follow."""
    sweep, wide = (Experiment.objects.get(project=project, name=name) for name in ("sweep", "wide"))
    versions = list(RunInput.objects.filter(run__project=project).values_list("dataset_version_id", flat=True))
    there = Run.objects.filter(project=project, experiment__in=(sweep, wide)).count()
    counter = ProjectCounter.objects.get(project=project)
    begun = time.monotonic()
    for start in range(there, wanted, PIECE):
        numbers = range(start, min(start + PIECE, wanted))
        with acting(system(), "bench.fill"):
            runs = [
                _run(project, user, wide if n < WIDE_RUNS else sweep, n, counter.last_run + 1 + n - start)
                for n in numbers
            ]
            _insert(runs[::10])
            _adopt(runs)
            _insert(run for at, run in enumerate(runs) if at % 10)
            places = list(zip(numbers, runs, strict=True))
            _insert(row for n, run in places for row in _params(run, n))
            _insert(row for n, run in places for row in _tags(run, n))
            _insert(row for n, run in places for row in _metrics(run, n))
            _insert(RunInput(run=run, dataset_version_id=versions[n % len(versions)], context="train")
                    for n, run in places)  # fmt: skip
            counter.last_run += len(runs)
            counter.save()
        print(f"    {numbers.stop:,} runs in {project.slug} ({time.monotonic() - begun:.0f} s)", file=sys.stderr)


def _insert(rows: Iterable[Any]) -> list[Any]:
    found: list[Any] = []
    every = iter(rows)
    while piece := list(islice(every, 2_000)):
        found += QuerySet.bulk_create(_objects(piece[0]), piece)
    return found


def _objects(row: Model) -> "QuerySet[Any]":
    return type(row)._default_manager.all()


def _run(project: Project, user: User, experiment: Experiment, n: int, number: int) -> Run:
    rng = Random(n)
    started = 1_700_000_000_000 + n * 61_000
    return Run(
        project=project,
        experiment=experiment,
        number=number,
        name=f"{('gru-d', 'tcn', 'lightgbm', 'transformer-m')[n % 4]}-{n:06}",
        status=RunStatus.FAILED if n % 25 == 24 else RunStatus.FINISHED,
        started_ms=started,
        ended_ms=started + rng.randrange(60_000, 90 * 60_000),
        created_by=user,
        claimed_user=f"user{n % 12}",
        source_name="train.py",
        git_commit=f"{rng.getrandbits(160):040x}",
    )


def _adopt(runs: list[Run]) -> None:
    """The first of ten becomes the parent of the others."""
    for at in range(0, len(runs), 10):
        for child in runs[at + 1 : at + 10]:
            child.parent = runs[at]


def _params(run: Run, n: int) -> Iterator[Param]:
    rng = Random(n + 1)
    values = {
        "lr": f"{10 ** rng.uniform(-5, -1):.6g}",
        "batch_size": str(2 ** (4 + n % 5)),
        "arch": ("gru-d", "tcn", "lightgbm", "transformer-m")[n % 4],
        "seed": str(n % 10),
        "dropout": f"{rng.random() / 2:.4f}",
        "layers": str(1 + n % 8),
        "optimizer": ("adam", "sgd", "lion")[n % 3],
        "window": ("6h", "12h", "24h", "48h")[n % 4],
    }
    for key, value in values.items():
        number = float(value) if value.replace(".", "").replace("e-", "").isdigit() else None
        yield Param(run=run, experiment_id=run.experiment_id, key=key, value=value, number=number)


def _tags(run: Run, n: int) -> Iterator[RunTag]:
    values = {"team": f"team-{n % 6}", "mlflow.user": run.claimed_user, "ticket": f"ICU-{n}"}
    for key, value in values.items():
        yield RunTag(run=run, experiment_id=run.experiment_id, key=key, value=value)


def _metrics(run: Run, n: int) -> Iterator[MetricSeries]:
    rng = Random(n + 2)
    for key in (*METRICS, *(WIDE_KEYS if n < WIDE_RUNS else ())):
        value = rng.random()
        yield MetricSeries(
            run=run, experiment_id=run.experiment_id, key=key,
            last_value=value, last_step=99, last_ms=run.started_ms, first_value=1.0, first_step=0,
            first_ms=run.started_ms, min_value=value * 0.9, min_step=90, max_value=1.0, max_step=0,
        )  # fmt: skip


def _curves(ada: Actor, experiment: Experiment) -> None:
    """Long curves, logged in batches of a thousand as a client does."""
    for n in range(CURVE_RUNS):
        run, rng = create_run(ada, experiment, name=f"curve-{n:02}"), Random(n)
        for first in range(0, CURVE_POINTS, 1_000):
            steps = range(first, first + 1_000)
            value: Callable[[int], float] = lambda step: math.exp(-step / 3e4) + rng.gauss(0, 0.02)  # noqa: B023, E731
            points = [MetricPoint("curve", value(step), 1_700_000_000_000 + 100 * step, step) for step in steps]
            log_batch(ada, run, batch=Batch(metrics=points))


if __name__ == "__main__":
    fill(int(sys.argv[1]))
