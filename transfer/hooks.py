"""How a request wakes whoever does transfers. The tasks, which lie above, put themselves in."""

from collections.abc import Callable

waking: list[Callable[[], object]] = []


def wake() -> None:
    """There is something to do."""
    for call in waking:
        call()
