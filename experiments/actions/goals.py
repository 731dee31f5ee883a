"""What a project is after: a metric, the value that it shall reach, and by when."""

import datetime as dt
import math

from accounts.decorators import action
from accounts.models import Project
from experiments.actions.experiments import set_metric_direction
from experiments.models import MetricDirection
from experiments.values import checked_key
from kernel.actor import Actor
from kernel.digests import sha256_hex
from kernel.errors import Conflict, Invalid

SET = "projects.set_goal"
ANY = "*"


def state_of(project: Project) -> str:
    """A short sign of a project's goal: another one when metric, target or date is another."""
    said = f"{project.goal_metric}\0{project.goal_target!r}\0{project.goal_date}"
    return sha256_hex(said.encode())[:32]


@action(SET, on="project")
def set_goal(
    actor: Actor,
    project: Project,
    *,
    metric: str,
    higher_is_better: bool,
    target: float,
    by_date: dt.date | None = None,
    expected: str = ANY,
    reason: str = "",
) -> Project:
    """Say what the project is after. The direction holds for the metric in all of the project.

    expected: state_of what the actor saw, or '*' for whatever stands there. Raises Conflict where somebody else changed
    it since and what stands there is not what is wanted, Invalid.
    """
    checked_key(metric, "metric")
    if not math.isfinite(target):
        raise Invalid(
            "A target is a finite number.", hint="Give the value that the metric shall reach.", field="target"
        )
    held = _held(project)
    seen = state_of(held)
    held.goal_metric, held.goal_target, held.goal_date = metric, target, by_date
    _keep(held, seen, expected)
    said = MetricDirection.objects.filter(project=held, key=metric).values_list("higher_is_better", flat=True).first()
    if said is not higher_is_better:
        set_metric_direction(actor, held, key=metric, higher_is_better=higher_is_better)
    return held


@action(SET, on="project")
def clear_goal(actor: Actor, project: Project, *, expected: str = ANY, reason: str = "") -> Project:
    """Let the project have no goal; what its metrics say of better stays. expected and Conflict: as in set_goal."""
    held = _held(project)
    seen = state_of(held)
    held.goal_metric, held.goal_target, held.goal_date = "", None, None
    _keep(held, seen, expected)
    return held


def _held(project: Project) -> Project:
    found: Project = Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    return found


def _keep(project: Project, seen: str, expected: str) -> None:
    if state_of(project) == seen:
        return
    if expected not in (ANY, seen):
        raise Conflict(
            "Somebody changed the goal meanwhile; nothing was saved.",
            hint="Look at what it is now, then save again if yours shall stand.",
            field="expected",
        )
    project.save()
