"""Exports and imports of a project, for those who may see them: how far they are, and what may be taken out."""

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from django.db.models import QuerySet

from accounts.access import can, can_see, not_found
from accounts.models import Project
from accounts.workers import is_worker_alive
from kernel.actor import Actor
from kernel.clock import now
from kernel.errors import NotFound, Refused
from transfer.ending import RAN_OUT, is_over
from transfer.models import Transfer, TransferFile

WITH_LOG = "with_log"  # in the options of an export: it holds the events of the project


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a transfer is. words: in a sentence; waits_for: 'worker' where none is running, else ''."""

    words: str
    done: int
    of: int | None
    since: dt.datetime
    waits_for: str

    @property
    def percent(self) -> int:
        """0 to 100."""
        return min(100, int(100 * self.done / self.of)) if self.of else 0


def transfers_of(viewer: Actor, project: Project) -> QuerySet[Transfer]:
    """The exports and imports of a project, the newest first."""
    rows = Transfer.objects.visible_to(viewer).filter(project=project)
    return rows.select_related("project", "requested_by").order_by("-requested_at", "-pk")


def my_open_transfers(viewer: Actor) -> QuerySet[Transfer]:
    """One's own that are under way, in whichever project, the newest first."""
    rows = Transfer.objects.visible_to(viewer).filter(state__in=Transfer.OPEN, requested_by__isnull=False)
    return (
        rows.filter(requested_by_id=viewer.user_id).select_related("project", "requested_by").order_by("-requested_at")
    )


def get_transfer(viewer: Actor, transfer_id: UUID, *, project: Project | None = None) -> Transfer:
    """One transfer. Raises NotFound, the same for absent and invisible."""
    rows = Transfer.objects.visible_to(viewer).select_related("project", "requested_by", "blob")
    found: Transfer | None = (rows if project is None else rows.filter(project=project)).filter(pk=transfer_id).first()
    if found is None:
        raise not_found(Transfer)
    return found


def standing_of(viewer: Actor, transfer: Transfer) -> Standing:
    """How far a transfer is, and what it waits for. Raises NotFound."""
    if not can_see(viewer, transfer):
        raise not_found(Transfer)
    leased = transfer.lease_until is not None and transfer.lease_until > now()
    waits_for = "worker" if transfer.is_open and not leased and not is_worker_alive() else ""
    return Standing(
        words=_words(transfer, waits_for),
        done=transfer.done,
        of=transfer.total,
        since=transfer.finished_at or transfer.requested_at,
        waits_for=waits_for,
    )


def _words(transfer: Transfer, waits_for: str) -> str:
    match transfer.state:
        case Transfer.State.WAITING | Transfer.State.RUNNING if waits_for:
            begins = "goes on" if transfer.stage else "begins"
            return f"Waiting: no worker is running. It {begins} by itself when one does."
        case Transfer.State.WAITING:
            return "Waiting for its turn."
        case Transfer.State.RUNNING if transfer.stage:
            of = f" of {transfer.total:,}" if transfer.total else ""
            counted = f": {transfer.done:,}{of}" if transfer.done or transfer.total else ""
            return f"{transfer.stage.capitalize()}{counted}."
        case Transfer.State.RUNNING:
            return "Begun."
        case Transfer.State.DONE if transfer.kind == Transfer.Kind.EXPORT and is_over(transfer):
            return f"Finished. Its files are gone: {(transfer.removed_why or RAN_OUT).lower()}."
        case Transfer.State.DONE:
            return "Finished."
        case Transfer.State.CANCELLED:
            return "Stopped. What was done until then stays."
    return transfer.failure or "It could not be finished."


def files_of(viewer: Actor, transfer: Transfer) -> list[TransferFile]:
    """The files of an export that the viewer may have, by name; none once it has ended."""
    if is_over(transfer) or not is_given(viewer, transfer):
        return []
    return list(TransferFile.objects.visible_to(viewer).filter(transfer=transfer).order_by("name"))


def is_given(viewer: Actor, transfer: Transfer) -> bool:
    """Whether the viewer may have the files of an export, as their rights are now: it may hold the project's log."""
    if not (can_see(viewer, transfer) and can(viewer, "transfer.export", transfer.project)):
        return False
    return not transfer.options.get(WITH_LOG) or bool(can(viewer, "projects.read_log", transfer.project))


def get_transfer_file(viewer: Actor, transfer: Transfer, name: str) -> TransferFile:
    """One file of an export by its name. Raises NotFound; Refused where it holds more than the viewer may read."""
    if transfer.kind == Transfer.Kind.EXPORT and is_over(transfer) and can_see(viewer, transfer):
        why = transfer.removed_why or RAN_OUT
        raise NotFound(f"The files of this export are gone. {why}.", hint="Export the project again.")
    found: TransferFile | None = TransferFile.objects.visible_to(viewer).filter(transfer=transfer, name=name).first()
    if found is None:
        raise not_found(TransferFile, name[:80])
    if not is_given(viewer, transfer):
        raise Refused(
            "This archive holds the project's log, which your role does not read.",
            hint="Export the project yourself: your archive holds what you may read.",
        )
    return found
