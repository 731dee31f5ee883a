"""What people put beside runs: stars for themselves, comments for one another."""

import uuid

from django.db import models

from accounts.models import User
from accounts.scoping import ProjectScoped
from audit.ledger.tracking import Tracked, history
from experiments.models.runs import Run
from kernel.clock import now


class Star(ProjectScoped, Tracked):
    """A run that somebody wants to find again. Only they see it, and whoever reads the project's log."""

    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="stars", db_index=False)
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(default=now)

    project_path = "run__project"
    experiment_path = "run__experiment"
    history = history()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "user"], name="star_once")]

    def __str__(self) -> str:
        return f"{self.run_id} of {self.user_id}"


class Comment(ProjectScoped, Tracked):
    """What somebody says about a run, in Markdown. Removing it empties the text and keeps its place.

    version grows with each edit, so that an author who writes in two windows is told.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="comments", db_index=False)
    text = models.TextField(blank=True, default="")
    version = models.IntegerField(default=1)
    created_at = models.DateTimeField(default=now)
    created_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    edited_at = models.DateTimeField(null=True)
    removed_at = models.DateTimeField(null=True)
    removed_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    removed_why = models.CharField(max_length=1000, blank=True, default="", help_text="What a manager said.")

    project_path = "run__project"
    experiment_path = "run__experiment"
    history = history()

    class Meta:
        indexes = [models.Index(fields=["run", "created_at"], name="comment_of_run")]

    def __str__(self) -> str:
        return self.text[:40]
