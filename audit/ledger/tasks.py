"""Background work of the ledger. The sequencer is a process of its own: it must not depend on the broker."""

from celery import shared_task

from audit.ledger import origins


@shared_task  # type: ignore[untyped-decorator]
def forget_origins() -> int:
    """Daily: delete IP addresses that are older than 90 days."""
    return origins.forget_origins()
