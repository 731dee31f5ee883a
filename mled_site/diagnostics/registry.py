"""Every check by its name, in the order in which they are shown."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from mled_site.diagnostics.results import Notes

Examine = Callable[[Notes], None]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing to look at. seconds: after so many it is given up. needs_database: it says nothing without one."""

    name: str
    title: str
    about: str
    examine: Examine
    seconds: float
    needs_database: bool


_ORDER: Final = (
    "database",
    "migrations",
    "broker",
    "workers",
    "sandbox",
    "storage",
    "keys",
    "sequencer",
    "clock",
    "disk",
    "configuration",
    "assets",
    "versions",
)
_checks: dict[str, Check] = {}


def check(name: str, title: str, *, seconds: float = 5.0, needs_database: bool = False) -> Callable[[Examine], Examine]:
    """Register a function that looks at one thing; its docstring says what."""

    def register(examine: Examine) -> Examine:
        about = (examine.__doc__ or "").strip()
        _checks[name] = Check(name, title, about, examine, seconds, needs_database)
        return examine

    return register


def all_checks() -> list[Check]:
    """Every check, in its order."""
    from mled_site.diagnostics import checks  # noqa: F401 - importing them registers them

    return sorted(_checks.values(), key=lambda one: _ORDER.index(one.name))


def find_check(name: str) -> Check | None:
    """The check of this name."""
    return next((one for one in all_checks() if one.name == name), None)
