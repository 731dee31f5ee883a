"""A project that is open for contribution."""

import uuid

from django.db import models

from accounts.models import Project, User
from accounts.scoping import ProjectScoped
from audit.ledger.tracking import Tracked, history
from experiments.models import Experiment
from kernel.clock import now

ENTRIES_A_DAY = 20


class Board(ProjectScoped, Tracked):
    """What a public board asks for and how it is kept. Entries are runs of its experiment; nothing else of the project
    shows on it. Closing takes no more entries; reading goes on."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.OneToOneField(Project, on_delete=models.PROTECT, related_name="board")
    experiment = models.ForeignKey(Experiment, on_delete=models.PROTECT, related_name="+")
    question = models.CharField(max_length=300, help_text="What is to be found, in one line.")
    instructions = models.TextField(blank=True, default="", help_text="Markdown: data, rules, how results are taken.")
    result_key = models.CharField(max_length=250, help_text="The result that entries are ranked by.")
    result_label = models.CharField(max_length=120, blank=True, default="", help_text="As in: RMSE on the test file.")
    is_lower_better = models.BooleanField(default=False)
    is_open = models.BooleanField(default=True)
    closes_at = models.DateTimeField(null=True)
    checks_first = models.BooleanField(default=False, help_text="Entries show once a manager has let them in.")
    stays_open = models.BooleanField(default=False, help_text="Who withdraws the only entry goes on reading.")
    entries_a_day = models.IntegerField(default=ENTRIES_A_DAY, help_text="Of one claim token.")
    opened_at = models.DateTimeField(default=now)
    opened_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")

    see_permission = "boards.meet"
    owner_path = "opened_by"
    history = history()

    def __str__(self) -> str:
        return f"board of {self.project_id}"

    @property
    def takes_entries(self) -> bool:
        """Whether entries are taken now."""
        return self.is_open and (self.closes_at is None or now() < self.closes_at)
