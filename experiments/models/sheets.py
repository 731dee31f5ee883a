"""Spreadsheets of past experiments: what was uploaded, where its columns go, and what became of each row."""

import uuid
from typing import ClassVar

from django.db import models

from accounts.models import Project, User
from accounts.scoping import ProjectScoped
from artifacts.models import Blob
from audit.ledger.tracking import Quiet, Tracked, history
from kernel.clock import now

_OWN_TIME = ("done", "total", "attempts", "lease", "lease_until")


class SheetImport(ProjectScoped, Tracked):
    """One sheet on its way into a project, in the name of whoever uploaded it.

    header: the names of its columns; mapping: where they go (experiments.sheets.mapping); notes: what reading it told;
    failure: what went wrong last, and what to do. done of total: rows, of what it is at.
    """

    class State(models.TextChoices):
        READING = "reading", "Being read"
        UNREAD = "unread", "Cannot be read"
        READY = "ready", "Waits for its columns"
        CHECKING = "checking", "Being checked"
        CHECKED = "checked", "Checked"
        IMPORTING = "importing", "Being imported"
        STOPPED = "stopped", "Stopped"
        DONE = "done", "Imported"
        UNDOING = "undoing", "Being undone"
        UNDONE = "undone", "Undone"

    OPEN = (State.READING, State.CHECKING, State.IMPORTING, State.UNDOING)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="sheets")
    name = models.CharField(max_length=200, help_text="Of the file.")
    blob = models.ForeignKey(Blob, on_delete=models.PROTECT, related_name="+")
    created_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=now)
    form = models.CharField(max_length=4, blank=True, default="", help_text="csv or xlsx, as it was found to be.")
    worksheets = models.JSONField(default=list)
    worksheet = models.CharField(max_length=200, blank=True, default="", help_text="The chosen one; '' is the first.")
    header = models.JSONField(default=list)
    notes = models.JSONField(default=list)
    row_count = models.IntegerField(default=0)
    mapping = models.JSONField(default=dict)
    state = models.CharField(max_length=9, choices=State.choices, default=State.READING)
    leaves_out = models.BooleanField(default=False, help_text="Rows with errors are left out.")
    undone_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    undo_reason = models.CharField(max_length=1000, blank=True, default="")
    finished_at = models.DateTimeField(null=True)
    failure = models.TextField(blank=True, default="")
    done = models.IntegerField(default=0)
    total = models.IntegerField(default=0)
    attempts = models.IntegerField(default=0)
    lease = models.UUIDField(null=True, help_text="Of the worker that is at it.")
    lease_until = models.DateTimeField(null=True)

    project_path = "project"
    see_permission = "transfer.see"
    quiet_fields: ClassVar[frozenset[str]] = frozenset(_OWN_TIME)
    history = history(excluded_fields=list(_OWN_TIME))

    class Meta:
        indexes = [
            models.Index(fields=["project", "-created_at"], name="sheet_newest"),
            models.Index(
                fields=["created_at"],
                name="sheet_open",
                condition=models.Q(state__in=["reading", "checking", "importing", "undoing"]),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_open(self) -> bool:
        """Whether a worker is at it, or will be."""
        return self.state in self.OPEN


class SheetRow(ProjectScoped, Quiet):
    """A row of a sheet and what became of it. Quiet: the event of the run that it became tells of it.

    problems: of its cells, as experiments.sheets.mapping.CellProblem; word: why its run could not be taken back;
    digest: of the record that was made of it.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "Not checked"
        RIGHT = "right", "Right"
        WRONG = "wrong", "With errors"
        MADE = "made", "Imported"
        UNDONE = "undone", "Taken back"
        KEPT = "kept", "Not taken back"

    sheet = models.ForeignKey(SheetImport, on_delete=models.PROTECT, related_name="rows", db_index=False)
    number = models.IntegerField(help_text="As spreadsheet programs count.")
    cells = models.JSONField(default=list)
    state = models.CharField(max_length=7, choices=State.choices, default=State.WAITING)
    problems = models.JSONField(default=list)
    run_uid = models.UUIDField(null=True, db_index=True)
    digest = models.CharField(max_length=64, blank=True, default="")
    word = models.CharField(max_length=1000, blank=True, default="")

    project_path = "sheet__project"
    see_permission = "transfer.see"

    class Meta:
        constraints = [models.UniqueConstraint(fields=["sheet", "number"], name="sheet_row_once")]
        indexes = [models.Index(fields=["sheet", "state", "number"], name="sheet_row_state")]

    def __str__(self) -> str:
        return f"row {self.number}"


class SheetMapping(ProjectScoped, Quiet):
    """Where the columns of a header went last time. Quiet: it only begins the next mapping, which is on record."""

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="+", db_index=False)
    header_digest = models.CharField(max_length=64)
    mapping = models.JSONField(default=dict)
    at = models.DateTimeField(default=now)

    project_path = "project"
    see_permission = "transfer.see"

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "header_digest"], name="sheet_mapping_once")]

    def __str__(self) -> str:
        return self.header_digest
