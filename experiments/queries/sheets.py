"""Sheets on their way into a project, their rows, and what is known of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count, Q, QuerySet

from accounts.access import can, can_see
from accounts.models import Project
from artifacts.storage import StoredBlob
from audit.ledger.models import AuditEvent
from experiments.models import Run, SheetImport, SheetRow
from experiments.work import BESIDE
from kernel.actor import Actor
from kernel.errors import NotFound

BRING_IN = "transfer.bring_in"
State = SheetImport.State
SHOWN = ("wrong", "right", "kept", "made", "undone")  # in which order rows are shown by their state
SHOWN_AFTER = ("kept", "made", "undone", "wrong", "right")  # once it is over


@dataclass(frozen=True, slots=True)
class Tally:
    """How many rows of a sheet are in which state."""

    waiting: int = 0
    right: int = 0
    wrong: int = 0
    made: int = 0
    undone: int = 0
    kept: int = 0

    @property
    def total(self) -> int:
        """Of all."""
        return self.waiting + self.right + self.wrong + self.made + self.undone + self.kept


@dataclass(frozen=True, slots=True)
class Offered:
    """What a viewer may do with a sheet as it is now."""

    choose: bool = False
    map: bool = False
    check: bool = False
    bring: bool = False
    stop: bool = False
    resume: bool = False
    undo: bool = False
    discard: bool = False


def sheets_of(viewer: Actor, project: Project) -> QuerySet[SheetImport]:
    """All sheets of a project, the newest first."""
    rows: QuerySet[SheetImport] = SheetImport.objects.visible_to(viewer).filter(project=project)
    return rows.select_related("created_by", "project").order_by("-created_at", "-pk")


def get_sheet(viewer: Actor, project: Project, sheet_id: UUID | str) -> SheetImport:
    """One sheet. Raises NotFound, the same for one that the viewer may not see."""
    found = sheets_of(viewer, project).select_related("blob", "undone_by").filter(pk=sheet_id).first()
    if found is None:
        raise NotFound("There is no such import in this project.", hint="Look at the list of imports.")
    return found


def rows_of(viewer: Actor, sheet: SheetImport, state: str = "") -> QuerySet[SheetRow]:
    """Its rows in their order. state: only those in it."""
    rows: QuerySet[SheetRow] = SheetRow.objects.visible_to(viewer).filter(sheet=sheet).order_by("number", "pk")
    return rows.filter(state=state) if state else rows


def tally_of(viewer: Actor, sheet: SheetImport) -> Tally:
    """How far its rows are."""
    counts = rows_of(viewer, sheet).order_by().values_list("state").annotate(n=Count("pk"))
    return Tally(**dict(counts))


def runs_made(viewer: Actor, rows: Sequence[SheetRow]) -> dict[UUID, Run]:
    """The runs that rows became, those that the viewer sees, by their id."""
    wanted = [row.run_uid for row in rows if row.run_uid]
    found = Run.objects.visible_to(viewer).filter(uid__in=wanted).select_related("project")
    return {run.uid: run for run in found}


def same_file(viewer: Actor, sheet: SheetImport) -> SheetImport | None:
    """An earlier import of the very same bytes that made runs which stand."""
    rows = sheets_of(viewer, sheet.project).filter(blob_id=sheet.blob_id, created_at__lt=sheet.created_at)
    return rows.filter(rows__state=SheetRow.State.MADE).exclude(pk=sheet.pk).first()


def content_of(viewer: Actor, sheet: SheetImport) -> StoredBlob:
    """The uploaded bytes. Raises NotFound for who may not see the sheet."""
    if not can_see(viewer, sheet):
        raise NotFound("There is no such import in this project.")
    return StoredBlob(sheet.blob.digest, sheet.blob.size_bytes)


def offered_for(viewer: Actor, sheet: SheetImport) -> Offered:
    """What this viewer may do now: it is in the name of whoever uploaded it, so only they map, check and import."""
    if not can(viewer, BRING_IN, sheet.project):
        return Offered()
    own, tally = sheet.created_by_id == viewer.user_id, tally_of(viewer, sheet)
    ready = own and sheet.state in (State.READY, State.CHECKED)
    return Offered(
        choose=len(sheet.worksheets) > 1 and (ready or (own and sheet.state == State.UNREAD)),
        map=ready,
        check=ready,
        bring=own and sheet.state == State.CHECKED and tally.right > 0,
        stop=sheet.state in (State.CHECKING, State.IMPORTING),
        resume=own and sheet.state == State.STOPPED and tally.right > 0,
        undo=sheet.state in (State.STOPPED, State.DONE) and tally.made > 0,
        discard=own and not sheet.is_open and not (tally.made or tally.kept or tally.undone),
    )


def changed_since(viewer: Actor, run: Run) -> AuditEvent | None:
    """The first work on a run after it was recorded, as the log has it; None for one that is as it was imported.

    What compliance did with it is no work on it: whether it may be deleted then, deleting says itself.
    """
    if not can_see(viewer, run):
        return None
    named = run.ledger_subject
    events = AuditEvent.objects.filter(subject_type=named.kind, subject_id=named.id, outcome="done")
    own = {*BESIDE, "experiments.record_run", "experiments.delete_run", "experiments.restore_run"}
    beside = Q(verb__startswith="compliance.") & ~Q(verb="compliance.amend_run")
    rows: QuerySet[AuditEvent] = events.exclude(verb__in=own).exclude(beside)
    return rows.order_by("pk").first()
