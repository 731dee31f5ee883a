"""How a request wakes whoever builds reports. The tasks, which lie above, put themselves in."""

from collections.abc import Callable

waking: list[Callable[[], object]] = []


def wake() -> None:
    """There is something to build."""
    for call in waking:
        call()
