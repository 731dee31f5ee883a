"""A worker says that it is there. What it says of itself later (that it lives, where it is) is quiet bookkeeping."""

from collections.abc import Mapping, Sequence
from typing import Any

from accounts.decorators import action
from kernel.actor import Actor
from kernel.errors import Refused
from runner.models import Worker


@action("runner.admit_worker")
def join_worker(
    actor: Actor,
    *,
    name: str,
    queues: Sequence[str],
    slots: int,
    executor: str,
    about: Mapping[str, Any],
    version: str,
) -> Worker:
    """A worker that was never there before. Called by the system, from the worker itself."""
    if actor.is_person:
        raise Refused("A worker says this of itself.", hint="Start one: manage.py runner.")
    worker = Worker(name=name, queues=list(queues), slots=slots, executor=executor, about=dict(about), version=version)
    worker.save()
    return worker
