"""Asking that a version may carry a protected alias or stage, and the decision."""

import uuid

from django.db import models

from accounts.models import Signature, User
from accounts.scoping import ProjectScoped
from audit.ledger.tracking import Tracked, history
from kernel.clock import now
from registry.models.registered_models import ModelVersion, RegisteredModel


class PromotionRequest(ProjectScoped, Tracked):
    """A request: this version shall carry that alias or stage. Approved ones take effect when the log covers them.

    lapsed: approved, but not carried out, because something had changed by then; lapsed_why says what.

    gates: the checklist as it stood at the decision (before one: at the request); see registry.gates.
    """

    class Kind(models.TextChoices):
        ALIAS = "alias", "Alias"
        STAGE = "stage", "Stage"

    class State(models.TextChoices):
        ASKED = "asked", "Asked"
        APPROVED = "approved", "Approved"
        REJECTED = "rejected", "Rejected"
        WITHDRAWN = "withdrawn", "Withdrawn"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    model = models.ForeignKey(RegisteredModel, on_delete=models.PROTECT, related_name="promotions")
    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="promotions")
    kind = models.CharField(max_length=5, choices=Kind.choices)
    target = models.CharField(max_length=255, help_text="The alias or stage.")
    from_version = models.ForeignKey(
        ModelVersion, null=True, on_delete=models.PROTECT, related_name="+", help_text="Which carried it when asked."
    )
    state = models.CharField(max_length=9, choices=State.choices, default=State.ASKED)
    comment = models.TextField(blank=True, default="")
    created_at = models.DateTimeField(default=now)
    created_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    gates = models.JSONField(default=list)
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    decision_comment = models.TextField(blank=True, default="")
    signature = models.ForeignKey(Signature, null=True, on_delete=models.PROTECT, related_name="+")
    effective_at = models.DateTimeField(null=True)
    lapsed_at = models.DateTimeField(null=True)
    lapsed_why = models.TextField(blank=True, default="")

    project_path = "model__project"
    history = history()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["model", "kind", "target", "version"],
                name="promotion_open_once",
                condition=models.Q(state="asked"),
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=["asked", "approved", "rejected", "withdrawn"]),
                name="promotion_state_known",
            ),
        ]
        indexes = [
            models.Index(
                fields=["decided_at"],
                name="promotion_waits",
                condition=models.Q(state="approved", effective_at=None, lapsed_at=None),
            )
        ]

    def __str__(self) -> str:
        return f"{self.version} → {self.target}"

    @property
    def is_open(self) -> bool:
        """Whether it waits for a decision."""
        return self.state == self.State.ASKED

    @property
    def is_waiting(self) -> bool:
        """Whether it is approved and waits for the log to cover the signature."""
        return self.state == self.State.APPROVED and self.effective_at is None and self.lapsed_at is None
