"""Workers for transfers that can be killed: each line on stdin forks one, its pid is answered. Their leases are short.

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
    """Carry on what is there, again and again, until somebody kills it."""
    from transfer.tasks import carry_on

    die_with_parent()
    while True:
        carry_on()
        time.sleep(0.05)


def main() -> None:
    django.setup()
    from transfer import filling, leasing, running

    leasing.LEASE, leasing.RENEWED_EVERY, leasing.WRITTEN_EVERY = dt.timedelta(seconds=1), 0.3, 0.1
    filling.POINTS_AT_ONCE = 500
    running.ATTEMPTS = 1000  # this test kills more often than a sound server does
    for _ in sys.stdin:
        pid = os.fork()
        if pid == 0:
            work()
        print(pid, flush=True)


if __name__ == "__main__":
    main()
