"""What workers may be called, whose name is also that of a folder on their machine; and what queues may be."""

import re
from typing import Final

from kernel.errors import Invalid

GOOD_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,119}")
GOOD_QUEUE: Final = re.compile(r"[A-Za-z0-9_-]{1,40}")


def checked_name(name: str) -> str:
    """The name itself. Raises Invalid."""
    if not GOOD_NAME.fullmatch(name):
        words = f"'{name[:40]}' is no name of a worker."
        raise Invalid(words, hint="Use letters, digits, dots, dashes and underscores, at most 120.", field="name")
    return name


def checked_queue(name: str) -> str:
    """The name itself. Raises Invalid."""
    if not GOOD_QUEUE.fullmatch(name):
        words = f"'{name[:40]}' is no name of a queue."
        raise Invalid(words, hint="Use letters, digits, dashes and underscores, at most 40.", field="queue")
    return name
