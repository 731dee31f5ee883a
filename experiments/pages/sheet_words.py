"""How sheets and their rows are called on pages."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from experiments.models import SheetImport, SheetRow

State, RowState = SheetImport.State, SheetRow.State


@dataclass(frozen=True, slots=True)
class Badge:
    """Its colour, its icon and its words."""

    kind: str
    icon: str
    label: str


_BADGES: Final[Mapping[str, Badge]] = {
    State.READING: Badge("run", "clock", "Being read"),
    State.UNREAD: Badge("fail", "bad", "Cannot be read"),
    State.READY: Badge("warn", "edit", "Waits for its columns"),
    State.CHECKING: Badge("run", "clock", "Being checked"),
    State.CHECKED: Badge("warn", "eye", "Checked"),
    State.IMPORTING: Badge("run", "clock", "Being imported"),
    State.STOPPED: Badge("warn", "stop", "Stopped"),
    State.DONE: Badge("ok", "ok", "Imported"),
    State.UNDOING: Badge("run", "clock", "Being undone"),
    State.UNDONE: Badge("", "undo", "Undone"),
}
_ROWS: Final[Mapping[str, Badge]] = {
    RowState.WAITING: Badge("", "clock", "Not checked"),
    RowState.RIGHT: Badge("ok", "ok", "Right"),
    RowState.WRONG: Badge("fail", "bad", "With errors"),
    RowState.MADE: Badge("ok", "ok", "Imported"),
    RowState.UNDONE: Badge("", "undo", "Taken back"),
    RowState.KEPT: Badge("warn", "warn", "Not taken back"),
}
NO_WORKER: Final = "No worker is running. It goes on by itself when one does."
DOING: Final[Mapping[str, str]] = {
    State.READING: "The file is read in a process of its own.",
    State.CHECKING: "Every row is looked at. Nothing is written.",
    State.IMPORTING: "Each row is recorded as one run. You may leave this page: it goes on.",
    State.UNDOING: "Runs are deleted one by one; their data stays and can be restored.",
}


def badge_of(sheet: SheetImport) -> Badge:
    """Of a sheet."""
    return _BADGES[sheet.state]


def row_badge(row: SheetRow) -> Badge:
    """Of a row."""
    return _ROWS[row.state]
