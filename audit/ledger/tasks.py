"""Background work of the ledger. The sequencer is a process of its own: it must not depend on the broker."""

from celery import shared_task

from audit.ledger import alarm, origins


@shared_task  # type: ignore[untyped-decorator]
def forget_origins() -> int:
    """Daily: delete IP addresses that are older than 90 days."""
    return origins.forget_origins()


@shared_task  # type: ignore[untyped-decorator]
def watch_log() -> None:
    """Twice a minute: is the log behind, stopped, or not anchored? Tells when it begins and when it is over."""
    alarm.watch()
