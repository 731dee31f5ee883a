"""Who does the work of a transfer: each kind registers its own, and the background calls it under a lease."""

from collections.abc import Callable
from typing import Protocol

from kernel.actor import Actor, ActorKind, Door, operator
from transfer.models import Transfer


class Progress(Protocol):
    """What work tells of itself, and asks: every call renews the lease, at most once in a second or two."""

    def at(self, stage: str, done: int, total: int | None = None) -> None:
        """Say how far it is. Raises Stopped where somebody stopped it, or another worker took it over."""


class Stopped(Exception):
    """The transfer was stopped or taken over: put everything down; what is done stays done."""


class NotYet(Exception):
    """It has to wait for something that comes by itself, such as the log's next head. Somebody looks again soon."""


Work = Callable[[Transfer, Progress], None]
"""Does all of it, or goes on where an earlier attempt stopped; ends with the action that finishes the transfer."""

_work: dict[str, Work] = {}


def register_work(kind: str, work: Work) -> None:
    """Say who does transfers of this kind. Called in AppConfig.ready()."""
    _work[kind] = work


def work_of(kind: str) -> Work:
    """Who does it."""
    return _work[kind]


def requester_of(transfer: Transfer) -> Actor:
    """Whoever asked for a transfer, with the rights that they have now, as a task acts for them."""
    user = transfer.requested_by
    if user is None:
        return operator()
    return Actor(ActorKind.USER, Door.TASK, user_id=user.pk, user_name=str(user), is_active=user.is_active)
