"""Sheets of past experiments: brought in, mapped, checked, imported and undone by people; read and settled by MLED."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from django.db import transaction

from accounts.decorators import action
from accounts.models import Project
from accounts.notices import tell
from accounts.texts import checked_line
from artifacts.blobs import know
from artifacts.queries.uploads import finished_blobs
from experiments import hooks
from experiments.actions.recorded import Rehearsal
from experiments.models import SheetImport, SheetMapping, SheetRow
from experiments.recording.wanted import Wanted
from experiments.sheets.cells import Cell
from experiments.sheets.guessing import LOOKED_AT, dated_anew, guess, same_names
from experiments.sheets.limits import FILE_BYTES, ROWS
from experiments.sheets.mapping import Mapping, checked_zone, problems_of, unknown_targets
from experiments.sheets.running import Sheet
from kernel.actor import Actor
from kernel.clock import now
from kernel.digests import canonical_json, sha256_hex
from kernel.errors import Conflict, Invalid, InvalidFields, MledError, Refused, TooLarge, TooMany

BRING_IN: Final = "transfer.bring_in"
OPEN_MAX: Final = 20
NAME_MAX: Final = 200
REASON_MAX: Final = 1000
State = SheetImport.State
RowState = SheetRow.State
_AT_ONCE: Final = 500


class NotOurs(Conflict):
    """Somebody else is at the sheet by now, or it was stopped."""


@action(BRING_IN, on="project")
def bring_sheet(actor: Actor, project: Project, *, upload: str, name: str, zone: str = "UTC") -> SheetImport:
    """Bring in a finished upload of one's own as a sheet; it is read in the background. zone: of times without one, to
    begin with. Raises TooLarge, TooMany."""
    mapping = Mapping(zone=checked_zone(zone)).as_json() if zone != "UTC" else {}
    name = checked_line(name.replace("\\", "/").rpartition("/")[2], "The name of a file", NAME_MAX, field="name")
    (stored,) = finished_blobs(actor, project, [upload])
    if stored.size_bytes > FILE_BYTES:
        words = f"This file has {stored.size_bytes:,} bytes; a sheet has at most {FILE_BYTES:,}."
        raise TooLarge(words, hint="Split it, or save the one sheet as CSV.", field="upload")
    mine = SheetImport.objects.filter(project=project, created_by_id=actor.user_id, state__in=SheetImport.OPEN)
    if mine.count() >= OPEN_MAX:
        raise TooMany(f"You have {OPEN_MAX} sheets under way here.", hint="Wait for one.")
    know(stored)
    sheet = SheetImport(project=project, name=name, blob_id=stored.digest, created_by_id=actor.user_id, mapping=mapping)
    sheet.save(force_insert=True)
    _wake()
    return sheet


@action(BRING_IN, on="sheet")
def choose_worksheet(actor: Actor, sheet: SheetImport, *, worksheet: str) -> SheetImport:
    """Take another sheet of the workbook; it is read anew. Raises Conflict, Invalid."""
    held = _own(actor, sheet, *((State.UNREAD,) if sheet.worksheets else ()), State.READY, State.CHECKED)
    if worksheet not in held.worksheets:
        raise Invalid("This workbook has no such sheet.", hint="Choose one of the list.", field="worksheet")
    if worksheet != held.worksheet:
        held.worksheet = worksheet
        _begin(held, State.READING)
    return held


@action(BRING_IN, on="sheet")
def map_sheet(actor: Actor, sheet: SheetImport, *, mapping: Mapping, are_dates_said: bool = True) -> SheetImport:
    """Say where its columns go; what was checked before has to be checked again. are_dates_said: whether somebody said
    how days are written; if not, new columns of moments tell. Raises Conflict, Invalid for a column too few,
    InvalidFields for columns that go where nothing is."""
    held = _own(actor, sheet, State.READY, State.CHECKED)
    if len(mapping.columns) != len(held.header):
        raise Invalid(f"This sheet has {len(held.header)} columns.", hint="Map each, or ignore it.", field="columns")
    nowhere = [problem for problem in unknown_targets(mapping) if problem]
    if nowhere:
        raise InvalidFields(nowhere)
    if not are_dates_said:
        rows = SheetRow.objects.filter(sheet=held).order_by("number").values_list("cells", flat=True)[:LOOKED_AT]
        mapping = dated_anew(mapping, Mapping.of_json(held.mapping), list(rows))
    told = mapping.as_json()
    if told != held.mapping:
        held.mapping, held.state = told, State.READY
        held.save()
    return held


@action(BRING_IN, on="sheet")
def check_sheet(actor: Actor, sheet: SheetImport) -> SheetImport:
    """Have every row looked at, with nothing written. The next sheet with the same header begins with these columns.
    Raises Conflict, InvalidFields for a mapping with gaps and for what is wrong for all rows alike."""
    held = _own(actor, sheet, State.READY, State.CHECKED)
    mapping = Mapping.of_json(held.mapping)
    problems = problems_of(mapping, held.header) or _wrong_for_all(actor, held, mapping)
    if problems:
        raise InvalidFields(problems)
    SheetMapping.objects.update_or_create(
        project_id=held.project_id,
        header_digest=header_digest(held.header),
        defaults={"mapping": held.mapping, "at": now()},
    )
    SheetRow.objects.filter(sheet=held).update(state=RowState.WAITING, problems=[])
    _begin(held, State.CHECKING, total=held.row_count)
    return held


@action(BRING_IN, on="sheet")
def import_sheet(actor: Actor, sheet: SheetImport, *, leave_out: bool = False) -> SheetImport:
    """Make a run of each row that is right, or go on with that. leave_out: rows with errors do not matter.

    Raises Conflict before it was checked, and for rows with errors that nobody said to leave out.
    """
    held = _own(actor, sheet, State.CHECKED, State.STOPPED)
    rows = SheetRow.objects.filter(sheet=held)
    wrong, right = rows.filter(state=RowState.WRONG).count(), rows.filter(state=RowState.RIGHT).count()
    if wrong and not (leave_out or held.leaves_out):
        words = f"{wrong:,} row{'' if wrong == 1 else 's'} of this sheet cannot be imported as they are."
        raise Conflict(words, hint="Correct them, or say that they are left out.", field="leave_out")
    if not right:
        raise Conflict("There is no row left to import.", hint="Check the sheet first.")
    held.leaves_out = held.leaves_out or leave_out
    _begin(held, State.IMPORTING, total=right)
    return held


@action(BRING_IN, on="sheet")
def stop_sheet(actor: Actor, sheet: SheetImport) -> SheetImport:
    """Stop checking or importing. What is imported stays; importing can go on later. Raises Conflict."""
    held = _held(sheet, State.CHECKING, State.IMPORTING)
    held.state = State.READY if held.state == State.CHECKING else State.STOPPED
    held.lease, held.lease_until = None, None
    held.save()
    return held


@action(BRING_IN, on="sheet")
def undo_sheet(actor: Actor, sheet: SheetImport, *, reason: str = "") -> SheetImport:
    """Take back all of its runs that the actor may delete and nobody worked on since: an act for each. Raises
    Conflict."""
    held = _held(sheet, State.STOPPED, State.DONE)
    made = SheetRow.objects.filter(sheet=held, state__in=[RowState.MADE, RowState.KEPT])
    if not made.exists():
        raise Conflict("None of its rows was imported.", hint="There is nothing to undo.")
    if len(reason) > REASON_MAX:
        raise Invalid(f"A reason has at most {REASON_MAX:,} characters.", field="reason")
    made.update(state=RowState.MADE, word="")
    held.undone_by_id, held.undo_reason = actor.user_id, reason
    _begin(held, State.UNDOING, total=made.count())
    return held


@action(BRING_IN, on="sheet")
def discard_sheet(actor: Actor, sheet: SheetImport) -> None:
    """Take a sheet of one's own off the list, of which no row was imported: it was only looked at. That it was there
    stays on record. Raises Conflict, Refused."""
    held = _own(actor, sheet, State.UNREAD, State.READY, State.CHECKED, State.STOPPED)
    rows = SheetRow.objects.filter(sheet=held)
    if rows.filter(state__in=[RowState.MADE, RowState.KEPT, RowState.UNDONE]).exists():
        raise Conflict("Runs were made of this sheet: it stays.", hint="Undo the import to take them back.")
    rows.delete()
    held.delete()


@action(BRING_IN, on="sheet")
def keep_sheet(actor: Actor, sheet: SheetImport, *, lease: UUID, read: Sheet) -> SheetImport:
    """Keep what was read, with a mapping to begin with. Called by the system; Conflict for a lost lease."""
    held = _leased(sheet, lease, State.READING)
    SheetRow.objects.filter(sheet=held).delete()
    rows = [SheetRow(sheet=held, number=number, cells=cells) for number, cells in read.rows]
    SheetRow.objects.bulk_create(rows, batch_size=_AT_ONCE)
    held.form, held.worksheets, held.worksheet = read.form, list(read.worksheets), read.worksheet[:200]
    held.header, held.notes, held.row_count = list(read.header), [*read.notes, *same_names(read.header)], len(rows)
    held.mapping = _first_mapping(held, [cells for _, cells in read.rows]).as_json()
    _end(held, State.READY)
    return held


@action(BRING_IN, on="sheet")
def settle_sheet(
    actor: Actor, sheet: SheetImport, *, lease: UUID, state: str, failure: str = "", worksheets: Sequence[str] = ()
) -> SheetImport:
    """End what a worker was at. failure: what went wrong, and what to do; worksheets: of an unread workbook, to choose
    another. Called by the system; Conflict for a lost lease."""
    held = _leased(sheet, lease, *SheetImport.OPEN)
    began = held.state
    held.failure = failure
    if state == State.UNREAD:
        _forget_what_was_read(held, worksheets)
    _end(held, state)
    if began in (State.IMPORTING, State.UNDOING):
        _tell(held, began)
    return held


def _wrong_for_all(actor: Actor, sheet: SheetImport, mapping: Mapping) -> list[MledError]:
    """What is wrong with the texts that stand in for cells: told once here, and not in every row. New data is looked at
    with the rows, which may name a part of it."""
    given = {name: text.strip() for name, text in mapping.defaults.items() if text.strip() and "." not in name}
    found = Rehearsal(actor, sheet.project).problems(Wanted(**given))  # type: ignore[arg-type]
    return [Invalid(one.message, hint=one.hint, field=f"defaults.{one.field}") for one in found if one.field in given]


def header_digest(header: Sequence[str]) -> str:
    """Names a header."""
    return sha256_hex(canonical_json(list(header)))


def _first_mapping(sheet: SheetImport, rows: Sequence[Sequence[Cell]]) -> Mapping:
    """What the same header meant last time, else a guess."""
    before = SheetMapping.objects.filter(project_id=sheet.project_id, header_digest=header_digest(sheet.header)).first()
    if before is None:
        return guess(sheet.header, rows, _zone(sheet))
    try:
        return Mapping.of_json(before.mapping)
    except MledError:  # of a time with other words
        return guess(sheet.header, rows, _zone(sheet))


def _forget_what_was_read(held: SheetImport, worksheets: Sequence[str]) -> None:
    """What another sheet of the workbook held is not of this one; the choice of sheets stays."""
    SheetRow.objects.filter(sheet=held).delete()
    held.header, held.notes, held.row_count = [], [], 0
    held.worksheets = list(worksheets)
    held.worksheet = held.worksheet or (held.worksheets[0][:200] if held.worksheets else "")
    held.mapping = Mapping(zone=_zone(held)).as_json() if held.mapping else {}


def _zone(held: SheetImport) -> str:
    return str(held.mapping.get("zone") or "UTC")


def _begin(held: SheetImport, state: str, *, total: int = 0) -> None:
    held.state, held.failure, held.finished_at = state, "", None
    held.done, held.total, held.attempts, held.lease, held.lease_until = 0, total, 0, None, None
    held.save()
    _wake()


def _end(held: SheetImport, state: str) -> None:
    held.state, held.finished_at = state, now()
    held.lease, held.lease_until, held.attempts = None, None, 0
    held.save()


def _wake() -> None:
    for call in hooks.sheet_waits:
        transaction.on_commit(call)


def _held(sheet: SheetImport, *states: str) -> SheetImport:
    held: SheetImport = SheetImport.objects.select_for_update(no_key=True).get(pk=sheet.pk)
    if held.state not in states:
        words = f"This sheet is {held.get_state_display().lower()}."
        raise Conflict(words, hint="Load the page again to see what can be done now.")
    return held


def _own(actor: Actor, sheet: SheetImport, *states: str) -> SheetImport:
    """The sheet, if it is the actor's: its runs are recorded in the name of whoever uploaded it."""
    if sheet.created_by_id != actor.user_id:
        raise Refused(
            f"This sheet is imported in the name of {sheet.created_by or 'the operator'}.",
            hint="Upload it yourself to import it in yours.",
        )
    return _held(sheet, *states)


