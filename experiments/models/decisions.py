"""What a project decided, and the runs that it decided by."""

import uuid

from django.db import models

from accounts.models import Project, User
from accounts.scoping import ProjectScoped
from audit.ledger.tracking import Tracked, history
from experiments.models.runs import Run
from kernel.clock import now


class Decision(ProjectScoped, Tracked):
    """A decision as it was put down. It is never rewritten: a later one replaces it, or it is taken back.

    number: 1, 2, 3 in its project. why: Markdown.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="decisions", db_index=False)
    number = models.IntegerField()
    title = models.CharField(max_length=200, help_text="What was decided, in one line.")
    why = models.TextField(blank=True, default="")
    replaces = models.OneToOneField(
        "self", null=True, on_delete=models.PROTECT, related_name="replaced_by", help_text="The one it stands for now."
    )
    created_at = models.DateTimeField(default=now)
    created_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    taken_back_at = models.DateTimeField(null=True)
    taken_back_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    taken_back_why = models.CharField(max_length=1000, blank=True, default="")

    history = history()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "number"], name="decision_once")]

    def __str__(self) -> str:
        return f"decision {self.number}"


class DecisionRun(ProjectScoped, Tracked):
    """A run that a decision cites. place: its position among them, from 0."""

    decision = models.ForeignKey(Decision, on_delete=models.PROTECT, related_name="citations", db_index=False)
    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="citations")
    place = models.IntegerField()

    project_path = "decision__project"
    history = history()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["decision", "run"], name="decision_run_once")]

    def __str__(self) -> str:
        return f"{self.run_id} in {self.decision_id}"
