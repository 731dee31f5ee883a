"""What the site itself does in the background."""

from celery import shared_task

from mled_site.diagnostics.signs import note_tick


@shared_task  # type: ignore[untyped-decorator]
def sign_of_life() -> None:
    """Twice a minute: beat, broker and worker are well, or the diagnosis would not find this."""
    note_tick()
