"""Answers that are kept for whoever sends the same call again, each claimed in the transaction of its call."""

from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from django.db import DatabaseError, IntegrityError, transaction

from accounts.models import KeptAnswer
from audit.ledger.locks import waiting_at_most
from kernel.clock import now
from kernel.errors import Conflict

KEPT_FOR: Final = timedelta(days=7)
_WAIT_MS: Final = 10_000  # for another call with the same key; PostgreSQL only, SQLite has its own patience
_LOCK_NOT_AVAILABLE: Final = "55P03"


class KeyBusy(Conflict):
    """The call with this key is still under way."""

    code = "IDEMPOTENCY_KEY_IN_USE"
    retry_after = 2


def claimed(user_id: UUID | None, *, key: str, call: str, digest: str) -> KeptAnswer:
    """A new claim, without a status, or the kept answer of an earlier call. Call inside a transaction.

    Waits for a call with the same key that is under way. Raises KeyBusy where that takes long.
    """
    mine: dict[str, Any] = {"user_id": user_id, "key": key, "call": call}
    known = KeptAnswer.objects.filter(**mine).first()
    if known is not None and known.at >= now() - KEPT_FOR:
        return known
    if known is not None:
        known.delete()
    try:
        with transaction.atomic(), waiting_at_most(_WAIT_MS):
            return KeptAnswer.objects.create(**mine, digest=digest)
    except IntegrityError:
        return KeptAnswer.objects.get(**mine)
    except DatabaseError as error:
        if getattr(error.__cause__, "sqlstate", "") != _LOCK_NOT_AVAILABLE:
            raise
        raise KeyBusy(
            "A call with this key is still under way.", hint="Ask again in a moment.", field="Idempotency-Key"
        ) from None


def forget_answers() -> int:
    """Drop answers that are older than they are kept. Returns how many."""
    gone, _ = KeptAnswer.objects.filter(at__lt=now() - KEPT_FOR).delete()
    return gone
