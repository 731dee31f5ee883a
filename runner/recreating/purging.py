"""What execution keeps of what was in a run goes with the run: figures that were compared, what was printed."""

from typing import Any

from django.db.models import Q, QuerySet

from audit.ledger.acting import current_act
from experiments.models import Run
from runner.models import JobOutput, RecreationCheck


def forget_run(run: Run) -> None:
    """Part of the act that empties a run: recorded without what was kept."""
    either = Q(again_id=run.pk) | Q(first_id=run.pk)
    for check in RecreationCheck.objects.filter(either):
        current_act().record(check._meta.label_lower, check.ledger_id, "delete", {})
    rows: QuerySet[Any] = QuerySet(RecreationCheck).filter(either)
    rows.delete()
    RecreationCheck.history.filter(either).delete()
    JobOutput.objects.filter(job__run=run).delete()
