"""Electronic signatures: who signed what, when, meaning what, bound to the record as it was."""

import uuid

from django.db import models

from accounts.models.projects import Project
from accounts.models.users import User
from accounts.scoping import ProjectScoped
from audit.ledger.tracking import Evidence
from kernel.clock import now


class Signature(ProjectScoped, Evidence):
    """One signature. Never changed and never removed. Recorded as 'accounts.signature' (21 CFR 11.50, 11.70, 11.200).

    record: the frozen record as canonical JSON (RFC 8785); digest: its SHA-256. The signature counts once the log
    covers its event.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="signatures")
    subject_type = models.CharField(max_length=80)
    subject_id = models.CharField(max_length=64)
    meaning = models.CharField(max_length=200, help_text="As it is printed: 'approved for production'.")
    signed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="signatures")
    printed_name = models.CharField(max_length=200, help_text="The signer's name at that moment.")
    signed_at = models.DateTimeField(default=now)
    proven_at = models.DateTimeField(help_text="When the signer last proved who they are.")
    factors = models.CharField(max_length=80, help_text="How: 'password', later 'password, totp'.")
    comment = models.TextField(blank=True, default="")
    record = models.TextField()
    digest = models.CharField(max_length=64)
    event_id = models.UUIDField(help_text="The ledger event that carries it.")

    project_path = "project"

    class Meta:
        indexes = [models.Index(fields=["subject_type", "subject_id"], name="signature_subject")]

    def __str__(self) -> str:
        return f"{self.printed_name}: {self.meaning}"
