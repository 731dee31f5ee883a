"""Transfers: begun and stopped by people and the operator, started, finished and given up by the system."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts.access import can, not_found, require, roles_in
from accounts.decorators import action
from accounts.models import Project
from accounts.notices import tell
from accounts.roles import Role
from accounts.texts import storable
from artifacts.blobs import know
from artifacts.storage import StoredBlob
from audit.ledger.acting import current_act
from kernel.actor import Actor
from kernel.clock import now
from kernel.errors import Conflict, Invalid, Refused, TooMany
from transfer.hooks import wake
from transfer.models import Transfer, TransferFile
from transfer.queries.transfers import WITH_LOG

FILE = "transfer.transferfile"
OPEN_MAX = 10
PROBLEMS_MAX = 200
FAILURE_MAX = 4000


class NotOurs(Conflict):
    """Somebody else does the transfer by now, or it was stopped."""


@dataclass(frozen=True, slots=True)
class Made:
    """A file that is in the store and waits for its name."""

    name: str
    media_type: str
    stored: StoredBlob


def begin(
    actor: Actor,
    project: Project,
    *,
    kind: str,
    source: str = "",
    origin: str = "",
    options: Mapping[str, Any] | None = None,
    blob: StoredBlob | None = None,
    artifacts: StoredBlob | None = None,
) -> Transfer:
    """Ask for a transfer, which is done in the background; blob, artifacts: what came in.

    Raises Refused, Invalid, TooMany.
    """
    if kind == Transfer.Kind.EXPORT:
        return begin_export(actor, project, options=options)
    if kind not in Transfer.Kind.values:
        raise Invalid(f"'{kind}' is no kind of transfer.", hint=", ".join(Transfer.Kind.values), field="kind")
    return begin_import(
        actor, project, kind=kind, source=source, origin=origin, options=options, blob=blob, artifacts=artifacts
    )


@action("transfer.export", on="project")
def begin_export(actor: Actor, project: Project, *, options: Mapping[str, Any] | None = None) -> Transfer:
    """Ask for an archive of the project as the actor may see it. Raises TooMany; Refused for a log they do not read.

    options: with_log, with_files, experiments (their numbers; None for all).
    """
    if (options or {}).get(WITH_LOG):
        require(actor, "projects.read_log", project)
    return _keep(actor, Transfer(project=project, kind=Transfer.Kind.EXPORT, options=dict(options or {})))


@action("transfer.bring_in", on="project")
def begin_import(
    actor: Actor,
    project: Project,
    *,
    kind: str,
    source: str = "",
    origin: str = "",
    options: Mapping[str, Any] | None = None,
    blob: StoredBlob | None = None,
    artifacts: StoredBlob | None = None,
) -> Transfer:
    """Ask that something is brought into the project. Raises TooMany, Invalid."""
    for stored in filter(None, (blob, artifacts)):
        know(stored)
    asked = Transfer(
        project=project,
        kind=kind,
        source=storable(source, "A source", field="source")[:2000],
        origin=origin,
        options=dict(options or {}),
        blob_id=blob.digest if blob else None,
        artifacts_blob_id=artifacts.digest if artifacts else None,
    )
    return _keep(actor, asked)


def _keep(actor: Actor, asked: Transfer) -> Transfer:
    mine = Transfer.objects.filter(project=asked.project, requested_by_id=actor.user_id, state__in=Transfer.OPEN)
    if mine.count() >= OPEN_MAX:
        raise TooMany(f"You have {OPEN_MAX} exports and imports under way here.", hint="Wait for one, or stop one.")
    asked.requested_by_id = actor.user_id
    asked.save()
    transaction.on_commit(wake)
    return asked


@action("transfer.stop", on="transfer")
def cancel_transfer(actor: Actor, transfer: Transfer, *, reason: str = "") -> Transfer:
    """Stop a transfer: whoever asked for it may, and managers. What is done stays. Raises Conflict, Refused."""
    if not may_stop(actor, transfer):
        raise Refused("Somebody else asked for this.", hint="Ask them, or a manager of the project, to stop it.")
    held = _held(transfer.pk)
    if not held.is_open:
        raise Conflict("This is over already.", hint="Begin a new one if you need it.")
    held.state = Transfer.State.CANCELLED
    _end(held)
    return held


def may_stop(actor: Actor, transfer: Transfer) -> bool:
    """Whether the actor asked for it, or leads the project."""
    if not actor.is_person:
        return True
    if actor.user_id == transfer.requested_by_id:
        needed = "transfer.export" if transfer.kind == Transfer.Kind.EXPORT else "transfer.bring_in"
        return bool(can(actor, needed, transfer.project))
    return Role.PROJECT_MANAGER in roles_in(actor, transfer.project_id)


@action("transfer.see", on="transfer")
def start_transfer(actor: Actor, transfer: Transfer, *, lease: UUID) -> Transfer:
    """Say that somebody works on it. Called by the system; Conflict for who lost the lease."""
    _refuse_people(actor)
    transfer.lease = lease
    held = _leased(transfer)
    held.state = Transfer.State.RUNNING
    held.save()
    return held


@action("transfer.see", on="transfer")
def finish_transfer(
    actor: Actor,
    transfer: Transfer,
    *,
    counts: Mapping[str, Any],
    problems: Sequence[Mapping[str, Any]] = (),
    digest: str = "",
    files: Sequence[Made] = (),
) -> Transfer:
    """End a transfer with what came of it, at once and once. Called by the system; Conflict for a lost lease.

    problems: {"where", "message"} and what else names them; the first 200 are kept, and counts say how many there were.
    """
    _refuse_people(actor)
    held = _leased(transfer)
    for made in files:
        know(made.stored)
        TransferFile(
            transfer=held,
            name=made.name,
            media_type=made.media_type,
            blob_id=made.stored.digest,
            size_bytes=made.stored.size_bytes,
        ).save(force_insert=True)
    if files:
        told = {one.name: (None, {"digest": one.stored.digest, "size_bytes": one.stored.size_bytes}) for one in files}
        current_act().record(FILE, held.pk.hex, "set", told)
    held.state, held.digest = Transfer.State.DONE, digest
    held.counts, held.problems = dict(counts), [dict(one) for one in problems[:PROBLEMS_MAX]]
    _end(held)
    what = "Your export is ready." if held.kind == Transfer.Kind.EXPORT else "Your import is finished."
    _tell(held, f"{what} Its page shows what it holds.")
    return held


@action("transfer.see", on="transfer")
def fail_transfer(
    actor: Actor,
    transfer: Transfer,
    *,
    failure: str,
    counts: Mapping[str, Any] | None = None,
    problems: Sequence[Mapping[str, Any]] = (),
) -> Transfer:
    """Give a transfer up, and say why and what to do. Called by the system; Conflict for a lost lease."""
    _refuse_people(actor)
    held = _leased(transfer)
    held.state, held.failure = Transfer.State.FAILED, failure[:FAILURE_MAX].replace("\x00", "")
    held.counts, held.problems = dict(counts or held.counts), [dict(one) for one in problems[:PROBLEMS_MAX]]
    _end(held)
    what = "export" if held.kind == Transfer.Kind.EXPORT else "import"
    _tell(held, f"Your {what} could not be finished: {held.failure}")
    return held


@action("transfer.see", on="transfer")
def download_transfer_file(actor: Actor, transfer: Transfer, *, file: TransferFile) -> None:
    """One event without a change: that the actor took this file out."""
    act = current_act()
    act.always = True
    act.speaks_of(transfer.ledger_subject)
    act.reason = f"{file.name}, SHA-256 {file.blob_id}"


def _end(held: Transfer) -> None:
    held.finished_at, held.lease, held.lease_until = now(), None, None
    if held.state == Transfer.State.DONE:
        held.stage, held.done, held.total = "", 0, None
    held.save()


def _tell(held: Transfer, text: str) -> None:
    if held.requested_by is not None:
        url = f"/p/{held.project.slug}/transfers/{held.pk}/"
        tell([held.requested_by], kind=f"transfer.{held.state}", text=text, url=url, project=held.project)


def _refuse_people(actor: Actor) -> None:
    if actor.is_person:
        raise Refused("Only MLED itself says how far an export or import is.", hint="You can stop it.")


def _held(transfer_id: UUID) -> Transfer:
    rows = Transfer.objects.select_for_update(of=("self",), no_key=True).select_related("project", "requested_by")
    held: Transfer | None = rows.filter(pk=transfer_id).first()
    if held is None:
        raise not_found(Transfer)
    return held


def _leased(transfer: Transfer) -> Transfer:
    """The row under its lock, if the lease that the caller's copy carries is the one that counts."""
    held = _held(transfer.pk)
    if held.lease is None or held.lease != transfer.lease or not held.is_open:
        raise NotOurs("Somebody else does this, or it was stopped.")
    return held


__all__ = [
    "Made",
    "NotOurs",
    "begin",
    "begin_export",
    "begin_import",
    "cancel_transfer",
    "download_transfer_file",
    "fail_transfer",
    "finish_transfer",
    "may_stop",
    "start_transfer",
]
