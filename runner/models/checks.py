"""What came out when a run was done again."""

from django.db import models

from accounts.scoping import ProjectScoped
from audit.ledger.tracking import Tracked, history
from experiments.models import Run
from kernel.clock import now


class RecreationCheck(ProjectScoped, Tracked):
    """A run laid beside the one that it does again, once both had ended: kept, whatever either logs later.

    rows: of each metric its key, context, then, now, verdict, and what was allowed and by what, in words; numbers that
    JSON has none for as text; changed: the conditions that were not the same, in words; with_changes: whether that was
    wanted; first_seal, again_seal: digests over all of both runs as they were compared.
    """

    again = models.OneToOneField(Run, on_delete=models.PROTECT, related_name="recreation_check")
    first = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="recreation_checks")
    verdict = models.CharField(max_length=20, blank=True, default="", help_text="'' where nothing was measured.")
    rows = models.JSONField(default=list)
    changed = models.JSONField(default=list)
    with_changes = models.BooleanField(default=False)
    first_status = models.CharField(max_length=9, blank=True, default="")
    again_status = models.CharField(max_length=9, blank=True, default="")
    first_seal = models.CharField(max_length=64, blank=True, default="")
    again_seal = models.CharField(max_length=64, blank=True, default="")
    made_at = models.DateTimeField(default=now)

    project_path = "again__project"
    experiment_path = "again__experiment"
    history = history()

    def __str__(self) -> str:
        return self.verdict or "nothing measured"
