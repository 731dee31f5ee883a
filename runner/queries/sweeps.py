"""Sweeps and how far they are: their runs, the values these took, and the best of them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from accounts.access import can_see, not_found
from accounts.models import Project
from experiments.models import MetricSeries, Run
from experiments.queries.experiments import metric_directions
from kernel.actor import Actor
from kernel.clock import now
from runner.models import Job, Sweep


@dataclass(frozen=True, slots=True)
class Goal:
    """By which metric the best is told. higher_is_better: None where nobody said."""

    metric: str
    higher_is_better: bool | None

    @property
    def column(self) -> str:
        """Of the summary of a series."""
        return {True: "max_value", False: "min_value", None: "last_value"}[self.higher_is_better]


@dataclass(frozen=True, slots=True)
class Child:
    """A run of a sweep: its job, the values it took, and what came of it by the goal's metric."""

    job: Job
    point: Mapping[str, Any]
    value: float | None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far it is. counts: by state of a job; begun: of `total`; seconds: that its jobs took so far together."""

    counts: Mapping[str, int]
    begun: int
    total: int
    seconds: float

    @property
    def over(self) -> int:
        return sum(self.counts.get(state, 0) for state in (Job.State.FINISHED, Job.State.FAILED, Job.State.STOPPED))

    @property
    def percent(self) -> int:
        """0 to 100."""
        return min(100, 100 * self.over // self.total) if self.total else 0


def get_sweep(viewer: Actor, sweep_id: UUID) -> Sweep:
    """One sweep. Raises NotFound, the same for absent and invisible."""
    found: Sweep | None = _with_their_places(viewer).filter(pk=sweep_id).first()
    if found is None:
        raise not_found(Sweep)
    return found


def sweep_of(viewer: Actor, run: Run) -> Sweep | None:
    """The sweep that has this run as its parent."""
    found: Sweep | None = _with_their_places(viewer).filter(parent=run).first()
    return found


def sweeps_of(viewer: Actor, project: Project) -> QuerySet[Sweep]:
    """The sweeps of a project, the newest first."""
    return _with_their_places(viewer).filter(project=project).order_by("-created_at", "-id")


def children_of(viewer: Actor, sweep: Sweep, goal: Goal | None = None) -> list[Child]:
    """Its runs in the order in which they began, those left out that were tried again: two statements."""
    rows = Job.objects.visible_to(viewer).filter(sweep=sweep, retried_as=None)
    jobs = list(rows.select_related("run__project", "recipe", "stop_asked_by").order_by("created_at", "pk"))
    values = _values_of(viewer, [job.run_id for job in jobs], goal) if goal is not None else {}
    return [Child(job, point_of(viewer, sweep, job), values.get(job.run_id)) for job in jobs]


def point_of(viewer: Actor, sweep: Sweep, job: Job) -> dict[str, Any]:
    """The values that a run of the sweep took."""
    if not can_see(viewer, sweep):
        raise not_found(Sweep)
    taken = {**job.recipe.params, **({} if job.recipe.seed is None else {"seed": job.recipe.seed})}
    return {name: taken.get(name) for name in sorted(sweep.space)}


def goal_of(viewer: Actor, sweep: Sweep) -> Goal | None:
    """The metric that was named; without one, the first whose direction the project says and that a run has."""
    directions = metric_directions(viewer, sweep.project)
    if sweep.metric:
        said = sweep.higher_is_better
        return Goal(sweep.metric, directions.get(sweep.metric) if said is None else said)
    rows = MetricSeries.objects.visible_to(viewer).filter(run__job__sweep=sweep, context="", key__in=sorted(directions))
    key = rows.order_by("key").values_list("key", flat=True).first()
    return Goal(key, directions[key]) if key is not None else None


def best_of(viewer: Actor, sweep: Sweep) -> Child | None:
    """The best of those that finished; None where none has the metric, or nobody said which way is better."""
    goal = goal_of(viewer, sweep)
    return None if goal is None else _best(children_of(viewer, sweep, goal), goal)


def progress_of(viewer: Actor, sweep: Sweep) -> Progress:
    """How many of its runs are where, in one statement."""
    rows = Job.objects.visible_to(viewer).filter(sweep=sweep)
    jobs = list(rows.values_list("state", "retry_of_id", "retried_as", "started_at", "ended_at"))
    moment = now()
    return Progress(
        counts=Counter(state for state, _, again, _, _ in jobs if again is None),
        begun=sum(first is None for _, first, _, _, _ in jobs),
        total=sweep.jobs_max,
        seconds=sum(((ended or moment) - began).total_seconds() for _, _, _, began, ended in jobs if began),
    )


def _best(children: Sequence[Child], goal: Goal) -> Child | None:
    if goal.higher_is_better is None:
        return None
    measured = [one for one in children if one.value is not None and one.job.state == Job.State.FINISHED]
    sign = -1 if goal.higher_is_better else 1
    return min(measured, key=lambda one: sign * (one.value or 0.0), default=None)


def _values_of(viewer: Actor, runs: Sequence[int], goal: Goal) -> dict[int, float]:
    rows = MetricSeries.objects.visible_to(viewer).filter(run__in=runs, key=goal.metric, context="")
    return {run: value for run, value in rows.values_list("run_id", goal.column) if value is not None}


def _with_their_places(viewer: Actor) -> QuerySet[Sweep]:
    rows = Sweep.objects.visible_to(viewer)
    return rows.select_related("project", "parent__experiment", "parent__project", "recipe", "created_by")
