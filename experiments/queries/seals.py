"""Which runs wait for their seal, and whether the seals that were given still hold."""

import datetime as dt
from collections.abc import Iterator

from artifacts.storage.base import BlobDamaged
from audit.ledger.evidence import Problem
from audit.ledger.models import AuditEvent
from experiments.metrics.seal import seals_told
from experiments.models import Run
from experiments.values import ENDED
from kernel.actor import Actor
from kernel.clock import now

IDLE = dt.timedelta(minutes=5)
AT_ONCE = 500


def runs_to_seal(viewer: Actor) -> Iterator[Run]:
    """Ended runs without a seal that nobody has touched for some minutes, the oldest first, at most 500."""
    waiting = Run.objects.visible_to(viewer).filter(status__in=ENDED, sealed_at=None).order_by("pk")
    return (run for run in waiting[:AT_ONCE] if _is_idle(run))


def _is_idle(run: Run) -> bool:
    told = AuditEvent.objects.filter(subject_type=run._meta.label_lower, subject_id=run.ledger_id)
    last = told.order_by("-id").values_list("at", flat=True).first()
    return last is None or last < now() - IDLE


def broken_seals() -> Iterator[Problem]:
    """For verify_ledger: sealed runs whose points, params, tags or files are not those that were sealed."""
    sealed = Run.objects.filter(sealed_at__isnull=False).select_related("project").order_by("pk")
    for run, found in seals_told(sealed.iterator(chunk_size=1000)):
        if isinstance(found, BlobDamaged):
            yield Problem(
                f"The archived points of run {run.readable_id} '{run.name}' cannot be read: {found.message}",
                kind="experiments.metricarchive",
                id=run.ledger_id,
                field="digest",
            )
        elif found != run.seal:
            yield Problem(
                f"Run {run.readable_id} '{run.name}' is not what was sealed: points, params, tags or files changed.",
                kind=run._meta.label_lower,
                id=run.ledger_id,
                field="seal",
                expected=run.seal,
                found=found,
            )
