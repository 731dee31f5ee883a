"""Workers for reports that can be killed: each line on stdin forks one, its pid is answered. Their leases are short.

A worker does what a Celery worker does when beat sends it the task; that a message gets there is not what is tested.
"""

from __future__ import annotations

import datetime as dt
import os
import sys
import time

import django

from tests.services.processes import die_with_parent


def work() -> None:
    """Build what is there, again and again, until somebody kills it."""
    from audit.compliance.tasks import build_reports

    die_with_parent()
    while True:
        build_reports()
        time.sleep(0.05)


def main() -> None:
    django.setup()
    from audit.compliance.reports import build, freezing, lease

    lease.LEASE, lease.RENEWED_EVERY = dt.timedelta(seconds=1.5), 0.3
    freezing.PART, build.LOOKS_EVERY = 3, 0.2
    for _ in sys.stdin:
        pid = os.fork()
        if pid == 0:
            work()
        print(pid, flush=True)


if __name__ == "__main__":
    main()
