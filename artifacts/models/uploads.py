"""Uploads that arrive in parts and may go on after a broken connection."""

import uuid

from django.db import models

from accounts.models import Project, User
from accounts.scoping import ProjectScoped
from artifacts.models.blobs import Blob
from audit.ledger.tracking import Quiet
from kernel.clock import now


class Upload(ProjectScoped, Quiet):
    """Bytes on their way to a blob. Quiet: the action that gives the blob a name records it.

    While the row is there, its blob is never collected. storage_key names what the storage holds of it so far.
    """

    class State(models.TextChoices):
        OPEN = "open", "Open"
        COMPLETE = "complete", "Complete"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="+")
    created_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    purpose = models.CharField(max_length=1100, blank=True, default="", help_text="Where it shall go, if it is known.")
    size_bytes = models.BigIntegerField(null=True, help_text="As announced.")
    digest = models.CharField(max_length=64, blank=True, default="", help_text="SHA-256 as announced.")
    part_bytes = models.BigIntegerField(null=True)
    received_bytes = models.BigIntegerField(default=0)
    storage_key = models.CharField(max_length=2000, blank=True, default="")
    parts = models.JSONField(default=list)
    state = models.CharField(max_length=8, choices=State.choices, default=State.OPEN)
    blob = models.ForeignKey(Blob, null=True, on_delete=models.PROTECT, related_name="uploads")
    created_at = models.DateTimeField(default=now)
    touched_at = models.DateTimeField(default=now)

    project_path = "project"

    def __str__(self) -> str:
        return f"upload {self.id}"


class BlobCheck(Quiet):
    """When a blob's bytes were last read again, and what was found. Quiet: a finding leaves an event of its own."""

    class Outcome(models.TextChoices):
        SOUND = "sound", "Sound"
        MISSING = "missing", "Missing"
        CHANGED = "changed", "Changed"

    blob = models.OneToOneField(Blob, primary_key=True, on_delete=models.PROTECT, related_name="check_up")
    at = models.DateTimeField(default=now, db_index=True)
    outcome = models.CharField(max_length=7, choices=Outcome.choices)

    def __str__(self) -> str:
        return f"{self.blob_id}: {self.outcome}"


class ParkedBlob(Quiet):
    """Few bytes that were acknowledged and are on their way to the store. Quiet: the digest is on record with the file.

    By number, since the same content may be parked, moved, cleared away and parked again: whoever moved one row takes
    away that row, never one that came later.
    """

    id = models.BigAutoField(primary_key=True)
    digest = models.CharField(max_length=64, unique=True)
    content = models.BinaryField()
    since = models.DateTimeField(default=now)
    refusals = models.PositiveSmallIntegerField(null=True, help_text="How often the store took others and not this.")
    retry_at = models.DateTimeField(null=True, help_text="When it is tried again after that.")

    def __str__(self) -> str:
        return f"{self.digest}: parked"


class UnnamedBlob(Quiet):
    """A blob that nothing names, and since when. Quiet: what is so for long is taken away in an act on record.

    Whoever gives the blob a name removes this row first, and whoever takes the bytes away holds it: so only one does.
    """

    blob = models.OneToOneField(Blob, primary_key=True, on_delete=models.PROTECT, related_name="unnamed")
    since = models.DateTimeField(default=now, db_index=True)

    def __str__(self) -> str:
        return f"{self.blob_id}: unnamed"
