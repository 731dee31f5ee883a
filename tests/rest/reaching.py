"""Which functions of MLED a method of a view leads to, as the code names them."""

import inspect
from types import FunctionType

from tests.site.test_imports import ROOMS


def reached_from(view: type, method: str) -> frozenset[FunctionType]:
    """The functions that a view's method names, those that they name, and so on; a parent's methods too."""
    of_view = {name: getattr(view, name) for name in dir(view)}
    waiting: list[object] = [of_view[method]]
    seen: set[FunctionType] = set()
    while waiting:
        one = inspect.unwrap(waiting.pop())
        if isinstance(one, FunctionType) and one not in seen and one.__module__.partition(".")[0] in ROOMS:
            seen.add(one)
            waiting += [{**of_view, **one.__globals__}.get(name) for name in one.__code__.co_names]
    return frozenset(seen)
