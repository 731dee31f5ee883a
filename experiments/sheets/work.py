"""What is done with sheets in the background, under a lease: reading, checking, importing, undoing.

Each row is done once: its run is recorded under a key that is the row's own, so who goes on where a dead worker left
off finds what that one made. Rights are asked again for every row.
"""

import logging
from collections.abc import Iterator
from typing import Final
from uuid import UUID

from accounts.models import User
from artifacts.storage import blobs
from experiments.actions.recorded import Rehearsal, record_run_once
from experiments.actions.runs import delete_run
from experiments.actions.sheets import NotOurs, keep_sheet, settle_sheet
from experiments.models import SheetImport, SheetRow
from experiments.queries.runs import get_run
from experiments.queries.sheets import changed_since, content_of, rows_of, tally_of
from experiments.sheets import lease
from experiments.sheets.mapping import Mapping, record_of
from experiments.sheets.running import CannotRead, read_sheet
from kernel.actor import Actor, ActorKind, Door, system
from kernel.errors import InvalidFields, MledError, NotFound, Refused, Unauthenticated

log = logging.getLogger(__name__)
State, RowState = SheetImport.State, SheetRow.State
_CHECKED_AT_ONCE: Final = 200
_IMPORTED_AT_ONCE: Final = 10  # rows between two looks whether somebody stopped it
AGAIN: Final = "Try again; if it happens again, tell the administrator: the server's log says why."
_BACK: Final = {State.READING: State.UNREAD, State.CHECKING: State.READY, State.IMPORTING: State.STOPPED,
                State.UNDOING: State.STOPPED}  # fmt: skip


def carry_on() -> int:
    """Do what waits, the oldest first, and go on with what a dead worker left; how many sheets were settled."""
    tried, settled = set[UUID](), 0
    while (found := lease.next_open(but=tried)) is not None:
        tried.add(found)
        settled += work_on(found)
    return settled


def work_on(sheet_id: UUID) -> bool:
    """Do what one sheet waits for; whether it is settled. What goes wrong is said in the sheet, and never raised."""
    mine = lease.take(sheet_id)
    if mine is None:
        return False
    sheet = SheetImport.objects.select_related("project", "created_by", "undone_by", "blob").get(pk=sheet_id)
    try:
        _Work(sheet, mine).do()
    except (lease.LeaseLost, NotOurs):
        return False
    except MledError as error:
        settle_sheet(system(), sheet, lease=mine, state=_BACK[State(sheet.state)], failure=str(error))
    except Exception:
        log.exception("Working on sheet %s", sheet_id)
        if lease.note_failure(sheet_id, mine) < lease.ATTEMPTS:
            return False
        words = f"Something went wrong. {AGAIN}"
        settle_sheet(system(), sheet, lease=mine, state=_BACK[State(sheet.state)], failure=words)
    return True


def person(user: User | None) -> Actor:
    """Somebody with the rights that they have now, as a task acts for them."""
    if user is None:
        return system()
    return Actor(ActorKind.USER, Door.TASK, user_id=user.pk, user_name=str(user), is_active=user.is_active)


