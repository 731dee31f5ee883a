"""What compliance keeps about a run, for the run's history."""

from collections.abc import Mapping, Sequence

from audit.compliance.models import LegalHold, NotApplicable, Waiver
from experiments.models import Run
from kernel.actor import Actor


def told_with_run(viewer: Actor, run: Run) -> Mapping[str, Sequence[str]]:
    """The ids in the ledger, by kind, of holds over this run and of what was said about its rules, ended ones too.

    An exception that was taken back is no row any more; the rows of its past still name it.
    """
    holds = LegalHold.objects.visible_to(viewer).filter(run=run)
    waivers = Waiver.objects.visible_to(viewer).filter(run=run)
    excepted = NotApplicable.history.filter(run_id=run.pk).order_by().values_list("id", flat=True).distinct()
    found = {
        LegalHold._meta.label_lower: [one.ledger_id for one in holds.only("pk")],
        Waiver._meta.label_lower: [one.ledger_id for one in waivers.only("pk")],
        NotApplicable._meta.label_lower: [str(key) for key in excepted],
    }
    return {kind: ids for kind, ids in found.items() if ids}
