"""What upper rooms do when the log has gone on."""

import logging
from collections.abc import Callable

log = logging.getLogger(__name__)

# After a checkpoint was signed over new events, outside its transaction, in the process of the sequencer: short work
# only, which looks for itself what there is to do. What is missed here has to be found again by the clock.
checkpoint_signed: list[Callable[[], object]] = []


def tell_signed() -> None:
    """Call them all. Whatever goes wrong in one is logged: the log itself must go on."""
    for hear in checkpoint_signed:
        try:
            hear()
        except Exception:
            log.exception("After a checkpoint: %s", getattr(hear, "__name__", hear))
