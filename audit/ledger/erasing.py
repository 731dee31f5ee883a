"""Erasing what events say: payload and salt go, the leaf stays, and every proof holds as before.

Part of an act, which is on record like any other: for each event whose payload went its payload carries

    {"type": "ledger.auditpayload", "id": <event id>, "op": "delete", "fields": {"commitment": [<hex>, null]}}

with the basis as its reason, and for each record that the payload spoke of {"type", "id", "op": "redact",
"fields": {}}: verify_ledger compares of such a record only what was recorded since.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from uuid import UUID

from django.db import ProgrammingError, connection

from audit.ledger import hooks
from audit.ledger.acting import current_act
from audit.ledger.models import AuditEvent, AuditPayload
from audit.ledger.queries.history import PAYLOAD, PastEvent, with_payloads
from audit.ledger.replay import REDACTED
from audit.ledger.triggers import RefuseUpdateAndDeleteUnlessErasing, trigger_name
from kernel.errors import Conflict, Refused

_TABLE = AuditPayload._meta.db_table


def erase(events: Sequence[AuditEvent]) -> int:
    """Part of an act with the basis as its reason: remove what these events say. Returns how many payloads went.

    What was erased before is passed over. Raises Refused or Conflict where something still needs a payload.
    """
    told = [one for one in with_payloads(events) if not one.is_erased]
    _refuse_erasures(told)
    for check in hooks.erasing:
        check(told)
    act = current_act()
    for one in told:
        act.record(PAYLOAD, one.event.id.hex, "delete", {"commitment": (one.event.commitment, None)})
    for kind, row_id in sorted(records_in(told)):
        act.record(kind, row_id, REDACTED, {})
    if told:
        _remove([one.event.id for one in told])
    return len(told)


def records_in(told: Sequence[PastEvent]) -> set[tuple[str, str]]:
    """The records that these events speak of: kind and id."""
    return {(change.type, change.id) for one in told for change in one.changes if change.op != REDACTED}


def _refuse_erasures(told: Sequence[PastEvent]) -> None:
    """What says that something was erased, or what people who control the work did, is what others verify by."""
    for one in told:
        kinds = {change.type for change in one.changes}
        if PAYLOAD in kinds:
            words = f"Event {one.event.id.hex} says what was erased, by whom and why, so it stays."
            raise Conflict(words, hint="Leave it out.", field="events")
        held = {kind for kind in kinds if kind.startswith("ledger.") or kind in hooks.kept_kinds}
        if held and not kinds & hooks.personal_kinds:
            words = f"Event {one.event.id.hex} is on record as control: it speaks of {', '.join(sorted(held))}."
            raise Conflict(words, hint="Leave it out.", field="events")


def _remove(ids: Sequence[UUID]) -> None:
    try:
        with _erasable():
            AuditPayload.objects.filter(event_id__in=ids).delete()
    except ProgrammingError as error:
        if getattr(error.__cause__, "sqlstate", None) != "42501":
            raise
        raise Refused(
            "The database does not let this server erase payloads.",
            hint="Run manage.py erase_payloads as mled_operator: docs/operate.md.",
        ) from error


@contextmanager
def _erasable() -> Iterator[None]:
    """Payloads may be deleted inside, by this transaction alone. A failure in between undoes the opening as well."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL mled.erasing = 'on'")
            yield
            cursor.execute("SET LOCAL mled.erasing = 'off'")
        else:
            cursor.execute(f'DROP TRIGGER IF EXISTS "{trigger_name(_TABLE, "DELETE")}"')
            yield
            cursor.execute(RefuseUpdateAndDeleteUnlessErasing(_TABLE).statement_for("DELETE", connection.vendor))
