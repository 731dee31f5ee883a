"""What people are told: on their home page, and by mail."""

from typing import ClassVar

from django.db import models

from accounts.models.projects import Project
from accounts.models.users import User
from audit.ledger.tracking import Quiet
from kernel.clock import now


class Notice(Quiet):
    """One message to one person. Quiet: what it tells of is on record as an event of its own."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="notices", db_index=False)
    project = models.ForeignKey(Project, null=True, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=40, help_text="What happened: 'dataset.recalled', 'promotion.asked'.")
    text = models.CharField(max_length=500)
    url = models.CharField(max_length=500, blank=True, default="", help_text="Path of the page that shows it.")
    at = models.DateTimeField(default=now)
    read_at = models.DateTimeField(null=True)
    mailed_at = models.DateTimeField(null=True)
    mailing_until = models.DateTimeField(null=True, help_text="Until then a worker is about to mail it.")

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["user", "-at"], name="notice_newest"),
            # What waits to be mailed is found among a few, however many were sent before.
            models.Index(fields=["at"], name="notice_to_mail", condition=models.Q(read_at=None, mailed_at=None)),
        ]

    def __str__(self) -> str:
        return self.text
