"""What is reckoned of waiting: who is there to do the work, and how long it takes until somebody has time."""

import datetime as dt
import heapq
from collections.abc import Iterable
from typing import Final

from kernel.clock import now
from runner.models import Worker

SILENT_AFTER: Final = dt.timedelta(seconds=30)
CARDS: Final = "gpus"  # what a worker says of itself under this: how many graphics cards its machine has


def is_there(worker: Worker) -> bool:
    """Whether it said within half a minute that it lives, and has not left. It says so every eight seconds."""
    return worker.left_at is None and worker.seen_at > now() - SILENT_AFTER


def cards_of(worker: Worker) -> int:
    """How many graphics cards its machine has, as far as it said so."""
    said = worker.about.get(CARDS, 0)
    return said if isinstance(said, int) else 0


def wait_for(slots: int, under_way: Iterable[float], ahead: Iterable[float]) -> float:
    """Seconds until a slot is free for whoever comes after those ahead.

    under_way: what each that has a slot still needs; ahead: how long those before take, the next first.
    """
    until = sorted(under_way)[-slots:] if slots else []
    until += [0.0] * (slots - len(until))
    heapq.heapify(until)
    for seconds in ahead:
        heapq.heapreplace(until, until[0] + seconds)
    return until[0]
