"""What happens to content in the background."""

from celery import shared_task

from artifacts.uploads import expire


@shared_task
def sweep_broken_uploads() -> None:
    """Remove uploads that nobody went on with for a day, and what else was left behind."""
    expire()
