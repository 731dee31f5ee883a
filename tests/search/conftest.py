"""A project with runs that differ in everything a search can ask, and a foreign one with the same kind of runs."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from uuid import UUID

import pytest

from accounts.actions.members import add_member
from accounts.actions.projects import create_project
from accounts.actions.users import create_user
from accounts.models import Project, ProjectCounter, User
from accounts.roles import Role
from artifacts.models import Dataset, DatasetVersion
from audit.ledger.acting import acting
from experiments.actions.experiments import create_experiment, set_metric_direction
from experiments.models import Experiment, MetricSeries, Param, Run, RunInput, RunTag
from experiments.search import rare
from kernel.actor import Actor, ActorKind, Door, operator, system
from tests.search import random_queries as pool
from tests.search.reference import PlainRun, number_of

HOUR = 3_600_000
NEW_YEAR = 1_767_225_600_000  # 2026-01-01


@pytest.fixture(autouse=True)
def nothing_is_remembered() -> None:
    """As in a process that has not searched yet: on SQLite the experiment of the next test has the same id."""
    rare.forget()


def signed_in(user: User) -> Actor:
    """That user, in a request of their own."""
    return Actor(ActorKind.USER, Door.REST, user_id=user.pk, user_name=user.name)


@dataclass
class Team:
    """A project, its only scientist, and an experiment with runs that are known in plain as well."""

    project: Project
    user: User
    experiment: Experiment
    runs: list[PlainRun]

    @property
    def viewer(self) -> Actor:
        return signed_in(self.user)


def make_team(slug: str, runs: Sequence[PlainRun]) -> Team:
    project = create_project(operator(), slug=slug)
    user = create_user(operator(), email=f"{slug}@example.org")
    add_member(operator(), project, role=Role.DATA_SCIENTIST, user=user)
    experiment = create_experiment(operator(), project, name="first")
    for key in pool.METRIC_KEYS:
        set_metric_direction(operator(), project, key=key, higher_is_better=key != "loss")
    store(experiment, runs)
    return Team(project, user, experiment, list(runs))


def store(experiment: Experiment, runs: Sequence[PlainRun]) -> None:
    """Put plain runs into the database, in few statements."""
    counter = ProjectCounter.objects.get(project=experiment.project)
    first = counter.last_run + 1
    counter.last_run += len(runs)
    counter.save()
    with acting(system(), "test.seed"):
        made = [_run_row(experiment, run, number) for number, run in enumerate(runs, first)]
        for row in made:
            row.save()
        pairs = list(zip(made, runs, strict=True))
        _store_texts(experiment, pairs)
        _store_inputs(experiment, pairs)
    MetricSeries.objects.bulk_create(
        _series(experiment, row, key, values) for row, run in pairs for key, values in run.metrics.items()
    )


def _run_row(experiment: Experiment, run: PlainRun, number: int) -> Run:
    return Run(
        uid=UUID(run.uid),
        project=experiment.project,
        experiment=experiment,
        number=number,
        name=run.name,
        status=run.status,
        claimed_user=run.user,
        started_ms=run.started_ms,
        ended_ms=run.ended_ms,
    )


def _store_texts(experiment: Experiment, pairs: Sequence[tuple[Run, PlainRun]]) -> None:
    Param.objects.bulk_create(
        Param(run=row, experiment=experiment, key=key, value=value, number=number_of(value))
        for row, run in pairs
        for key, value in run.params.items()
    )
    RunTag.objects.bulk_create(
        RunTag(run=row, experiment=experiment, key=key, value=value)
        for row, run in pairs
        for key, value in run.tags.items()
    )


def _store_inputs(experiment: Experiment, pairs: Sequence[tuple[Run, PlainRun]]) -> None:
    for row, run in pairs:
        for name, digest, context in run.datasets:
            version = _version(experiment.project, name, digest)
            given = RunInput(run=row, dataset_version=version, context=context)
            given.save(force_insert=True)


def _version(project: Project, name: str, digest: str) -> DatasetVersion:
    dataset = Dataset.objects.filter(project=project, name=name).first()
    if dataset is None:
        dataset = Dataset(project=project, name=name)
        dataset.save()
    version = DatasetVersion.objects.filter(dataset=dataset, digest=digest).first()
    if version is None:
        version = DatasetVersion(dataset=dataset, number=dataset.versions.count() + 1, digest=digest)
        version.save(force_insert=True)
    return version


def _series(experiment: Experiment, row: Run, key: str, values: list[float]) -> MetricSeries:
    def stored(value: float) -> float | None:
        return None if math.isnan(value) else value

    numbers = [value for value in values if not math.isnan(value)]
    return MetricSeries(
        run=row,
        experiment=experiment,
        key=key,
        last_value=stored(values[-1]),
        last_is_nan=math.isnan(values[-1]),
        last_step=len(values) - 1,
        last_ms=len(values),
        first_value=stored(values[0]),
        first_step=0,
        first_ms=1,
        min_value=min(numbers, default=None),
        max_value=max(numbers, default=None),
    )


def random_run(rng: Random, now_ms: int) -> PlainRun:
    """A run whose keys and values are those that random filters ask for."""
    times: list[int | None] = [None, 0, 1, NEW_YEAR, NEW_YEAR - 1, NEW_YEAR + 24 * HOUR, 2**63 - 1, -5]
    started = rng.choice([*times, now_ms - rng.randint(0, 400) * HOUR])
    ended = rng.choice([*times, None, None, None])
    values = [*pool.NUMBERS[:12], math.nan, math.nan]
    names = [*pool.TEXTS, "adam run 1", "A RUN", "x" * 499]
    pairs = {(rng.choice(("mnist", "cifar-10", "été")), rng.choice(("d1", "d2"))) for _ in range(rng.randint(0, 3))}
    return PlainRun(
        uid=f"{rng.getrandbits(128):032x}",
        name=rng.choice(names),
        status=rng.choice(("RUNNING", "FINISHED", "FAILED", "KILLED")),
        user=rng.choice(pool.TEXTS),
        started_ms=started,
        ended_ms=ended,
        metrics={
            key: [float(rng.choice(values)) for _ in range(rng.randint(1, 3))]
            for key in pool.METRIC_KEYS
            if rng.random() < 0.6
        },
        params={key: rng.choice(pool.TEXTS + pool.LONG) for key in pool.PARAM_KEYS if rng.random() < 0.6},
        tags={key: rng.choice(pool.TEXTS + pool.LONG) for key in pool.TAG_KEYS if rng.random() < 0.6},
        datasets=[(name, digest, rng.choice(("train", "Train", "eval", ""))) for name, digest in sorted(pairs)],
    )


@pytest.fixture
def zoo(db: None) -> Team:
    """The team of zoo.py's runs."""
    from tests.search.zoo import ANIMALS

    return make_team("zoo", ANIMALS)
