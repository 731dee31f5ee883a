"""What the random walk does with sheets: bringing them in, mapping, checking, importing, stopping and undoing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.db import transaction

from experiments.actions.sheets import (
    check_sheet,
    choose_worksheet,
    discard_sheet,
    import_sheet,
    map_sheet,
    settle_sheet,
    stop_sheet,
    undo_sheet,
)
from experiments.models import SheetImport
from experiments.sheets import lease
from experiments.sheets.mapping import Mapping
from experiments.sheets.work import work_on
from kernel.actor import system
from tests.factories import again
from tests.factories_sheets import a_mapped_sheet

OWN_DATA = {
    "architecture": "SVM", "started": "2026-03-02", "new_dataset.name": "walked", "new_dataset.digest": "d1",
    "new_dataset.source": "s3://walked",
}  # fmt: skip


def _work(walk: Any) -> None:
    """What waits: checking, importing, undoing."""
    work_on(walk.any(SheetImport, state__in=SheetImport.OPEN).pk)


def _whole_way(walk: Any) -> None:
    """From an upload to runs, and back."""
    who = walk.person()
    sheet = a_mapped_sheet(who, walk.team.project, "walked")
    map_sheet(who, sheet, mapping=Mapping(["experiment", "param:lr"], OWN_DATA))
    for act in (check_sheet, import_sheet, undo_sheet):
        act(who, sheet)
        work_on(sheet.pk)


def _stop_midway(walk: Any) -> None:
    """stop_sheet: checking was asked for, and is taken back before somebody does it."""
    who = again(walk.team.scientist)
    with transaction.atomic():  # no worker hears of it before it is stopped
        sheet = a_mapped_sheet(who, walk.team.project, "walked")
        map_sheet(who, sheet, mapping=Mapping(["experiment", "param:lr"], OWN_DATA))
        stop_sheet(who, check_sheet(who, sheet))


def _only_looked_at(walk: Any) -> None:
    """discard_sheet: of one that was mapped, and never imported."""
    who = again(walk.team.scientist)
    discard_sheet(who, a_mapped_sheet(who, walk.team.project, "walked"))


def _another_worksheet(walk: Any) -> None:
    """choose_worksheet: of a workbook with two."""
    who = again(walk.team.scientist)
    with transaction.atomic():
        sheet = a_mapped_sheet(who, walk.team.project, "walked", worksheets=["one", "two"])
        choose_worksheet(who, sheet, worksheet="two")
        settle_sheet(system(), sheet, lease=taken(sheet), state=SheetImport.State.STOPPED, failure="Broken.")


def taken(sheet: SheetImport) -> UUID:
    """The lease of somebody who works on it."""
    mine = lease.take(sheet.pk)
    assert mine is not None
    return mine


def _give_up(walk: Any) -> None:
    sheet = walk.any(SheetImport, state__in=SheetImport.OPEN)
    mine = lease.take(sheet.pk)
    if mine is not None:
        settle_sheet(system(), sheet, lease=mine, state=SheetImport.State.STOPPED, failure=walk.text() or "Broken.")


SHEETS: list[Callable[[Any], Any]] = [
    _work,
    _whole_way,
    _give_up,
    _stop_midway,
    _another_worksheet,
    _only_looked_at,
    lambda w: map_sheet(w.who(), w.any(SheetImport), mapping=Mapping(["ignore", f"param:{w.text()}"[:300]])),
    lambda w: choose_worksheet(w.who(), w.any(SheetImport), worksheet=w.text()),
    lambda w: check_sheet(w.who(), w.any(SheetImport)),
    lambda w: import_sheet(w.who(), w.any(SheetImport), leave_out=w.chance.random() < 0.5),
    lambda w: discard_sheet(w.who(), w.any(SheetImport)),
    lambda w: stop_sheet(w.who(), w.any(SheetImport)),
    lambda w: undo_sheet(w.who(), w.any(SheetImport), reason=w.text()),
]
