"""Runs that were entered by hand: what keeps one form from making two of them."""

import uuid

from django.db import models

from accounts.models import Project, User
from audit.ledger.tracking import Quiet
from kernel.clock import now


class RecordedOnce(Quiet):
    """Which run came of one sent form or call. Quiet: the run's own event tells of it; this only finds it again.

    It holds the run's id and not the run, so that it stands in nobody's way and the key is not used twice.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="+")
    user = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    key = models.CharField(max_length=200, help_text="The form's token, or the header Idempotency-Key.")
    digest = models.CharField(max_length=64, help_text="SHA-256 of what was sent.")
    run_uid = models.UUIDField()
    at = models.DateTimeField(default=now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "project", "key"], name="recorded_once")]

    def __str__(self) -> str:
        return self.key
