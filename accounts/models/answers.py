"""Answers that REST calls got, kept for callers who ask the same again."""

from typing import ClassVar

from django.db import models

from accounts.models.users import User
from audit.ledger.tracking import Quiet
from kernel.clock import now


class KeptAnswer(Quiet):
    """What a call with an Idempotency-Key was answered. Quiet: it repeats what the call's own event tells, for days.

    Without a status it is the claim of a call under way, which nobody else sees before that call commits.
    """

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    key = models.CharField(max_length=200)
    call = models.CharField(max_length=64, help_text="SHA-256 of method and address.")
    digest = models.CharField(max_length=64, help_text="HMAC-SHA256 of what the call said.")
    status = models.PositiveSmallIntegerField(null=True)
    location = models.CharField(max_length=2000, blank=True, default="")
    body = models.TextField(blank=True, default="", help_text="JSON as it was answered, without secrets.")
    project_id = models.UUIDField(null=True, help_text="Where the call acted; asked for again before it is repeated.")
    at = models.DateTimeField(default=now, db_index=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["user", "key", "call"], name="kept_answer_once")]

    def __str__(self) -> str:
        return self.key
