"""Who outside is told of registry events, and what became of each message."""

import uuid
from typing import ClassVar

from django.db import models

from accounts.models import Project, User
from accounts.scoping import ProjectScoped
from audit.ledger.tracking import Quiet, Tracked, history
from kernel.clock import now


class Webhook(ProjectScoped, Tracked):
    """An https address that is told of events of a project. secret: the key of the signature, sealed for storage."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="webhooks")
    url = models.CharField(max_length=1000)
    events = models.JSONField(default=list, help_text="Names of events; empty for all.")
    secret = models.CharField(max_length=500)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=now)
    created_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")

    project_path = "project"
    see_permission = "webhooks.see"
    secret_fields: ClassVar[frozenset[str]] = frozenset({"secret"})
    history = history(excluded_fields=["secret"])

    def __str__(self) -> str:
        return self.url


class Delivery(ProjectScoped, Quiet):
    """One message to a webhook and its fate. Quiet: what it tells of is on record as an event of its own."""

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        SENDING = "sending", "Sending"
        DELIVERED = "delivered", "Delivered"
        FAILED = "failed", "Failed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    webhook = models.ForeignKey(Webhook, on_delete=models.PROTECT, related_name="deliveries")
    event = models.CharField(max_length=60)
    body = models.TextField()
    of_version = models.BigIntegerField(null=True, help_text="The model version that the message speaks of.")
    state = models.CharField(max_length=9, choices=State.choices, default=State.WAITING)
    attempts = models.IntegerField(default=0)
    next_at = models.DateTimeField(default=now)
    lease_until = models.DateTimeField(null=True)
    status_code = models.IntegerField(null=True)
    error = models.CharField(max_length=500, blank=True, default="")
    created_at = models.DateTimeField(default=now)
    done_at = models.DateTimeField(null=True)

    project_path = "webhook__project"
    see_permission = "webhooks.see"

    class Meta:
        # What is due is found among a few, however many were delivered before.
        indexes: ClassVar = [
            models.Index(fields=["state", "next_at"], name="delivery_due"),
            models.Index(
                fields=["of_version", "-created_at"],
                name="delivery_of_version",
                condition=models.Q(of_version__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event}: {self.state}"
