"""What happens in the background to notices and to answers that are kept."""

from celery import shared_task

from accounts.answers import forget_answers
from accounts.mailing import mail_waiting_notices


@shared_task  # type: ignore[untyped-decorator]  # celery brings no types
def mail_notices() -> None:
    """Mail what people have not read here."""
    mail_waiting_notices()


@shared_task  # type: ignore[untyped-decorator]  # celery brings no types
def forget_kept_answers() -> None:
    """Drop answers of the REST API that are older than they are kept."""
    forget_answers()
