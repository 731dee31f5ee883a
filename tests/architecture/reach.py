"""Which actions each door reaches, read from the code of its views: `python -m tests.architecture.reach` prints them.

From each URL to its view, from the view to every function of ours that its code names, and on from there, up to the
actions. What an action calls in turn is part of its own act and is not counted.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import CodeType, FunctionType, ModuleType
from typing import Any

ROOMS = frozenset(
    {
        "accounts",
        "artifacts",
        "audit",
        "experiments",
        "registry",
        "runner",
        "transfer",
        "boards",
        "mlflow_api",
        "mled_site",
    }
)
API = "api/v1/"
METHODS = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True, slots=True)
class Way:
    """A method of an address that reaches an action. needs: the permission that the view names for it."""

    method: str
    address: str
    needs: str = ""

    def __str__(self) -> str:
        return f"{self.method} {self.address}"


@dataclass(slots=True)
class Reach:
    """What code reaches. actions: by function, their verbs."""

    actions: dict[Callable[..., Any], str]
    seen: set[Any] = field(default_factory=set)

    def of(self, thing: Any) -> set[str]:
        """The verbs that a function, or any method of a class, leads to."""
        if thing in self.actions:
            return {self.actions[thing]}
        if thing in self.seen:
            return set()
        self.seen.add(thing)
        if isinstance(thing, type):
            return set().union(*(self.of(each) for each in _methods(thing)))
        plain = _unwrapped(thing)
        if not isinstance(plain, FunctionType):
            return set()
        return set().union(*(self.of(named) for named in _named_by(plain)))


def _unwrapped(function: Any) -> Any:
    while hasattr(function, "__wrapped__"):
        function = function.__wrapped__
    return function


def _methods(kind: type) -> Iterator[Any]:
    """The functions of a class and of those of ours that it comes from."""
    for one in kind.__mro__:
        if is_ours(one):
            for value in vars(one).values():
                inner = getattr(value, "__func__", getattr(value, "fget", value))
                if isinstance(inner, FunctionType):
                    yield inner


def _named_by(function: FunctionType) -> Iterator[Any]:
    """Functions and classes of ours that a function's code names, also as `module.name` and in dictionaries."""
    for code in _codes(function.__code__):
        for name in code.co_names:
            yield from _meant(function.__globals__.get(name), code)


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def _meant(thing: Any, code: CodeType) -> Iterator[Any]:
    if isinstance(thing, ModuleType):
        thing = {name: getattr(thing, name, None) for name in code.co_names}
    if isinstance(thing, dict):
        for value in thing.values():
            for one in value if isinstance(value, tuple) else (value,):
                if isinstance(one, FunctionType) and is_ours(one):
                    yield one
    elif isinstance(thing, FunctionType | type) and is_ours(thing):
        yield thing


def is_ours(thing: Any) -> bool:
    return str(getattr(thing, "__module__", "")).partition(".")[0] in ROOMS


def ways() -> tuple[dict[str, list[Way]], dict[str, list[Way]]]:
    """By verb: the ways over REST, and those over pages. The admin console is a page."""
    from django.contrib import admin

    from accounts.decorators import ACTIONS
    from tests.isolation.asking import patterns

    addresses = list(patterns())  # every module of a door is imported by now, and its actions declared
    actions = {one.function: verb for verb, one in ACTIONS.items()}
    rest: dict[str, list[Way]] = defaultdict(list)
    pages: dict[str, list[Way]] = defaultdict(list)
    for address, pattern in addresses:
        view = getattr(pattern.callback, "cls", None)
        if view is None and not address.startswith("admin/"):
            for verb in Reach(actions).of(pattern.callback):
                pages[verb].append(Way("PAGE", address))
        for method in METHODS if view is not None and address.startswith(API) else ():
            if hasattr(view, method):
                needs = getattr(view, "needs", {}).get(method.upper(), "")
                for verb in Reach(actions).of(getattr(view, method)) | _of_own_parts(view, method, actions):
                    rest[verb].append(Way(method.upper(), address.removeprefix(API), needs))
    for one in admin.site._registry.values():
        for verb in Reach(actions).of(type(one)) | _of_forms(one, actions):
            pages[verb].append(Way("CONSOLE", one.opts.label_lower))
    return rest, pages


def _of_own_parts(view: type, method: str, actions: dict[Any, str]) -> set[str]:
    """What the method reaches by what it names of its own view, in any number of steps: `self._made()`, `self.act`."""
    left, known, found = [method], {*METHODS}, set[str]()
    while left:
        plain = _unwrapped(getattr(view, left.pop()))
        names = {name for code in _codes(plain.__code__) for name in code.co_names} - known
        known |= names
        own = {name: getattr(view, name) for name in names if isinstance(getattr(view, name, None), FunctionType)}
        for name, one in own.items():
            if is_ours(one):
                found |= Reach(actions).of(one)
                left += [] if one in actions else [name]
    return found


def _of_forms(one: Any, actions: dict[Any, str]) -> set[str]:
    forms = (getattr(one, "add_form", None), getattr(one, "change_form", None))
    return set().union(*(Reach(actions).of(form) for form in forms if form is not None))


def table() -> str:
    """Every action with the addresses that reach it, as Markdown."""
    rest, _ = ways()
    lines = ["| action | over REST |", "| --- | --- |"]
    return "\n".join(
        [*lines, *(f"| `{verb}` | {', '.join(f'`{way}`' for way in rest[verb])} |" for verb in sorted(rest))]
    )


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mled_site.settings")
    import django

    django.setup()
    print(table())
