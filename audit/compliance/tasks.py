"""What the rules do in the background."""

import datetime as dt
import time

from celery import shared_task

from audit.compliance.actions.assessments import assess_run
from audit.compliance.following import follow_log
from audit.compliance.models import RunStanding
from kernel.actor import system
from kernel.clock import now

QUIET = dt.timedelta(seconds=5)
AT_ONCE = 200
SECONDS = 20.0


@shared_task
def assess_stale_runs() -> int:
    """Ask the rules about runs that changed and have been left alone for some seconds, the oldest first."""
    while follow_log():
        pass
    began, done = time.monotonic(), 0
    waiting = RunStanding.objects.filter(stale_at__lt=now() - QUIET).select_related("run__project").order_by("stale_at")
    for standing in waiting[:AT_ONCE]:
        if time.monotonic() - began > SECONDS:
            break
        assess_run(system(), standing.run)
        done += 1
    return done
