"""What happened, in rows that nobody changes.

No foreign keys lead out: evidence outlives what it speaks of. Triggers (migration 0002) refuse UPDATE and DELETE on
events, leaves and checkpoints on both databases; a payload may only be erased, and that is an event of its own.
"""

from django.db import models

from kernel.clock import now
from kernel.ids import uuid7


class AuditEvent(models.Model):
    """One act, written in the transaction of the act. Every column but the id's own table order is in the leaf."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    project_id = models.UUIDField(null=True)
    actor_kind = models.CharField(max_length=12)
    actor_id = models.UUIDField(null=True)
    actor_roles = models.CharField(max_length=200, default="", help_text="Roles at that moment, comma-separated.")
    token_id = models.UUIDField(null=True)
    door = models.CharField(max_length=12)
    client = models.CharField(max_length=200, default="", help_text="What the client calls itself.")
    request_id = models.CharField(max_length=64, default="")
    verb = models.CharField(max_length=80)
    outcome = models.CharField(max_length=8, default="done", help_text="done or denied")
    subject_type = models.CharField(max_length=80, default="")
    subject_id = models.CharField(max_length=64, default="")
    client_ms = models.BigIntegerField(null=True)
    at = models.DateTimeField(default=now)
    commitment = models.CharField(max_length=64)

    class Meta:
        indexes = [
            models.Index(fields=["subject_type", "subject_id", "id"], name="ledger_event_subject"),
            models.Index(fields=["project_id", "id"], name="ledger_event_project"),
            models.Index(fields=["project_id", "actor_id", "id"], name="ledger_event_actor"),
            models.Index(fields=["project_id", "verb", "id"], name="ledger_event_verb"),
            models.Index(fields=["project_id", "subject_type", "id"], name="ledger_event_kind"),
            models.Index(fields=["project_id", "id"], name="ledger_event_denied", condition=models.Q(outcome="denied")),
        ]

    def __str__(self) -> str:
        return f"{self.verb} {self.subject_type} {self.subject_id}"


class AuditPayload(models.Model):
    """What the commitment of an event covers: row changes and the reason, as canonical JSON."""

    event_id = models.UUIDField(primary_key=True)
    salt = models.BinaryField(max_length=32)
    body = models.TextField()

    def __str__(self) -> str:
        return f"payload of {self.event_id}"


class EventOrigin(models.Model):
    """Where an act came from, beside the log: kept for 90 days."""

    event_id = models.UUIDField(primary_key=True)
    ip = models.GenericIPAddressField(null=True)
    at = models.DateTimeField(default=now, db_index=True)

    def __str__(self) -> str:
        return f"origin of {self.event_id}"


class Pending(models.Model):
    """An event that waits for its leaf. The sequencer removes it in the transaction that writes the leaf.

    Its number comes from the database while the act still holds its row locks, so that two acts on one row are
    numbered in the order in which they happened: event ids, made earlier and on many machines, cannot say that.
    """

    event_id = models.UUIDField()
    ip = models.GenericIPAddressField(null=True, help_text="Moved to EventOrigin with the leaf.")

    def __str__(self) -> str:
        return f"{self.event_id} waits"


class Leaf(models.Model):
    """The place of an event in the log: gapless from 0, with the RFC 6962 leaf hash of its canonical JSON."""

    seq = models.BigIntegerField(primary_key=True)
    event_id = models.UUIDField(unique=True)
    leaf_hash = models.CharField(max_length=64)

    class Meta:
        verbose_name_plural = "leaves"

    def __str__(self) -> str:
        return f"leaf {self.seq}"


class Subtree(models.Model):
    """The root of a full subtree of 256**level leaves: the log goes on and proves without reading all its leaves."""

    level = models.SmallIntegerField()
    place = models.BigIntegerField(help_text="0 for the leftmost of its level.")
    root = models.CharField(max_length=64)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["level", "place"], name="ledger_subtree_place")]

    def __str__(self) -> str:
        return f"{self.level}/{self.place}"


class Checkpoint(models.Model):
    """A signed head of the log: C2SP note over origin, size and root."""

    size = models.BigIntegerField()
    root = models.CharField(max_length=64)
    key_id = models.CharField(max_length=16)
    note = models.TextField()
    at = models.DateTimeField(default=now)
    anchor = models.CharField(max_length=200, default="")

    class Meta:
        indexes = [models.Index(fields=["size", "id"], name="ledger_checkpoint_size")]

    def __str__(self) -> str:
        return f"checkpoint at {self.size}"
