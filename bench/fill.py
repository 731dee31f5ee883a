"""A database with many runs, the same each time: to look at, and to measure what size costs.

python bench/fill.py --runs 200000 --data /tmp/many              SQLite in a data directory (made where it is missing)
python bench/fill.py --runs 1000000 --postgres postgres://...    PostgreSQL, an empty database
python bench/fill.py --runs 1000 --points 1000000 --data /tmp/m  with long curves as well

The project `bench` gets the runs; `second` has a tenth of them, and there are a few small ones, so that somebody may be
a member of one (alone@example.org) or of all (bench@example.org, which signs in with PASSWORD). People, projects and
experiments come through actions. Runs, values and points are put in by the database's bulk path, so they have no
history; everything that pages and searches read of a run is there. What is there already is kept and topped up.
"""

import argparse
import os
import sys
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

EMAIL, PASSWORD = "bench@example.org", "a long enough passphrase 7"
ALONE = "alone@example.org"
PROJECT, SECOND = "bench", "second"
SEED = 8
WIDE_RUNS = 500
CURVE_RUNS, CURVE_POINTS = 20, 100_000
SEGMENT_POINTS = 1_000  # as a client logs them
SMALL_PROJECTS, SMALL_RUNS = 30, 200
REBUILD_FROM = 50_000  # so many runs at once: indexes are made anew
METRIC_KEYS = ("val/auroc", "val/loss", "val/f1", "train/loss")


def fill(runs: int, *, points: int = CURVE_POINTS, seed: int = SEED) -> None:
    """So many runs in `bench` of the database that the environment names."""
    from django.db import connection

    from bench.bulk import in_bulk
    from experiments.models import MetricSegment, MetricSeries, Param, Run, RunInput, RunTag

    ada, projects = _people(runs)
    models = [Run, Param, RunTag, RunInput, MetricSeries, MetricSegment]
    counts = [(slug, count) for slug, count in projects if count]
    with in_bulk(models, rebuild=runs >= REBUILD_FROM and connection.vendor == "postgresql"):
        for at, (slug, count) in enumerate(counts):
            _top_up(ada, slug, count, [seed, at])
    _curves(ada, points, seed)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")  # as autovacuum and `manage.py up` do by themselves in time


