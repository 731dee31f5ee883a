"""What pages say of a transfer: its state in a badge, its counts as a table."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kernel.actor import Actor
from transfer.actions.transfers import may_stop
from transfer.models import Transfer
from transfer.queries.transfers import Standing, standing_of

State = Transfer.State
LABELS = {
    "dataset_versions": "Dataset versions",
    "logged_models": "Logged models",
    "registered_models": "Registered models",
    "model_versions": "Model versions",
    "views": "Saved views",
    "directions": "Directions of metrics",
    "points": "Metric points",
    "model_points": "Points of models",
    "without_files": "Runs and models whose files stay behind",
}
_BADGES = {
    State.WAITING: ("", "clock", "Waiting"),
    State.RUNNING: ("run", "running", "Under way"),
    State.DONE: ("ok", "ok", "Finished"),
    State.CANCELLED: ("", "stop", "Stopped"),
    State.FAILED: ("fail", "bad", "Failed"),
}
ORDER = ("experiments", "runs", "points", "files", "comments", *LABELS)
COLUMNS = ("held", "new", "there", "refused")


@dataclass(frozen=True, slots=True)
class Badge:
    """A state as every list shows it."""

    kind: str
    icon: str
    label: str


@dataclass(frozen=True, slots=True)
class Row:
    """A transfer with what pages need beside it. holds: what it moved, in a few words."""

    transfer: Transfer
    badge: Badge
    what: str
    holds: str
    standing: Standing
    may_stop: bool


@dataclass(frozen=True, slots=True)
class Counted:
    """A line of the table of counts. cells: by column, where an import tells them apart; else there is a total."""

    label: str
    total: int | None
    cells: tuple[int, ...] = ()


def row_of(viewer: Actor, transfer: Transfer) -> Row:
    """A transfer as a line of a list, and as the head of its page."""
    return Row(
        transfer,
        Badge(*_BADGES[State(transfer.state)]),
        what_of(transfer),
        holds(transfer.counts),
        standing_of(viewer, transfer),
        transfer.is_open and may_stop(viewer, transfer),
    )


def what_of(transfer: Transfer) -> str:
    """What it is, in words: 'Export', 'Import of wards-812.zip', 'Check of wards-812.zip'."""
    if transfer.kind == Transfer.Kind.EXPORT:
        return "Export as an archive"
    word = "Check" if transfer.options.get("dry_run") else "Import"
    return f"{word} of {transfer.source}" if transfer.source else str(transfer.get_kind_display())


def holds(counts: Mapping[str, Any]) -> str:
    """'1,204 runs, 3,000,000 points'; of an import that tells them apart, '12 new runs'."""
    runs = counts.get("runs")
    if isinstance(runs, Mapping):
        new, there = int(runs.get("new", 0)), int(runs.get("there", 0))
        return f"{new:,} new run{'' if new == 1 else 's'}" + (f", {there:,} there already" if there else "")
    told = [(counts.get(name), name) for name in ("runs", "points", "files")]
    return ", ".join(
        f"{number:,} {name if number != 1 else name[:-1]}"
        for number, name in told
        if isinstance(number, int) and number
    )


def counted(counts: Mapping[str, Any]) -> list[Counted]:
    """The counts as lines; what is nought everywhere is left out."""
    lines = []
    for name in sorted(counts, key=lambda name: ORDER.index(name) if name in ORDER else len(ORDER)):
        count = counts[name]
        label = LABELS.get(name, name.replace("_", " ").capitalize())
        if isinstance(count, Mapping):
            cells = tuple(int(count.get(column, 0)) for column in COLUMNS)
            if any(cells):
                lines.append(Counted(label, None, cells))
        elif isinstance(count, int) and count:
            lines.append(Counted(label, count))
    return lines
