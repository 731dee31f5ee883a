"""Notices by mail: one letter to each person with what they have not read here. Several workers may do it at once."""

import datetime as dt
import logging
import smtplib
from collections.abc import Sequence
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import Q

from accounts.models import Notice, User
from kernel.clock import now
from kernel.digests import sha256_hex

log = logging.getLogger(__name__)

LEASE = dt.timedelta(minutes=5)
PATIENCE = dt.timedelta(seconds=60)  # who is signed in reads it on the page
TOO_OLD = dt.timedelta(days=3)  # after a long outage nobody wants last week's mail
LINES_AT_MOST = 50


def mail_waiting_notices() -> int:
    """Mail what waits; returns how many letters went out. One that cannot be sent now waits for the next round."""
    sent = 0
    for user_id in _whoever_waits():
        letter = _claim(user_id)
        if letter and _send(letter):
            sent += 1
    return sent


def _waiting() -> Q:
    moment = now()
    return (
        Q(read_at=None, mailed_at=None, at__lte=moment - PATIENCE, at__gte=moment - TOO_OLD)
        & Q(user__is_active=True, user__is_service=False)
        & (Q(mailing_until=None) | Q(mailing_until__lt=moment))
    )


def _whoever_waits() -> list[UUID]:
    return list(Notice.objects.filter(_waiting()).order_by("user_id").values_list("user_id", flat=True).distinct())


def _claim(user_id: UUID) -> list[Notice]:
    """This person's waiting notices, taken for a while: another worker passes them over until then."""
    with transaction.atomic():
        rows = Notice.objects.select_for_update(of=("self",), skip_locked=True).filter(_waiting(), user_id=user_id)
        letter = list(rows.select_related("user").order_by("at", "pk")[:LINES_AT_MOST])
        Notice.objects.filter(pk__in=[one.pk for one in letter]).update(mailing_until=now() + LEASE)
    return letter


def _send(letter: Sequence[Notice]) -> bool:
    """Send it and note so. Where a worker dies in between, it goes out again, under the same Message-ID."""
    user: User = letter[0].user
    message = EmailMessage(
        subject=_subject(letter),
        body=_body(user, letter),
        to=[user.email],
        headers={"Message-ID": _message_id(letter), "Auto-Submitted": "auto-generated"},
    )
    rows = Notice.objects.filter(pk__in=[one.pk for one in letter])
    try:
        message.send()
    except (OSError, smtplib.SMTPException) as error:
        log.warning("%d notices for %s could not be mailed: %s", len(letter), user.pk, error)
        return False
    rows.update(mailed_at=now(), mailing_until=None)
    return True


def _subject(letter: Sequence[Notice]) -> str:
    """The only notice in one line, or how many there are."""
    line = " ".join(letter[0].text.split())
    line = line if len(line) <= 150 else line[:149] + "…"
    return f"MLED: {line}" if len(letter) == 1 else f"MLED: {len(letter)} notices"


def _body(user: User, letter: Sequence[Notice]) -> str:
    paragraphs = [f"{one.text}\n{_address(one.url)}".rstrip() for one in letter]
    return "\n\n".join([f"Hello {user},", *paragraphs, f"All notices: {_address('/')}"]) + "\n"


def _address(path: str) -> str:
    """The whole address of a page, where this installation knows its own."""
    return f"{settings.MLED_URL.rstrip('/')}{path}" if path and settings.MLED_URL else path


def _message_id(letter: Sequence[Notice]) -> str:
    digest = sha256_hex(",".join(str(one.pk) for one in letter).encode())[:32]
    sender = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].strip("> ") or "localhost"
    return f"<notices-{digest}@{sender}>"