class _Work:
    """One worker's work on one sheet."""

    def __init__(self, sheet: SheetImport, mine: UUID) -> None:
        self.sheet, self.lease = sheet, mine
        self.mapping = Mapping.of_json(sheet.mapping) if sheet.mapping else Mapping()
        self.system, self.done = system(), sheet.done

    def do(self) -> None:
        """What its state asks for."""
        {
            State.READING: self._read,
            State.CHECKING: self._check,
            State.IMPORTING: self._import,
            State.UNDOING: self._undo,
        }[State(self.sheet.state)]()

    def _settle(self, state: str, failure: str = "") -> None:
        settle_sheet(self.system, self.sheet, lease=self.lease, state=state, failure=failure)

    def _chunks(self, state: str, size: int) -> Iterator[list[SheetRow]]:
        """The rows in a state, a few at a time; the lease is renewed between them."""
        after = 0
        while True:
            lease.renew(self.sheet.pk, self.lease, done=self.done)
            rows = list(rows_of(self.system, self.sheet, state).filter(number__gt=after)[:size])
            if not rows:
                return
            yield rows
            after = rows[-1].number
            self.done += len(rows)

    # --- Reading

    def _read(self) -> None:
        try:
            with blobs().open(content_of(self.system, self.sheet)) as reader:
                read = read_sheet(reader, self.sheet.worksheet)
        except CannotRead as error:
            self._unread(error)
            return
        keep_sheet(self.system, self.sheet, lease=self.lease, read=read)

    def _unread(self, error: CannotRead) -> None:
        settle_sheet(self.system, self.sheet, lease=self.lease, state=State.UNREAD, failure=str(error),
                     worksheets=error.worksheets)  # fmt: skip

    # --- Checking

    def _check(self) -> None:
        rehearsal = Rehearsal(person(self.sheet.created_by), self.sheet.project)
        for rows in self._chunks(RowState.WAITING, _CHECKED_AT_ONCE):
            for row in rows:
                row.problems = self._problems(rehearsal, row)
                row.state = RowState.WRONG if row.problems else RowState.RIGHT
            SheetRow.objects.bulk_update(rows, ["problems", "state"], batch_size=_CHECKED_AT_ONCE)
        self._settle(State.CHECKED)

    def _problems(self, rehearsal: Rehearsal, row: SheetRow) -> list[dict[str, object]]:
        record = record_of(self.mapping, row.cells)
        told = [*record.problems, *(record.told(one) for one in rehearsal.problems(record.wanted))]
        return [one.as_json() for one in told]

    # --- Importing

    def _import(self) -> None:
        actor = person(self.sheet.created_by)
        for rows in self._chunks(RowState.RIGHT, _IMPORTED_AT_ONCE):
            for row in rows:
                problem = self._made(actor, row)
                if problem is not None and not self.sheet.leaves_out:
                    words = f"Row {row.number:,}: {problem} Rows before it are imported."
                    self._settle(State.STOPPED, words)
                    return
        self._settle(State.DONE)

    def _made(self, actor: Actor, row: SheetRow) -> MledError | None:
        """Record a row; what is wrong with it by now, if it was right when checked. Raises Refused, NotFound."""
        record = record_of(self.mapping, row.cells)
        reason = f"Row {row.number:,} of '{self.sheet.name}', import {self.sheet.pk}"
        key = f"sheet:{self.sheet.pk}:{row.number}"
        try:
            run = record_run_once(actor, self.sheet.project, wanted=record.wanted, key=key, reason=reason)
        except (Refused, NotFound, Unauthenticated):
            raise
        except MledError as error:
            several = error.problems if isinstance(error, InvalidFields) else [error]
            row.problems = [record.told(one).as_json() for one in several]
            self._note(row, RowState.WRONG)
            return error
        row.run_uid, row.digest = run.uid, record.wanted.digest
        self._note(row, RowState.MADE)
        return None

    def _note(self, row: SheetRow, state: str) -> None:
        row.state = state
        row.save(update_fields=["state", "problems", "run_uid", "digest", "word"])

    # --- Undoing

    def _undo(self) -> None:
        actor = person(self.sheet.undone_by)
        reason = self.sheet.undo_reason or f"Undo of the import of '{self.sheet.name}'"
        for rows in self._chunks(RowState.MADE, _IMPORTED_AT_ONCE):
            for row in rows:
                row.word = self._taken_back(actor, row, reason)
                self._note(row, RowState.KEPT if row.word else RowState.UNDONE)
        self._settle(State.DONE if tally_of(self.system, self.sheet).kept else State.UNDONE)

    def _taken_back(self, actor: Actor, row: SheetRow, reason: str) -> str:
        """Delete the run of a row; why that was not done, '' where it was."""
        try:
            run = get_run(actor, (row.run_uid or UUID(int=0)).hex, project=self.sheet.project)
            event = changed_since(actor, run)
            if event is not None and not run.is_deleted:
                return (
                    f"Changed since ({event.verb.partition('.')[2].replace('_', ' ')}, {event.at:%Y-%m-%d %H:%M} UTC)."
                )
            delete_run(actor, run, reason=reason)
        except MledError as error:
            return str(error)[:1000]
        return ""
