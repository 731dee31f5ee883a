"""A worker as it stands in the list: who it is, what it serves, and since when nobody heard of it."""

import fcntl
import os
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, TextIO

from django.conf import settings

from kernel.actor import system
from kernel.clock import now
from kernel.errors import Conflict
from runner.actions.joining import join_worker
from runner.models import Worker
from runner.names import checked_name
from runner.waiting import CARDS
from runner.working.facts_machine import this_machine

TROUBLE_MAX: Final = 2000


def place_of(name: str) -> Path:
    """The folder of a worker of this name on this machine."""
    return Path(settings.MLED_RUNNER_DATA) / checked_name(name)


def alone(place: Path) -> TextIO:
    """Be the only worker of this name here, for as long as the file stays open. Raises Conflict."""
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    file = (place / "lock").open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise Conflict(
            f"A worker named {place.name} runs on {place.parent} already.",
            hint="Stop that one first, or give this one a name of its own: --name other",
        ) from None
    return file


def about_here() -> dict[str, Any]:
    """The machine, its system and the process, as the list of workers shows them and the records of runs name them."""
    here = this_machine()
    return {
        "machine": here.host,
        "system": here.system,
        "hardware": here.hardware,
        CARDS: len(here.cards),
        "python": platform.python_version(),
        "cpus": os.cpu_count() or 1,
        "memory_mb": here.memory_bytes // 2**20,
        "pid": os.getpid(),
        "place": str(settings.MLED_RUNNER_DATA),
    }


def registered(name: str, *, queues: Sequence[str], slots: int, executor: str) -> tuple[Worker, bool]:
    """The row of this worker, and whether one of this name was here before, on this machine and in this place.

    Whether it drains stays as somebody said.
    """
    about = about_here()
    worker = Worker.objects.filter(name=name).first()
    if worker is None:
        joined = join_worker(
            system(), name=name, queues=queues, slots=slots, executor=executor, about=about,
            version=settings.MLED_VERSION,
        )  # fmt: skip
        return joined, False
    before = (worker.about.get("machine"), worker.about.get("place"))
    worker.queues, worker.slots, worker.executor, worker.about = list(queues), slots, executor, about
    worker.version, worker.seen_at, worker.left_at = settings.MLED_VERSION, now(), None
    worker.save()
    return worker, before == (about["machine"], about["place"])


def still_there(worker: Worker) -> bool:
    """Say that it lives; whether it may take more. A worker that was taken off the list stands there again."""
    row = Worker.objects.get(pk=worker.pk)
    row.seen_at, row.left_at = now(), None
    row.save()
    return not row.is_draining


def takes_more(worker: Worker) -> bool:
    """Whether nobody said that it shall drain."""
    return bool(Worker.objects.filter(pk=worker.pk, is_draining=False).exists())


def in_trouble(worker: Worker, words: str) -> None:
    """What went wrong last, for whoever keeps the workers."""
    row = Worker.objects.get(pk=worker.pk)
    row.last_error, row.last_error_at = words[:TROUBLE_MAX], now()
    row.save()


def left(worker: Worker) -> None:
    """It ended as it should."""
    row = Worker.objects.get(pk=worker.pk)
    row.seen_at, row.left_at = now(), now()
    row.save()
