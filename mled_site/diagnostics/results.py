"""What a check found: its level, what is wrong in plain words, what to do next, figures, and how long it took."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Level(StrEnum):
    """How one thing is. In the order of how bad it is."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


ORDER = tuple(Level)


def worst(levels: Sequence[Level]) -> Level:
    """The worst of them; ok where there is none."""
    return max(levels, key=ORDER.index, default=Level.OK)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong. code: the same wherever it is told, as in docs/errors.md; next_step: what to do."""

    code: str
    level: Level
    what: str
    next_step: str


@dataclass(frozen=True, slots=True)
class Asked:
    """Who wants to know. url: scheme and host of the request that asks, '' on the command line.

    forwarded: what a proxy says the scheme was. thorough: also what takes long, such as reading the whole database.
    """

    url: str = ""
    forwarded: str = ""
    thorough: bool = False


@dataclass(slots=True)
class Notes:
    """Where a check writes what it sees, as it sees it: what it knew is kept when it breaks off."""

    asked: Asked = field(default_factory=Asked)
    problems: list[Problem] = field(default_factory=list)
    figures: list[tuple[str, str]] = field(default_factory=list)

    def figure(self, name: str, value: object) -> None:
        """One thing worth knowing."""
        self.figures.append((name, str(value)))

    def warn(self, code: str, what: str, next_step: str) -> None:
        """It works, and somebody should look at it."""
        self.problems.append(Problem(code, Level.WARNING, what, next_step))

    def fail(self, code: str, what: str, next_step: str) -> None:
        """It does not work, or evidence is in danger."""
        self.problems.append(Problem(code, Level.FAILED, what, next_step))


@dataclass(frozen=True, slots=True)
class Result:
    """What one check came to."""

    name: str
    title: str
    problems: Sequence[Problem]
    figures: Sequence[tuple[str, str]]
    took_ms: int

    @property
    def level(self) -> Level:
        return worst([one.level for one in self.problems])

    def as_json(self) -> dict[str, Any]:
        """As `doctor --json` and the REST API give it."""
        return {
            "name": self.name,
            "title": self.title,
            "level": self.level.value,
            "took_ms": self.took_ms,
            "problems": [
                {"code": one.code, "level": one.level.value, "what": one.what, "next": one.next_step}
                for one in self.problems
            ],
            "figures": [{"name": name, "value": value} for name, value in self.figures],
        }


@dataclass(frozen=True, slots=True)
class Report:
    """All that was looked at together."""

    at: dt.datetime
    version: str
    results: Sequence[Result]
    took_ms: int

    @property
    def level(self) -> Level:
        return worst([one.level for one in self.results])

    def count(self, level: Level) -> int:
        """How many checks came to this."""
        return sum(one.level is level for one in self.results)

    def as_json(self) -> dict[str, Any]:
        """As `doctor --json` and the REST API give it."""
        return {
            "level": self.level.value,
            "version": self.version,
            "at": self.at.isoformat(timespec="seconds"),
            "took_ms": self.took_ms,
            "checks": [one.as_json() for one in self.results],
        }
