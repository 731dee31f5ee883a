"""Reviews of runs by auditors: submitted, decided with a signature, or flagged with findings that are answered."""

import uuid

from django.db import models

from accounts.models import Project, Signature, User
from accounts.scoping import ProjectScoped
from audit.compliance.models.assessments import Assessment
from audit.ledger.tracking import Tracked, history
from experiments.models import Run
from kernel.clock import now


class Review(ProjectScoped, Tracked):
    """One round of review of one run, from its submission to a verdict. A run has at most one open round.

    assessment: what the rules said when it was decided. Decided rounds never change; what changes later in the run
    makes its state 'changed since review' and needs a new round.
    """

    class State(models.TextChoices):
        SUBMITTED = "submitted", "Submitted"
        IN_REVIEW = "in_review", "In review"
        COMPLIANT = "compliant", "Compliant"
        FLAGGED = "flagged", "Flagged"
        WITHDRAWN = "withdrawn", "Withdrawn"

    OPEN = (State.SUBMITTED, State.IN_REVIEW)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="reviews", db_index=False)
    number = models.IntegerField(help_text="1 for the first round of a run.")
    state = models.CharField(max_length=10, choices=State.choices, default=State.SUBMITTED)
    comment = models.TextField(blank=True, default="", help_text="What the submitter says.")
    submitted_at = models.DateTimeField(default=now)
    submitted_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    assigned_to = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    due = models.DateField(null=True)
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    reason = models.TextField(blank=True, default="", help_text="Of the verdict.")
    effective_at = models.DateTimeField(null=True, help_text="When the log covered the verdict, so that it counts.")
    locks = models.BooleanField(default=False, help_text="Whether the submission locked the run.")
    draw = models.ForeignKey("Draw", null=True, on_delete=models.PROTECT, related_name="reviews")
    assessment = models.ForeignKey(Assessment, null=True, on_delete=models.PROTECT, related_name="+")
    signature = models.ForeignKey(Signature, null=True, on_delete=models.PROTECT, related_name="+")

    project_path = "run__project"
    experiment_path = "run__experiment"
    history = history()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "number"], name="review_round_once"),
            models.UniqueConstraint(
                fields=["run"], name="review_one_open", condition=models.Q(state__in=["submitted", "in_review"])
            ),
        ]
        indexes = [models.Index(fields=["state", "submitted_at"], name="review_queue")]

    def __str__(self) -> str:
        return f"round {self.number} of {self.run_id}"

    @property
    def is_open(self) -> bool:
        """Whether it still waits for a verdict."""
        return self.state in self.OPEN


class Finding(ProjectScoped, Tracked):
    """Something that has to be put right: who, until when, and what showed that it was."""

    class State(models.TextChoices):
        OPEN = "open", "Open"
        ANSWERED = "answered", "Answered"
        CLOSED = "closed", "Closed"

    class Kind(models.TextChoices):
        MISSING = "missing", "Something is not recorded"
        WRONG = "wrong", "Something recorded is wrong"
        METHOD = "method", "The method is not sound"
        DATA = "data", "The data may not be used so"
        CHANGE = "change", "Changed without a reason"
        OTHER = "other", "Something else"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="findings")
    review = models.ForeignKey(Review, null=True, on_delete=models.PROTECT, related_name="findings")
    rule = models.CharField(max_length=40, blank=True, default="", help_text="The rule that it speaks of, if any.")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    text = models.TextField()
    owner = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    due = models.DateField(null=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    opened_at = models.DateTimeField(default=now)
    opened_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    closed_at = models.DateTimeField(null=True)
    closed_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    closure = models.TextField(blank=True, default="", help_text="What showed that it was put right.")

    project_path = "run__project"
    experiment_path = "run__experiment"
    history = history()

    class Meta:
        indexes = [models.Index(fields=["state", "due"], name="finding_due")]

    def __str__(self) -> str:
        return self.text[:60]


class FindingNote(ProjectScoped, Tracked):
    """One message of the thread about a finding. Never changed."""

    finding = models.ForeignKey(Finding, on_delete=models.PROTECT, related_name="notes", db_index=False)
    text = models.TextField()
    at = models.DateTimeField(default=now)
    by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")

    project_path = "finding__run__project"
    experiment_path = "finding__run__experiment"
    history = history()

    class Meta:
        indexes = [models.Index(fields=["finding", "at"], name="finding_note")]

    def __str__(self) -> str:
        return self.text[:60]


class Draw(ProjectScoped, Tracked):
    """A sample that an auditor drew: how, of what, with which seed. The same seed over the same runs draws the same."""

    class Method(models.TextChoices):
        RANDOM = "random", "At random"
        SEVERITY = "severity", "All with rules that block"
        MODEL = "model", "All of a model"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="draws")
    method = models.CharField(max_length=10, choices=Method.choices)
    seed = models.CharField(max_length=64, blank=True, default="")
    question = models.TextField(blank=True, default="", help_text="The query, or the model, that it was drawn from.")
    population = models.IntegerField()
    population_digest = models.CharField(max_length=64, help_text="SHA-256 of the sorted run ids, one a line.")
    drawn = models.JSONField(help_text="Run ids in the order of the draw.")
    at = models.DateTimeField(default=now)
    by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")

    project_path = "project"
    history = history()

    def __str__(self) -> str:
        return f"{len(self.drawn)} of {self.population}"


class TrailReview(ProjectScoped, Tracked):
    """That an auditor looked through a project's audit trail up to a place in the log (EU GMP Annex 11 §9)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="trail_reviews")
    up_to = models.BigIntegerField(help_text="The last place in the log that was looked at.")
    note = models.TextField(blank=True, default="")
    at = models.DateTimeField(default=now)
    by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")

    project_path = "project"
    history = history()

    class Meta:
        indexes = [models.Index(fields=["project", "-at"], name="trail_review_newest")]

    def __str__(self) -> str:
        return f"{self.project_id} up to {self.up_to}"
