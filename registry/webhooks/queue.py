"""The queue of messages: taken under a lease, sent outside of any transaction, tried again with growing pauses.

At least once: a worker that dies after sending leaves the message to another. Receivers tell repeats by webhook-id.
"""

import datetime as dt
import json
import time

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet

from audit.ledger.ages import is_older
from kernel.clock import now
from registry.models import Delivery
from registry.webhooks.secrets import SecretLost, signature, unsealed
from registry.webhooks.sending import ERROR_MAX, Answer, post

LEASE = dt.timedelta(seconds=60)
PAUSES = tuple(dt.timedelta(seconds=seconds) for seconds in (30, 120, 600, 3600, 4 * 3600, 12 * 3600))
ATTEMPTS_MAX = len(PAUSES) + 1
AT_ONCE = 500  # messages that are dropped in one statement

State = Delivery.State


def send_next() -> bool:
    """Take one message that is due, send it, and note what came of it. False: nothing is due."""
    delivery = _take()
    if delivery is None:
        return False
    _settle(delivery, _sent(delivery))
    return True


def due(moment: dt.datetime) -> QuerySet[Delivery]:
    """What may be sent at that moment, what has waited longest first."""
    waits = Q(state=State.WAITING, next_at__lte=moment) | Q(state=State.SENDING, lease_until__lt=moment)
    rows: QuerySet[Delivery] = Delivery.objects.filter(waits)
    return rows.order_by("next_at", "created_at")


def forget_old() -> int:
    """Drop messages that came to an end so many days ago, some at a time; how many went."""
    if not settings.MLED_WEBHOOK_DAYS:
        return 0
    ended = Delivery.objects.filter(state__in=(State.DELIVERED, State.FAILED))
    old = ended.filter(is_older("done_at", dt.timedelta(days=settings.MLED_WEBHOOK_DAYS)))
    went = 0
    while some := list(old.values_list("pk", flat=True)[:AT_ONCE]):
        Delivery.objects.filter(pk__in=some).delete()
        went += len(some)
    return went


def _take() -> Delivery | None:
    """The message that has waited longest, held by a lease."""
    with transaction.atomic():
        moment = now()
        rows = due(moment).select_for_update(skip_locked=True, of=("self",))
        delivery: Delivery | None = rows.select_related("webhook").first()
        if delivery is not None:
            delivery.state, delivery.lease_until = State.SENDING, moment + LEASE
            delivery.attempts += 1
            delivery.save(update_fields=["state", "lease_until", "attempts"])
        return delivery


def _sent(delivery: Delivery) -> Answer:
    webhook, body = delivery.webhook, delivery.body.encode()
    if not webhook.is_active:
        return Answer(None, "The webhook is switched off.")
    try:
        secret = unsealed(webhook.secret)
    except SecretLost as lost:
        return Answer(None, str(lost))
    message_id, timestamp = str(json.loads(delivery.body)["id"]), int(time.time())
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "MLED-Webhooks/1",
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signature(secret, message_id, timestamp, body),
        "mled-event": delivery.event,
        "mled-delivery": str(delivery.pk),
    }
    return post(webhook.url, body, headers)


def _settle(delivery: Delivery, answer: Answer) -> None:
    """Note the outcome, unless the lease ran out and another worker has the message now."""
    mine = Delivery.objects.filter(pk=delivery.pk, state=State.SENDING, attempts=delivery.attempts)
    noted = {"status_code": answer.status, "error": answer.error[:ERROR_MAX], "lease_until": None}
    if answer.is_good:
        mine.update(state=State.DELIVERED, done_at=now(), **noted)
    elif delivery.attempts >= ATTEMPTS_MAX or not delivery.webhook.is_active:
        mine.update(state=State.FAILED, done_at=now(), **noted)
    else:
        mine.update(state=State.WAITING, next_at=now() + PAUSES[delivery.attempts - 1], **noted)
