"""Exports end: nothing is taken out of them any more, and what they held is let go of."""

from collections.abc import Collection
from uuid import UUID

from django.db import models

from accounts.decorators import action
from audit.ledger.acting import current_act
from experiments.models import Run
from kernel.actor import Actor
from kernel.clock import now
from kernel.errors import Refused
from transfer import ending
from transfer.models import Transfer, TransferFile
from transfer.queries.transfers import WITH_LOG

FILE = "transfer.transferfile"
MEANWHILE = "{}: what was gathered so far may hold it. Begin the export again."


@action("transfer.see", on="transfer")
def end_export(actor: Actor, transfer: Transfer) -> Transfer:
    """Let go of the content of a transfer whose time ran out. Called by the system; changes nothing twice."""
    if actor.is_person:
        raise Refused("Exports end by themselves.", hint="Their page says when.")
    held = _held(transfer.pk)
    if held.removed_at is None and not held.is_open:
        _let_go(held, ending.RAN_OUT)
    return held


@action("ledger.erase")
def end_exports_of(actor: Actor, *, project_id: UUID, reason: str) -> int:
    """Part of forgetting a person: end the exports of a project where they were. reason: the legal basis."""
    current_act().project_id = project_id
    return _end_all(ending.exports_of([project_id]), ending.PERSON_FORGOTTEN)


def end_where_forgotten(actor: Actor, projects: Collection[UUID] | None, basis: str) -> None:
    """The same for all of the person's projects, or for all there are; nothing is on record where none ends."""
    found = ending.exports_of(projects).order_by("project").values_list("project", flat=True)
    for project_id in dict.fromkeys(found):
        end_exports_of(actor, project_id=project_id, reason=basis)


def end_where_erased(projects: Collection[UUID]) -> None:
    """Part of the act that erases what events of these projects say: exports with the log of one end."""
    with_log = [one.pk for one in ending.exports_of(projects) if one.options.get(WITH_LOG)]
    _end_all(Transfer.objects.filter(pk__in=with_log), ending.LOG_ERASED)


def end_where_purged(run: Run) -> None:
    """Part of the act that empties a run: what may hold it ends."""
    _end_all(ending.that_may_hold(run), ending.RUN_PURGED)


def _end_all(found: "models.QuerySet[Transfer]", why: str) -> int:
    rows = Transfer.objects.filter(pk__in=list(found.values_list("pk", flat=True)))
    held = rows.select_for_update(of=("self",), no_key=True).order_by("pk")
    return sum(_ended(one, why) for one in held)


def _ended(held: Transfer, why: str) -> bool:
    """Let go of one whose row is held; one that is under way is given up, since it may have read what is to be gone."""
    if held.removed_at is not None:
        return False
    if held.is_open:
        held.state, held.finished_at, held.failure = Transfer.State.FAILED, now(), MEANWHILE.format(why)
        held.lease, held.lease_until = None, None
        held.save()
    else:
        _let_go(held, why)
    return True


def _let_go(held: Transfer, why: str) -> None:
    """Part of an act on a transfer whose row is held: its files have no name any more, and so are collected."""
    files = list(TransferFile.objects.filter(transfer=held))
    if files:
        gone = {one.name: ({"digest": one.blob_id, "size_bytes": one.size_bytes}, None) for one in files}
        current_act().record(FILE, held.pk.hex, "set", gone)
        # Recorded just above, all in one: the plain queryset deletes them in one statement.
        models.QuerySet(TransferFile).filter(pk__in=[one.pk for one in files]).delete()
    held.blob, held.artifacts_blob = None, None
    held.removed_at, held.removed_why = now(), why
    held.save()


def _held(transfer_id: UUID) -> Transfer:
    rows = Transfer.objects.select_for_update(of=("self",), no_key=True).select_related("project", "requested_by")
    held: Transfer = rows.get(pk=transfer_id)
    return held
