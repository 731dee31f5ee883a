"""A project's goal, and how far its runs have come."""

import datetime as dt
import math
from dataclasses import dataclass
from enum import StrEnum

from accounts.models import Project
from experiments.models import MetricSeries, Run
from experiments.queries.experiments import metric_directions
from experiments.values import Lifecycle, RunStatus
from kernel.actor import Actor
from kernel.clock import now

NEWEST = 10_000  # finished runs that are looked at: a page reads a part and says so
IMPROVEMENTS_MAX = 100
DAY_MS = 24 * 3600 * 1000
TREND_DAYS = 14


class GoalState(StrEnum):
    """Where a project stands: late is one whose day has passed."""

    REACHED = "reached"
    ON_THE_WAY = "on_the_way"
    LATE = "late"


@dataclass(frozen=True, slots=True)
class Goal:
    """higher_is_better: None where the viewer sees no direction."""

    metric: str
    higher_is_better: bool | None
    target: float | None
    by_date: dt.date | None

    def is_met_by(self, value: float) -> bool:
        """Whether a value is the target, or better."""
        if self.target is None or self.higher_is_better is None:
            return False
        return value >= self.target if self.higher_is_better else value <= self.target


@dataclass(frozen=True, slots=True)
class Measured:
    """The best that one run measured, and when the run ended."""

    run: int
    at_ms: int
    value: float


@dataclass(frozen=True, slots=True)
class Improvement:
    """A run that was better than all before it."""

    run: Run
    at_ms: int
    value: float


@dataclass(frozen=True, slots=True)
class Progress:
    """measured: every run that counts, by its end. improvements: the last of those that were better than all before.

    reached: the first that met the target. is_whole: older runs were looked at, too. gain: how much better the best
    became within TREND_DAYS, None where nothing was measured before those.
    """

    state: GoalState
    measured: list[Measured]
    improvements: list[Improvement]
    reached: Measured | None
    gain: float | None
    is_whole: bool

    @property
    def best(self) -> Improvement | None:
        return self.improvements[-1] if self.improvements else None


def goal_of(viewer: Actor, project: Project) -> Goal | None:
    """What the project is after; None where nobody has said so."""
    if not project.goal_metric:
        return None
    ways = metric_directions(viewer, project)
    return Goal(project.goal_metric, ways.get(project.goal_metric), project.goal_target, project.goal_date)


def progress_of(viewer: Actor, project: Project, goal: Goal) -> Progress:
    """How far the finished runs that the viewer sees have come, by the best value of each.

    Of the newest runs only, walked along the index of the project: each has its series at one look.
    """
    finished = Run.objects.visible_to(viewer).filter(
        project=project, lifecycle=Lifecycle.ACTIVE, status=RunStatus.FINISHED, ended_ms__isnull=False
    )
    newest = list(finished.order_by("-id").values_list("pk", "ended_ms")[: NEWEST + 1])
    ended = dict(newest[:NEWEST])
    best = {} if goal.higher_is_better is None else _best_values(viewer, goal, list(ended))
    measured = [Measured(run, ended[run], value) for run, value in best.items()]
    measured.sort(key=lambda one: (one.at_ms, one.run))
    steps = _better_than_before(goal, measured)
    reached = next((one for one in steps if goal.is_met_by(one.value)), None)
    return Progress(
        state=_state(goal, reached),
        measured=measured,
        improvements=_with_runs(viewer, steps[-IMPROVEMENTS_MAX:]),
        reached=reached,
        gain=_gain(steps),
        is_whole=len(newest) <= NEWEST,
    )


def _best_values(viewer: Actor, goal: Goal, runs: list[int]) -> dict[int, float]:
    column = "max_value" if goal.higher_is_better else "min_value"
    series = MetricSeries.objects.visible_to(viewer).filter(run__in=runs, key=goal.metric, context="")
    rows = series.values_list("run_id", column)
    return {run: value for run, value in rows if value is not None and math.isfinite(value)}


def _better_than_before(goal: Goal, measured: list[Measured]) -> list[Measured]:
    steps: list[Measured] = []
    sign = 1 if goal.higher_is_better else -1
    for one in measured:
        if not steps or sign * one.value > sign * steps[-1].value:
            steps.append(one)
    return steps


def _state(goal: Goal, reached: Measured | None) -> GoalState:
    if reached is not None:
        return GoalState.REACHED
    return GoalState.LATE if goal.by_date is not None and goal.by_date < now().date() else GoalState.ON_THE_WAY


def _gain(steps: list[Measured]) -> float | None:
    since = int(now().timestamp() * 1000) - TREND_DAYS * DAY_MS
    before = [one for one in steps if one.at_ms < since]
    return abs(steps[-1].value - before[-1].value) if before else None


def _with_runs(viewer: Actor, steps: list[Measured]) -> list[Improvement]:
    found = Run.objects.visible_to(viewer).filter(pk__in=[one.run for one in steps]).select_related("project")
    runs = {run.pk: run for run in found}
    return [Improvement(runs[one.run], one.at_ms, one.value) for one in steps if one.run in runs]
