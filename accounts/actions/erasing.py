"""Erasing from the log what events say, by administrators and with the legal basis."""

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

from django.db import transaction

from accounts import hooks
from accounts.access import can
from accounts.decorators import action
from accounts.texts import storable
from audit.ledger.acting import current_act
from audit.ledger.erasing import erase
from audit.ledger.models import AuditEvent
from audit.ledger.queries.history import PAYLOAD
from audit.ledger.values import Subject
from kernel.actor import Actor
from kernel.errors import Invalid, NotFound

EVENTS_MAX = 1000
BASIS_MAX = 500
PERMISSION = "ledger.erase"


@action(PERMISSION)
def erase_payloads(actor: Actor, *, events: Sequence[UUID], reason: str) -> int:
    """Remove what these events of one project say; that they happened stays. Returns how many payloads went.

    reason: the legal basis. Raises Invalid, NotFound, Conflict or Refused where something still needs a payload.
    """
    basis, found = checked_basis(reason), _found(events)
    projects = {event.project_id for event in found}
    if len(projects) > 1:
        raise Invalid("These events are of several projects; each has an act of its own.", field="events")
    act = current_act()
    project_id = projects.pop()
    act.project_id, act.reason = project_id, basis
    act.speaks_of(Subject(PAYLOAD, found[0].id.hex))
    gone = erase(found)
    if project_id is not None:
        for tell in hooks.payloads_erased:
            tell([project_id])
    return gone


def erase_everywhere(actor: Actor, *, events: Sequence[UUID], basis: str) -> int:
    """The same for events of several projects, with one act in each, all together or none."""
    if not can(actor, PERMISSION):
        return erase_payloads(actor, events=events, reason=basis)  # which says why not, and keeps that it was tried
    by_project: dict[UUID | None, list[UUID]] = defaultdict(list)
    for event in _found(events):
        by_project[event.project_id].append(event.id)
    with transaction.atomic():
        return sum(erase_payloads(actor, events=some, reason=basis) for some in by_project.values())


def checked_basis(reason: str) -> str:
    """The legal basis as it is kept. Raises Invalid."""
    basis = storable(reason.strip(), "A basis", field="reason")
    if not basis:
        raise Invalid(
            "Say on which legal basis this is erased; it is kept.", hint="For example: GDPR 17(1)(a).", field="reason"
        )
    if len(basis) > BASIS_MAX:
        raise Invalid(f"The basis has at most {BASIS_MAX} characters.", field="reason")
    return basis


def _found(ids: Sequence[UUID]) -> list[AuditEvent]:
    wanted = list(dict.fromkeys(ids))
    if not wanted or len(wanted) > EVENTS_MAX:
        raise Invalid(f"Name 1 to {EVENTS_MAX} events by their ids.", field="events")
    rows = AuditEvent.objects.in_bulk(wanted)
    for one in wanted:
        if one not in rows:
            raise NotFound(f"There is no event {one.hex}.", field="events")
    return [rows[one] for one in wanted]
