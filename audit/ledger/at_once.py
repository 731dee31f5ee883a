"""Acts whose rows and event are written together, by statements that are composed once (docs/adr/0055).

The event, its payload and its place in the queue are those of `Act.write`; whoever uses this writes them in the
statement, or the transaction, in which the rows of the act are written.
"""

import os
from collections.abc import Mapping
from typing import Any, Final, NoReturn

from django.db import connection

from audit.ledger.acting import Act, before_event
from audit.ledger.composing import Places, insertion
from audit.ledger.models import AuditEvent, AuditPayload, Pending
from audit.ledger.values import address_in
from kernel.digests import canonical_json, commitment

_EVENT: Final = {
    one.attname: "event_id" if one.primary_key else f"event_{one.attname}" for one in AuditEvent._meta.concrete_fields
}
_PAYLOAD: Final = {"event_id": "event_id", "salt": "salt", "body": "body"}
_PENDING: Final = {"event_id": "event_id", "ip": "ip"}


class NeedsMore(Exception):
    """Another room has something to read or write in the transaction of this act: it goes the ordinary way."""


def event_insertions(places: Places, *, after: str = "") -> list[str]:
    """The statements that store an event and queue it; the last one's row says that all is written."""
    parts = ((AuditEvent, _EVENT), (AuditPayload, _PAYLOAD), (Pending, _PENDING))
    return [insertion(model, given, places, after=after) for model, given in parts]


def event_values(act: Act) -> dict[str, Any]:
    """What the statements bind, all but what `sealed` gives. Raises NeedsMore."""
    with connection.execute_wrapper(_refuse):
        for prepare in before_event:
            prepare(act)
    values = {_EVENT[name]: value for name, value in act.columns().items()}
    return values | {"ip": address_in(act.actor.ip)}


def sealed(payload: Mapping[str, Any]) -> dict[str, Any]:
    """The payload as it is kept, and the commitment to it, by their names in the statements."""
    salt, body = os.urandom(32), canonical_json(payload)
    return {"salt": salt, "body": body.decode(), "event_commitment": commitment(salt, body)}


def _refuse(*args: Any, **kwargs: Any) -> NoReturn:
    raise NeedsMore
