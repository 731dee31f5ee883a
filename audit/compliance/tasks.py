"""What the rules and the reports do in the background."""

import datetime as dt
import logging
import time
from uuid import UUID

from celery import shared_task
from django.conf import settings
from kombu.exceptions import OperationalError

from accounts.models import Project
from accounts.workers import sign_of_life
from audit.compliance.actions.assessments import assess_run, judgement_of
from audit.compliance.actions.reviews import apply_verdict
from audit.compliance.following import follow_log, follow_rules, mark_old
from audit.compliance.models import Review, RunStanding
from audit.compliance.reports import lease
from audit.compliance.reports.build import build_report, sweep
from kernel.actor import system
from kernel.clock import now

log = logging.getLogger(__name__)

QUIET = dt.timedelta(seconds=5)
AT_ONCE = 200
SECONDS = 20.0
PATIENCE = 20.0  # seconds that a report waits for the log within one turn


@shared_task
def assess_stale_runs() -> int:
    """Ask the rules about runs that changed and have been left alone for some seconds, the oldest first."""
    while follow_log():
        pass
    follow_rules()
    mark_old()
    began, done = time.monotonic(), 0
    waiting = RunStanding.objects.filter(stale_at__lt=now() - QUIET).select_related("run__project").order_by("stale_at")
    waiting = waiting.exclude(run__project__visibility=Project.Visibility.BOARD)  # no audit, no rules
    for standing in waiting[:AT_ONCE]:
        if time.monotonic() - began > SECONDS:
            break
        assess_run(system(), standing.run, judgement=judgement_of(standing.run))
        done += 1
    return done


@shared_task
def apply_covered_verdicts() -> int:
    """Let verdicts count whose signature the log covers by now: woken after each checkpoint, and by the clock."""
    waiting = Review.objects.filter(signature__isnull=False, effective_at=None).order_by("decided_at")[:AT_ONCE]
    return sum(_applied(review) for review in waiting)


def wake_verdicts() -> None:
    """Have verdicts looked at soon. Without a broker the task by the clock finds them."""
    try:
        apply_covered_verdicts.delay()
    except OperationalError as error:
        log.warning("Verdicts wait for the next round: %s", error)


def _applied(review: Review) -> bool:
    """Whether the verdict counts now. One that cannot be applied is logged, and stands in no other's way."""
    try:
        return apply_verdict(system(), review).effective_at is not None
    except Exception:
        log.exception("Applying the verdict of review %s", review.pk)
        return False


def wake_building() -> None:
    """Have reports built soon. Without a broker the task by the clock finds them."""
    try:
        build_reports.delay()
    except OperationalError as error:
        log.warning("Reports wait for the next round: %s", error)


@shared_task
def build_reports() -> int:
    """Build what waits, the oldest first, and go on with what a dead worker left; how many were finished."""
    sign_of_life()
    sweep()
    inline, tried, done = settings.CELERY_TASK_ALWAYS_EAGER, set[UUID](), 0
    while (report := lease.next_open(but=tried)) is not None:
        tried.add(report)
        done += build_report(report, patience=0.0 if inline else PATIENCE, keep_lease=not inline)
    return done
