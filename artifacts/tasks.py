"""What happens to content in the background."""

import datetime as dt

from celery import shared_task

from artifacts.storage import blobs
from kernel.clock import now


@shared_task
def sweep_broken_uploads() -> None:
    """Remove what uploads left behind that broke off more than a day ago."""
    blobs().sweep(now() - dt.timedelta(days=1))
