"""What a door hangs on the acts that its call opens: asked inside their transaction, before they write anything."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from audit.ledger.acting import Act

Watch = Callable[[Act, Sequence[Any]], None]

_watches: ContextVar[tuple[Watch, ...]] = ContextVar("watches", default=())


@contextmanager
def watching(watch: Watch) -> Iterator[None]:
    """Ask `watch` of each action within: with its act, and what the action was given. What it raises ends the act."""
    mark = _watches.set((*_watches.get(), watch))
    try:
        yield
    finally:
        _watches.reset(mark)


def told(act: Act, given: Sequence[Any]) -> None:
    """Ask whoever watches."""
    for watch in _watches.get():
        watch(act, given)
