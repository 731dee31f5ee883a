"""What happens to people's notices in the background."""

from celery import shared_task

from accounts.mailing import mail_waiting_notices


@shared_task  # type: ignore[untyped-decorator]  # celery brings no types
def mail_notices() -> None:
    """Mail what people have not read here."""
    mail_waiting_notices()
