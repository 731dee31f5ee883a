"""What the manager of the demonstration wants, and what she decided."""

from collections.abc import Sequence
from datetime import timedelta

from accounts.models import Project
from experiments.actions.decisions import record_decision
from experiments.actions.goals import set_goal
from experiments.models import Run
from kernel.actor import Actor
from kernel.clock import now


def pump_goal(priya: Actor, project: Project) -> None:
    """A target somewhat above what the first models reach."""
    by = (now() + timedelta(days=60)).date()
    set_goal(priya, project, metric="val/auroc", higher_is_better=True, target=0.98, by_date=by)


def pump_decisions(priya: Actor, project: Project, runs: Sequence[Run]) -> None:
    """Three, the second instead of the first."""
    linear, swept, best = runs
    first = record_decision(
        priya,
        project,
        title="A linear model is the candidate",
        why="It is explained in a minute, and three seeds agree.",
        runs=[linear],
    )
    record_decision(
        priya,
        project,
        title="The candidate has a hidden layer",
        why="The sweep gains more than the seeds differ:\n\n- **earlier** alarms,\n- fewer false ones in a shift.",
        runs=[swept, best],
        replaces=first,
    )
    record_decision(
        priya,
        project,
        title="Train on pump-vibration v2 only",
        why="In v1 two sensors were swapped. What was trained on it is kept, and not compared.",
    )
