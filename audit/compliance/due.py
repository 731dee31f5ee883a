"""Which runs may be purged: their retention ran out, and nothing stands on them."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Max, Q

from accounts.models import Project
from audit.compliance.holds import hold_over
from audit.compliance.models import Review
from audit.compliance.retention import CLASSES
from audit.ledger.models import AuditEvent
from experiments.models import Run
from experiments.values import ENDED
from kernel.clock import now
from registry.models import PromotionRequest
from registry.standing import standing_on, versions_made_of

# Acts after which a run is no newer: what MLED does by itself, and who only looked or took something along.
IDLE = (
    "compliance.assess_run",
    "experiments.seal_run",
    "experiments.star_run",
    "experiments.unstar_run",
    "experiments.note_export_of",
    "artifacts.open_file",
)
AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Keep:
    """Until when a run is kept at least, None: for ever; and what stands in the way of purging it now, '' nothing."""

    run: Run
    until: dt.datetime | None
    obstacle: str


def keeps_of(project: Project, runs: Sequence[Run]) -> list[Keep]:
    """The same for many runs of a project."""
    newest = _newest_events(runs)
    return [_keep(project, run, newest.get(run.uid.hex)) for run in runs]


def _keep(project: Project, run: Run, last_event: dt.datetime | None) -> Keep:
    kept = CLASSES.get(project.retention_class)
    if kept is None:
        return Keep(run, None, "no retention is set, so it is kept")
    until = _newest(run, last_event) + dt.timedelta(days=kept.record_days)
    return Keep(run, until, _obstacle(run, until))


def _newest(run: Run, last_event: dt.datetime | None) -> dt.datetime:
    """When the run was last of use. The client's clock can only make it later: everything else is the server's."""
    decided = Review.objects.filter(run=run).aggregate(at=Max("decided_at"))["at"]
    behind = Q(version__run=run) | Q(version__logged_model__source_run=run)
    promoted = PromotionRequest.objects.filter(behind).aggregate(at=Max("decided_at"))["at"]
    moments = (run.created_at, run.deleted_at, run.sealed_at, last_event, decided, promoted, _ended(run))
    return max(moment for moment in moments if moment is not None)


def _ended(run: Run) -> dt.datetime | None:
    """What the client says; a time that lies ahead is not believed."""
    if run.ended_ms is None or not 0 <= run.ended_ms <= now().timestamp() * 1000:
        return None
    return dt.datetime.fromtimestamp(run.ended_ms / 1000, dt.UTC)


def _newest_events(runs: Sequence[Run]) -> dict[str, dt.datetime]:
    found: dict[str, dt.datetime] = {}
    uids = [run.uid.hex for run in runs]
    for start in range(0, len(uids), AT_ONCE):
        told = AuditEvent.objects.filter(
            subject_type=Run._meta.label_lower, subject_id__in=uids[start : start + AT_ONCE], outcome="done"
        ).exclude(verb__in=IDLE)
        found |= dict(told.order_by().values_list("subject_id").annotate(at=Max("at")))
    return found


def _obstacle(run: Run, until: dt.datetime) -> str:
    if run.status not in ENDED:
        return "it has not ended"
    if until > now():
        return f"it is kept until {until:%Y-%m-%d}"
    hold = hold_over(run.project_id, [run.pk])
    if hold is not None:
        return f"it is under a legal hold since {hold.placed_at:%Y-%m-%d}"
    if Review.objects.filter(run=run, state__in=Review.OPEN).exists():
        return "it was submitted for review, and nobody has decided"
    standing = standing_on(versions_made_of(Q(run=run) | Q(logged_model__source_run=run)))
    return f"something stands on it: {standing[0]}" if standing else ""
