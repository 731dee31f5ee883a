"""The machines that would do a run, beside the one that it was done on."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Final

from experiments.models import Run
from experiments.queries.runs import tags_of
from kernel.actor import Actor
from kernel.clock import now
from runner.images import IMAGE_TAG
from runner.models import Worker
from runner.recipes import DEFAULT_QUEUE

SEEN_SECONDS: Final = 60  # a worker that was silent for longer does not count

# By the tag of a run: what a worker calls the same, and what people do.
FACTS: Final = {
    "mled.os": ("system", "System"),
    "mled.hardware": ("hardware", "Hardware"),
    "mled.python": ("python", "Interpreter"),
}


def workers_of(queue: str) -> list[Worker]:
    """The workers that serve a queue just now."""
    fresh = Worker.objects.filter(
        left_at=None, is_draining=False, seen_at__gte=now() - dt.timedelta(seconds=SEEN_SECONDS)
    )
    return [one for one in fresh.order_by("name") if queue in one.queues]


def differing(viewer: Actor, run: Run, queue: str) -> list[str]:
    """What the machines of a queue have that the run's had not, in words."""
    queue = queue or DEFAULT_QUEUE
    workers = workers_of(queue)
    if not workers:
        return [f"Workers: none serves the queue “{queue}” just now; it waits until one does."]
    return unlike(tags_of(viewer, run), [one.about for one in workers])


def unlike(tags: Mapping[str, str], machines: Sequence[Mapping[str, Any]]) -> list[str]:
    """Each fact that no machine, or only some of them, have in common with the run. tags: of the run."""
    found = []
    for tag, (key, word) in FACTS.items():
        then = tags.get(tag, "")
        if tag == "mled.python" and tags.get(IMAGE_TAG):
            continue  # an image brings its own
        told = [str(about[key]) for about in machines if about.get(key)]
        others = sorted({value for value in told if value != then})
        if not then or not others:
            continue
        who = "now" if len(others) == len(set(told)) else "on some workers"
        found.append(f"{word}: {then} then, {' or '.join(others[:3])} {who}.")
    return found
