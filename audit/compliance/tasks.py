"""What the rules do in the background."""

import datetime as dt
import logging
import time

from celery import shared_task

from audit.compliance.actions.assessments import assess_run, judgement_of
from audit.compliance.actions.reviews import apply_verdict
from audit.compliance.following import follow_log, follow_rules, mark_old
from audit.compliance.models import Review, RunStanding
from kernel.actor import system
from kernel.clock import now

log = logging.getLogger(__name__)

QUIET = dt.timedelta(seconds=5)
AT_ONCE = 200
SECONDS = 20.0


@shared_task
def assess_stale_runs() -> int:
    """Ask the rules about runs that changed and have been left alone for some seconds, the oldest first."""
    while follow_log():
        pass
    follow_rules()
    mark_old()
    began, done = time.monotonic(), 0
    waiting = RunStanding.objects.filter(stale_at__lt=now() - QUIET).select_related("run__project").order_by("stale_at")
    for standing in waiting[:AT_ONCE]:
        if time.monotonic() - began > SECONDS:
            break
        assess_run(system(), standing.run, judgement=judgement_of(standing.run))
        done += 1
    return done


@shared_task
def apply_covered_verdicts() -> int:
    """Let verdicts count whose signature the log covers by now. Also called after each checkpoint."""
    waiting = Review.objects.filter(signature__isnull=False, effective_at=None).order_by("decided_at")[:AT_ONCE]
    return sum(_applied(review) for review in waiting)


def _applied(review: Review) -> bool:
    """Whether the verdict counts now. One that cannot be applied is logged, and stands in no other's way."""
    try:
        return apply_verdict(system(), review).effective_at is not None
    except Exception:
        log.exception("Applying the verdict of review %s", review.pk)
        return False