def _leased(sheet: SheetImport, lease: UUID, *states: str) -> SheetImport:
    held: SheetImport = SheetImport.objects.select_for_update(no_key=True).get(pk=sheet.pk)
    if held.lease != lease or held.state not in states:
        raise NotOurs("Somebody else is at this sheet by now, or it was stopped.")
    return held


def _tell(sheet: SheetImport, began: str) -> None:
    """Tell whoever asked for it."""
    asked = sheet.created_by if began == State.IMPORTING else sheet.undone_by
    if asked is None:
        return
    counts = SheetRow.objects.filter(sheet=sheet)
    made, undone = counts.filter(state=RowState.MADE).count(), counts.filter(state=RowState.UNDONE).count()
    words = {
        State.DONE: f"Your import of '{sheet.name}' is finished: {_runs(made)}.",
        State.STOPPED: f"Your import of '{sheet.name}' stopped: {sheet.failure}",
        State.UNDONE: f"The import of '{sheet.name}' is undone: {_runs(undone)} taken back.",
    }.get(State(sheet.state), "")
    if words:
        tell([asked], kind=f"sheet.{sheet.state}", text=words, url=f"/p/{sheet.project.slug}/sheets/{sheet.pk}/",
             project=sheet.project)  # fmt: skip


def _runs(count: int) -> str:
    return f"{count:,} run{'' if count == 1 else 's'}"


LIMITS: Final = f"CSV or XLSX with at most {FILE_BYTES // 1024**2} MiB, {ROWS:,} rows and 500 columns."
