"""Archives runs and kills itself where it is told to: a line on stdin is a run and a place, the answer how it ended.

A place is the name of a function after whose call the process gets SIGKILL, or a time in seconds after which it does.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
import threading
from typing import Any

import django

from tests.services.processes import die_with_parent

# In the order in which an archive comes to them.
PLACES = (
    "experiments.metrics.archive_making.history_of_many",
    "experiments.metrics.archive_making._stored",
    "experiments.metrics.archive_making._check",
    "experiments.actions.archives._hold_unchanged",
    "experiments.actions.archives.know",
    "experiments.actions.archives._forget_segments",
    "experiments.actions.archives.recorded",
    "audit.ledger.acting.store_event",
    "experiments.actions.archives.keep_archive",
)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def die_after(place: str) -> None:
    module_name, _, name = place.rpartition(".")
    module = importlib.import_module(module_name)
    real = getattr(module, name)

    def last(*args: Any, **more: Any) -> Any:
        real(*args, **more)
        die()

    setattr(module, name, last)


def archive(run: int, place: str) -> None:
    from experiments.actions.archives import archive_run
    from experiments.models import Run
    from kernel.actor import system

    die_with_parent()
    if place[:1].isdigit():
        threading.Timer(float(place), die).start()
    elif place:
        die_after(place)
    archive_run(system(), Run.objects.select_related("project").get(pk=run))
    die() if place[:1].isdigit() else os._exit(0)


def main() -> None:
    django.setup()
    import pyarrow.parquet  # noqa: F401 - before the forks, not in each of them

    import experiments.actions.archives  # noqa: F401

    for line in sys.stdin:
        run, _, place = line.strip().partition(" ")
        pid = os.fork()
        if pid == 0:
            try:
                archive(int(run), place)
            finally:
                os._exit(1)
        _, status = os.waitpid(pid, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main()
