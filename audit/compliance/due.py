"""Which runs may be purged: their retention ran out, and nothing stands on them."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass

from django.db.models import Max

from accounts.models import Project
from audit.compliance.holds import first_holds
from audit.compliance.models import LegalHold, Review
from audit.compliance.retention import CLASSES
from audit.ledger.models import AuditEvent
from experiments.models import Run
from experiments.values import ENDED
from kernel.clock import now
from registry.models import PromotionRequest
from registry.standing import standing_on_runs

# Acts after which a run is no newer: what MLED does by itself, and who only looked or took something along.
IDLE = (
    "compliance.assess_run",
    "experiments.seal_run",
    "experiments.star_run",
    "experiments.unstar_run",
    "experiments.note_export_of",
    "artifacts.open_file",
    "runner.note_bundle_of",
)


@dataclass(frozen=True, slots=True)
class Keep:
    """Until when a run is kept at least, None: for ever; and what stands in the way of purging it now, '' nothing."""

    run: Run
    until: dt.datetime | None
    obstacle: str


@dataclass(frozen=True, slots=True)
class _Facts:
    """What is known of many runs of a project, by run: when they were last of use, and what stands on them."""

    newest: Mapping[int, dt.datetime]
    holds: Mapping[int, LegalHold]
    submitted: Set[int]
    standing: Mapping[int, str]


def keeps_of(project: Project, runs: Sequence[Run]) -> list[Keep]:
    """The same for many runs of a project, in as many questions as for one."""
    kept = CLASSES.get(project.retention_class)
    if kept is None:
        return [Keep(run, None, "no retention is set, so it is kept") for run in runs]
    facts, stay = _facts(project, runs), dt.timedelta(days=kept.record_days)
    untils = [(run, _newest(run, facts) + stay) for run in runs]
    return [Keep(run, until, _obstacle(run, until, facts)) for run, until in untils]


def _facts(project: Project, runs: Sequence[Run]) -> _Facts:
    ids = [run.pk for run in runs]
    newest: dict[int, dt.datetime] = {}
    for run, at in _acts_on(runs, ids):
        newest[run] = max(at, newest.get(run, at))
    submitted = Review.objects.filter(run__in=ids, state__in=Review.OPEN).values_list("run_id", flat=True)
    return _Facts(newest, first_holds(project.pk, ids), set(submitted), standing_on_runs(ids))


def _acts_on(runs: Sequence[Run], ids: Sequence[int]) -> Iterator[tuple[int, dt.datetime]]:
    """The newest act on each run, verdict on it, and promotion of what it made, in no order."""
    by_uid = {run.uid.hex: run.pk for run in runs}
    told = AuditEvent.objects.filter(subject_type=Run._meta.label_lower, subject_id__in=list(by_uid), outcome="done")
    for uid, at in told.exclude(verb__in=IDLE).order_by().values_list("subject_id").annotate(at=Max("at")):
        yield by_uid[uid], at
    for model, path in (
        (Review, "run"),
        (PromotionRequest, "version__run"),
        (PromotionRequest, "version__logged_model__source_run"),
    ):
        decided = model.objects.filter(**{f"{path}__in": ids}).exclude(decided_at=None)
        yield from decided.order_by().values_list(path).annotate(at=Max("decided_at"))


def _newest(run: Run, facts: _Facts) -> dt.datetime:
    """When the run was last of use. The client's clock can only make it later: everything else is the server's."""
    moments = (run.created_at, run.deleted_at, run.sealed_at, facts.newest.get(run.pk), _ended(run))
    return max(moment for moment in moments if moment is not None)


def _ended(run: Run) -> dt.datetime | None:
    """What the client says; a time that lies ahead is not believed."""
    if run.ended_ms is None or not 0 <= run.ended_ms <= now().timestamp() * 1000:
        return None
    return dt.datetime.fromtimestamp(run.ended_ms / 1000, dt.UTC)


def _obstacle(run: Run, until: dt.datetime, facts: _Facts) -> str:
    if run.status not in ENDED:
        return "it has not ended"
    if until > now():
        return f"it is kept until {until:%Y-%m-%d}"
    if run.pk in facts.holds:
        return f"it is under a legal hold since {facts.holds[run.pk].placed_at:%Y-%m-%d}"
    if run.pk in facts.submitted:
        return "it was submitted for review, and nobody has decided"
    standing = facts.standing.get(run.pk)
    return f"something stands on it: {standing}" if standing else ""
