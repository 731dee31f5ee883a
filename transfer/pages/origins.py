"""In the head of a run that an import brought in: who imported it, and whose it was there by what its source says."""

from accounts.access import can_see
from artifacts.pages.slots import Panel
from experiments.models import Run
from experiments.values import BY_HAND
from kernel.actor import Actor
from transfer.models import Transfer
from transfer.pages.transfers import url_of
from transfer.queries.origins import origin_of


def head_line(viewer: Actor, run: Run) -> Panel | None:
    """None for a run that was made here."""
    origin = origin_of(viewer, run)
    if origin is None:
        return None
    context = {
        "run": run,
        "address": url_of(origin.transfer) if can_see(viewer, origin.transfer) else "",
        "is_mlflow": origin.transfer.kind == Transfer.Kind.MLFLOW,
        "by_hand": run.source_type == BY_HAND,
        "by": origin.by,
        "readable_id": origin.readable_id,
        "project_there": origin.project,
    }
    return Panel("transfer/run_origin.html", context)
