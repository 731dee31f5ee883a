"""What upper rooms do when the log has gone on, and when something in it is to be erased."""

import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from audit.ledger.queries.history import PastEvent

log = logging.getLogger(__name__)

# After a checkpoint was signed over new events, outside its transaction, in the process of the sequencer: short work
# only, which looks for itself what there is to do. What is missed here has to be found again by the clock.
checkpoint_signed: list[Callable[[], object]] = []

# In an act that is about to erase what these events say: an upper room raises where something still needs it.
erasing: list[Callable[[Sequence["PastEvent"]], None]] = []

# In the act that tells that something is wrong with the log, with the words for it.
alarm_raised: list[Callable[[str], object]] = []


def tell_signed() -> None:
    """Call them all. Whatever goes wrong in one is logged: the log itself must go on."""
    for hear in checkpoint_signed:
        try:
            hear()
        except Exception:
            log.exception("After a checkpoint: %s", getattr(hear, "__name__", hear))
