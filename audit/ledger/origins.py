"""Where acts came from: IP addresses beside the log, which are personal data and are kept for 90 days."""

import datetime as dt

from audit.ledger.models import EventOrigin
from kernel.clock import now

KEPT = dt.timedelta(days=90)


def forget_origins() -> int:
    """Delete the origins that are older than 90 days; how many."""
    return EventOrigin.objects.filter(at__lt=now() - KEPT).delete()[0]