def _people(runs: int) -> tuple[Any, list[tuple[str, int]]]:
    """Whose the runs are; the projects with how many runs each is to hold."""
    from accounts.actions.users import create_user
    from accounts.models import Project, User
    from kernel.actor import Actor, ActorKind, Door, operator

    made: dict[str, User] = {}
    for email, password in ((EMAIL, PASSWORD), (ALONE, PASSWORD), ("bo@example.org", None), ("cy@example.org", None)):
        found = User.objects.filter(email=email).first()
        made[email] = found or create_user(operator(), email=email, name=email.partition("@")[0], password=password)
    small = [(f"small-{n:02}", min(SMALL_RUNS, runs // 1_000)) for n in range(min(SMALL_PROJECTS, runs // 1_000))]
    projects = [(PROJECT, runs), (SECOND, runs // 10), *small]
    for slug, _ in projects:
        if not Project.objects.filter(slug=slug).exists():
            _furnish(slug, made[EMAIL], [made[ALONE]] if slug == "small-00" else [])
    ada = Actor(ActorKind.USER, Door.WEB, user_id=made[EMAIL].pk, user_name=made[EMAIL].name)
    return ada, projects


def _furnish(slug: str, owner: Any, others: list[Any]) -> None:
    """A project with members, experiments, directions, and a run that three datasets went into."""
    from accounts.actions.members import add_member
    from accounts.actions.projects import create_project
    from accounts.roles import Role
    from experiments.actions.experiments import create_experiment, set_metric_direction
    from experiments.actions.inputs import DatasetInput, log_inputs
    from experiments.actions.runs import create_run
    from kernel.actor import Actor, ActorKind, Door, operator

    project = create_project(operator(), slug=slug)
    for user in [owner, *others]:
        add_member(operator(), project, user=user, role=Role.DATA_SCIENTIST)
    actor = Actor(ActorKind.USER, Door.WEB, user_id=owner.pk, user_name=owner.name)
    names = ["sweep", "wide", "curves", *([f"study-{n:02}" for n in range(10)] if slug in (PROJECT, SECOND) else ())]
    made = {name: create_experiment(actor, project, name=name) for name in names}
    for key in METRIC_KEYS if slug in (PROJECT, SECOND) else ():
        set_metric_direction(actor, project, key=key, higher_is_better="loss" not in key)
    first = create_run(actor, made["curves"], name="first")
    log_inputs(actor, first, inputs=[DatasetInput(f"icu-{n}", f"d{n}", "local", f"/data/{n}") for n in range(3)])


def _top_up(ada: Any, slug: str, wanted: int, seed: list[int]) -> None:
    """Runs until the project holds so many, each tenth the parent of the nine that follow."""
    from django.db import transaction

    from accounts.models import ProjectCounter
    from bench.made_up import PIECE
    from experiments.models import Run

    place = _place(slug)
    there = Run.objects.filter(project=place.project, experiment__in=[*place.experiments, place.wide]).count()
    begun = time.monotonic()
    edges = [there, *range(there - there % PIECE + PIECE, wanted, PIECE), wanted]
    for start, stop in pairwise(edges):
        if start >= stop:
            continue
        with transaction.atomic():
            counter = ProjectCounter.objects.get(project=place.project)
            _put_in(place, range(start, stop), wanted, seed, counter.last_run + 1)
            ProjectCounter.objects.filter(pk=counter.pk).update(last_run=counter.last_run + stop - start)
        if wanted >= 10 * PIECE or stop == wanted:
            print(f"    {stop:,} runs in {slug} ({time.monotonic() - begun:.0f} s)", file=sys.stderr, flush=True)


def _place(slug: str) -> Any:
    from accounts.models import Project, User
    from bench.made_up import Place
    from experiments.models import Experiment, RunInput

    project = Project.objects.get(slug=slug)
    known = dict(Experiment.objects.filter(project=project).values_list("name", "pk"))
    studies = [known[name] for name in sorted(known) if name.startswith("study-")]
    versions = RunInput.objects.filter(run__project=project).order_by("dataset_version__dataset__name")
    users = User.objects.exclude(email=ALONE).filter(email__endswith="@example.org").order_by("email")
    return Place(
        project=project.pk.hex,
        experiments=[known["sweep"]] * 7 * max(len(studies) // 3, 1) + studies,
        wide=known["wide"],
        wide_runs=WIDE_RUNS if slug == PROJECT else 0,
        users=[pk.hex for pk in users.values_list("pk", flat=True)],
        versions=list(dict.fromkeys(pk.hex for pk in versions.values_list("dataset_version_id", flat=True)[:100])),
    )


def _put_in(place: Any, numbers: range, total: int, seed: list[int], first_number: int) -> None:
    """These runs with all that is in them, in the order of their tables."""
    from bench import made_up
    from bench.bulk import next_id, put
    from experiments.models import MetricSegment, MetricSeries, Param, Run, RunInput, RunTag

    made = made_up.Made(place, numbers, total, seed, next_id(Run), first_number, next_id(MetricSeries))
    put(Run, made_up.RUN, made.runs())
    put(Param, made_up.PARAM, made.params())
    put(RunTag, made_up.TAG, made.tags())
    put(RunInput, made_up.INPUT, made.inputs())
    put(MetricSeries, made_up.SERIES, made.metrics())
    put(MetricSegment, made_up.SEGMENT, made.segments())


def _curves(ada: Any, points: int, seed: int) -> None:
    """Runs with one long curve each, in segments as clients log them."""
    import numpy as np
    from django.db import transaction

    from accounts.models import Project
    from bench.bulk import put
    from bench.made_up import SEGMENT
    from experiments.actions.batches import log_batch
    from experiments.actions.runs import create_run
    from experiments.metrics.batch import Batch, MetricPoint
    from experiments.models import Experiment, MetricSegment, MetricSeries

    experiment = Experiment.objects.get(project=Project.objects.get(slug=PROJECT), name="curves")
    if not points or MetricSeries.objects.filter(experiment=experiment, key="curve").exists():
        return
    for n in range(CURVE_RUNS):
        rng = np.random.default_rng([seed, 1_000_000, n])
        values = np.exp(-np.arange(points) / (0.3 * points)) + rng.normal(0, 0.02, points)
        run, start = create_run(ada, experiment, name=f"curve-{n:02}"), 1_700_000_000_000
        log_batch(ada, run, batch=Batch(metrics=[MetricPoint("curve", float(values[0]), start, 0)]))
        series = MetricSeries.objects.get(run=run, key="curve")
        with transaction.atomic():
            put(MetricSegment, SEGMENT, _segments(series.pk, values, start))
        low, high = int(values.argmin()), int(values.argmax())
        MetricSeries.objects.filter(pk=series.pk).update(
            last_value=float(values[-1]), last_step=points - 1, last_ms=start + 100 * (points - 1),
            min_value=float(values[low]), min_step=low, max_value=float(values[high]), max_step=high,
        )  # fmt: skip


def _segments(series: int, values: Any, start: int) -> Iterator[tuple[Any, ...]]:
    """All points but the first, which is there."""
    import numpy as np

    from bench.bulk import packed

    for at in range(1, len(values), SEGMENT_POINTS):
        end = min(at + SEGMENT_POINTS, len(values))
        steps = np.arange(at, end, dtype="<i8")
        times = start + 100 * steps
        arrays = (packed(part.tobytes()) for part in (steps, times, values[at:end].astype("<f8")))
        yield series, end - at, at, end - 1, int(times[0]), int(times[-1]), *arrays


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=10_000, help="in the project bench")
    parser.add_argument("--points", type=int, default=0, help=f"in the curve of each of {CURVE_RUNS} further runs")
    parser.add_argument("--postgres", metavar="URL", help="the database; without it SQLite, or what DATABASE_URL says")
    parser.add_argument("--data", type=Path, help="the data directory; without it what MLED_DATA says")
    parser.add_argument("--seed", type=int, default=SEED)
    asked = parser.parse_args(arguments)
    if asked.postgres:
        os.environ["DATABASE_URL"] = asked.postgres
    if asked.data:
        asked.data.mkdir(parents=True, exist_ok=True)
        os.environ["MLED_DATA"] = str(asked.data.resolve())
    begin()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    fill(asked.runs, points=asked.points, seed=asked.seed)


def begin() -> None:
    """Django, for the database that the environment names."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mled_site.settings")
    django.setup()


if __name__ == "__main__":
    main(sys.argv[1:])
