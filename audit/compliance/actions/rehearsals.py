"""Recording that a back-up was restored elsewhere and found whole."""

from accounts.decorators import action
from audit.compliance.texts import kept_text
from audit.ledger.acting import current_act
from audit.ledger.copies import Copy
from audit.ledger.tree import stored_size
from audit.ledger.values import Subject
from kernel.actor import Actor
from kernel.errors import Invalid

REHEARSAL = "compliance.rehearsal"


@action("compliance.rehearse")
def record_rehearsal(actor: Actor, *, log_size: int, note: str = "", checked: Copy | None = None) -> None:
    """Keep that a back-up with the first `log_size` events was restored elsewhere.

    checked: what MLED itself found in it (`audit.ledger.copies`); without it, this is the word of who says so. Raises
    Invalid, Refused.
    """
    if type(log_size) is not int or not 0 < log_size <= (size := stored_size()):
        hint = "manage.py verify_ledger, on the restored copy, says how many it has."
        raise Invalid("'log_size' is how many events the restored log has.", hint=hint, field="log_size")
    words = kept_text(note, field="note")
    if checked is None and not words:
        raise Invalid("Say how it was restored and what was checked.", field="note")
    act = current_act()
    told = {"log_size": log_size, "log_behind": size - log_size, "checked": checked is not None, "note": words}
    if checked is not None:
        told |= {"root": checked.root, "records": checked.records, "waiting": checked.waiting}
    act.record(REHEARSAL, act.event_id.hex, "set", {name: (None, value) for name, value in told.items()})
    act.speaks_of(Subject(REHEARSAL, act.event_id.hex))
