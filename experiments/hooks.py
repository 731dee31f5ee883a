"""What other rooms add to acts of this one."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from kernel.actor import Actor

if TYPE_CHECKING:
    from django.db.models import Q, QuerySet

    from accounts.models import Project
    from artifacts.models import ArtifactFile
    from experiments.compare.reproduction import Compared
    from experiments.compare.tolerance import Tolerance
    from experiments.metrics.batch import MetricPoint
    from experiments.models import Experiment, Run

# In the transaction of log_batch, with the points that name a logged model: the registry keeps them for the model.
model_metrics: list[Callable[[Actor, "Run", Sequence["MetricPoint"]], None]] = []

# In the transaction that deletes runs, which are held: an upper room raises where something of its own stands on them.
run_deletion: list[Callable[[Actor, "QuerySet[Run]"], None]] = []

# In the transaction that empties a run for good: what an upper room keeps of what was in it goes as well.
run_emptied: list[Callable[["Run"], None]] = []

# What the history of a run tells besides: the ids, by kind, of things of rooms above that stand on this run and have
# events of their own.
told_with_run: list[Callable[[Actor, "Run"], Mapping[str, Sequence[str]]]] = []

# Where a locked run refuses a write: what besides its lock keeps something of it, in words; '' for nothing.
run_stays_besides: list[Callable[["Run"], str]] = []

# In the transaction that moves a run to another experiment, before the run is held: what an upper room keeps of it goes
# along.
run_moves: list[Callable[["Run", "Experiment"], None]] = []

# After the commit that ended a run, with its uid: sealing is queued.
run_ended: list[Callable[[UUID], None]] = []

# How long nothing may be heard of a running run, in minutes, by project, where a project says so; 0: for ever.
silence_allowed: list[Callable[[], Mapping[UUID, int]]] = []

# Runs whose life a room above looks after: a condition on runs.
looked_after: list[Callable[[], "Q"]] = []

# After the commit that gave a sheet something to do in the background: a worker is woken.
sheet_waits: list[Callable[[], None]] = []

# By the name of a search column that holds several texts: what these runs (by primary key) have in it and the viewer
# may see, with how many have it. Completion of the query line offers them.
column_values: dict[str, Callable[[Actor, Sequence[int]], Counter[str]]] = {}

# Files that belong to a run and lie elsewhere: those of the models that it made. For many runs at once: by run (primary
# key), what to call each file, and the file; only such as end with one of the endings and as the viewer may download.
Labelled = list[tuple[str, "ArtifactFile"]]
model_files: list[Callable[[Actor, Sequence["Run"], Sequence[str]], Mapping[int, Labelled]]] = []


def model_files_of(viewer: Actor, runs: Sequence["Run"], endings: Sequence[str]) -> dict[int, Labelled]:
    """The files of the models that these runs made."""
    found: dict[int, Labelled] = {}
    for find in model_files:
        for run, files in find(viewer, runs, endings).items():
            found.setdefault(run, []).extend(files)
    return found


# How far off the metrics of a run done again may be in this project, by metric.
tolerances: list[Callable[["Project"], Mapping[str, "Tolerance"]]] = []


def tolerances_of(project: "Project") -> dict[str, "Tolerance"]:
    """What all rooms above say of it."""
    return {metric: far for say in tolerances for metric, far in say(project).items()}


# Of a run that a room above made itself: by seed a run (primary key) that differs from it only in that; None: not its.
siblings_by_seed: list[Callable[["Run"], Mapping[object, int] | None]] = []


@dataclass(frozen=True, slots=True)
class KeptCheck:
    """What came out when a run was done again, as it was kept once both had ended. verdict: '' where nothing was
    measured; changed: conditions that were not the same; since: what was changed of either run later; all in words.
    """

    verdict: str
    rows: Sequence["Compared"]
    changed: Sequence[str]
    with_changes: bool
    made_at: datetime
    since: Sequence[str]


# Of these runs (primary keys), which do others again: what was kept of that, as far as the viewer may see it.
kept_checks: list[Callable[[Actor, Sequence[int]], Mapping[int, KeptCheck]]] = []


def kept_checks_of(viewer: Actor, runs: Sequence[int]) -> dict[int, KeptCheck]:
    """What all rooms above kept of them."""
    return {run: check for find in kept_checks for run, check in find(viewer, runs).items()} if runs else {}


@dataclass(frozen=True, slots=True)
class BulkOffer:
    """What a room above does to many runs at once: an entry of the bar below selected runs, one act for each of them.

    do: an action, with the reason that was given; done: "sent to review", as in "17 runs sent to review"; permission:
    who is offered it; is_so: whether a run is that already; reason: what the entry asks to be told, "" for nothing.
    """

    label: str
    icon: str
    do: Callable[[Actor, "Run", str], Any]
    done: str
    permission: str
    is_so: Callable[["Run"], bool] = lambda run: False
    reason: str = ""


bulk_acts: dict[str, BulkOffer] = {}  # by the verb in the address
