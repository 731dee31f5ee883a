"""Workers that are quickly there and may be killed: each line on stdin forks one, and its process id is answered.

Each is what `manage.py runner` is, with its own Celery worker on the run's broker. Where a test asks for it, their
leases are shorter, so that it does not wait half a minute for each of them.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import signal
import sys
import traceback
from importlib import import_module
from typing import Any

import django

from tests.services.processes import die_with_parent

PRELOADED = (
    "celery.apps.worker",
    "celery.concurrency.thread",
    "celery.worker.consumer",
    "runner.executors.plain",
    "runner.executors.sandbox",
    "runner.working.looping",
)


def shorten_leases() -> None:
    """A tenth of what they are, so that a dead worker is soon found."""
    from runner.working import watching

    watching.LEASE = dt.timedelta(seconds=3)
    watching.RENEWED_EVERY, watching.SEEN_FOR = 0.6, 1.3


def look_more_often() -> None:
    """So that a test does not wait for the next look."""
    from runner.working import looping

    looping.LOOKED_EVERY, looping.HEARD_EVERY = 0.3, 0.2


def work(asked: dict[str, Any]) -> None:
    """Be a worker until the end."""
    from runner.management.commands.runner import run

    die_with_parent()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.dup2(2, 1)  # the other end reads process ids there
    if asked["short"]:
        shorten_leases()
    code = 1
    try:
        code = run(asked["name"], asked["queues"], asked["slots"])
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def main() -> None:
    django.setup()
    for name in PRELOADED:
        import_module(name)
    look_more_often()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            work(json.loads(line))
        print(pid, flush=True)


if __name__ == "__main__":
    main()
