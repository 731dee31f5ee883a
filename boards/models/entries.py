"""What was submitted to a board, and the tokens that are the key to it."""

import uuid

from django.db import models

from accounts.models import User
from accounts.scoping import ProjectScoped
from audit.ledger.tracking import Tracked, history
from boards.models.boards import Board
from experiments.models import Run
from kernel.clock import now


class ReaderPass(ProjectScoped, Tracked):
    """A claim token at one board, by the SHA-256 of its secret. Its id stands with each act in the log.

    user: the account that keeps it, once somebody who signed in asked for that.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    board = models.ForeignKey(Board, on_delete=models.PROTECT, related_name="passes", db_index=False)
    digest = models.CharField(max_length=64)
    user = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=now)
    revoked_at = models.DateTimeField(null=True)
    revoked_why = models.CharField(max_length=1000, blank=True, default="")

    project_path = "board__project"
    owner_path = "user"
    secret_fields = frozenset({"digest"})
    history = history(excluded_fields=["digest"])

    class Meta:
        constraints = [models.UniqueConstraint(fields=["board", "digest"], name="reader_pass_once")]

    def __str__(self) -> str:
        return f"claim token {self.pk.hex[:8]}"


class Submission(ProjectScoped, Tracked):
    """An entry of a board: a run, who gave it (a claim token, or the run's author) and whether it shows.

    number: 1, 2, 3 on its board. run: what it says now; a change of params or results is another run, and the one
    before is deleted softly.
    """

    class State(models.TextChoices):
        SHOWN = "shown", "Shown"
        HELD = "held", "Waits for a manager"
        HIDDEN = "hidden", "Taken off"
        WITHDRAWN = "withdrawn", "Withdrawn"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    board = models.ForeignKey(Board, on_delete=models.PROTECT, related_name="submissions", db_index=False)
    number = models.IntegerField()
    run = models.OneToOneField(Run, on_delete=models.PROTECT, related_name="submission")
    claim = models.ForeignKey(ReaderPass, null=True, on_delete=models.PROTECT, related_name="submissions")
    state = models.CharField(max_length=9, choices=State.choices, default=State.SHOWN)
    state_why = models.CharField(max_length=1000, blank=True, default="", help_text="Why a manager took it off.")
    is_test = models.BooleanField(default=False, help_text="Shows to who gave it alone, and opens nothing.")
    created_at = models.DateTimeField(default=now)
    changed_at = models.DateTimeField(null=True)

    project_path = "board__project"
    see_permission = "boards.see"
    owner_path = "run__created_by"
    history = history()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["board", "number"], name="submission_once"),
            models.CheckConstraint(
                condition=models.Q(state__in=["shown", "held", "hidden", "withdrawn"]), name="submission_state_known"
            ),
        ]
        indexes = [models.Index(fields=["claim", "created_at"], name="submission_of_claim")]

    def __str__(self) -> str:
        return f"entry {self.number}"
