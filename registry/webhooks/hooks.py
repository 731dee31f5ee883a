"""How the queue wakes whoever sends. The tasks, which lie above, put themselves in."""

from collections.abc import Callable

waking: list[Callable[[], object]] = []


def wake() -> None:
    """There is something to send."""
    for call in waking:
        call()
