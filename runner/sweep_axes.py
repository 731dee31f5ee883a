"""What one parameter of a sweep takes: values, or a range, read from JSON or from what people type.

`["svm", "forest"]`, `{"low": 1e-4, "high": 0.1, "log": true}`; typed: `svm, forest`, `1e-4..0.1 log`, `2..12`,
`0..1 real 4 steps`.
"""

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from random import Random
from typing import Any, Final

from kernel.errors import Invalid

VALUES_MAX: Final = 200
NAME_MAX: Final = 200
TEXT_MAX: Final = 1000
STEPS: Final = 5
DIGITS: Final = 6  # of a number that was drawn, so that people can read it
_NUMBER: Final = r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?"
_RANGE: Final = re.compile(rf"({_NUMBER})\s*\.\.\.?\s*({_NUMBER})\s*(.*)", re.DOTALL)
_WORD: Final = re.compile(r"\s*(?:(log|whole|real)\b|(\d{1,4})\s+steps?\b)")


@dataclass(frozen=True, slots=True)
class Values:
    """One after another, as they were given."""

    values: Sequence[Any]

    def plain(self) -> list[Any]:
        """As JSON has it."""
        return list(self.values)

    def on_grid(self) -> Sequence[Any]:
        return self.values

    def draw(self, random: Random) -> Any:
        return self.values[int(random.random() * len(self.values))]

    def count(self) -> int | None:
        return len(self.values)

    def specimens(self) -> Sequence[Any]:
        return self.values


@dataclass(frozen=True, slots=True)
class Range:
    """From low to high, both among them. log: by magnitudes; whole: integers; steps: how many a grid takes of it."""

    low: float
    high: float
    log: bool = False
    whole: bool = False
    steps: int = STEPS

    def plain(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self)

    def on_grid(self) -> Sequence[Any]:
        last = max(1, self.steps - 1)
        found = [self._at(place / last) for place in range(self.steps)]
        return list(dict.fromkeys(found))

    def draw(self, random: Random) -> Any:
        if self.whole and not self.log:
            return int(self.low) + int(random.random() * (int(self.high) - int(self.low) + 1))
        return self._at(random.random())

    def count(self) -> int | None:
        """How many different ones there are; None where that is beyond counting."""
        return int(self.high) - int(self.low) + 1 if self.whole else None

    def specimens(self) -> Sequence[Any]:
        return [self._exact(self.low), self._exact(self.high)]

    def _at(self, share: float) -> Any:
        if share in (0, 1):
            return self._exact(self.high if share else self.low)
        if self.log:
            low, high = math.log(self.low), math.log(self.high)
            return self._exact(math.exp(low + (high - low) * share))
        return self._exact(self.low + (self.high - self.low) * share)

    def _exact(self, value: float) -> Any:
        return round(value) if self.whole else min(max(float(f"{value:.{DIGITS}g}"), self.low), self.high)


Axis = Values | Range


def read_axis(name: str, said: Any) -> Axis:
    """What a parameter takes. Raises Invalid with the field space.<name>."""
    field = f"space.{name[:NAME_MAX]}"
    if not name.strip() or len(name) > NAME_MAX or not name.isprintable():
        raise Invalid(f"A parameter's name has 1 to {NAME_MAX} plain signs.", field="space")
    if isinstance(said, str):
        said = _typed(said, field)
    if isinstance(said, Mapping) and "values" in said:
        said = said["values"]
    if isinstance(said, list | tuple):
        return _values(list(said), field)
    if not isinstance(said, Mapping):
        raise Invalid(f"'{name}' needs several values or a range.", hint='[1, 2] or {"low": 1, "high": 9}', field=field)
    return _range(name, said, field)


def _values(given: list[Any], field: str) -> Values:
    if not 1 <= len(given) <= VALUES_MAX:
        raise Invalid(f"A parameter takes 1 to {VALUES_MAX} values.", field=field)
    if any(isinstance(one, dict | list | tuple) or one is None for one in given):
        raise Invalid("A value is a number, a text, or true or false.", field=field)
    if any(isinstance(one, str) and (len(one) > TEXT_MAX or "\x00" in one) for one in given):
        raise Invalid(f"A text has {TEXT_MAX:,} signs at most, and none of them is NUL.", field=field)
    if any(abs(one) > 2**63 or not math.isfinite(one) for one in given if isinstance(one, int | float)):
        raise Invalid("A number is finite, and has 64 bits at most.", field=field)
    return Values(distinct(given))


def distinct(values: Sequence[Any]) -> list[Any]:
    """Each once, in their order; true and 1, and 1 and 1.0, are two."""
    return list({json.dumps(one): one for one in values}.values())


def _range(name: str, said: Mapping[str, Any], field: str) -> Range:
    unknown = sorted(set(said) - {"low", "high", "log", "whole", "steps"})
    if unknown:
        raise Invalid(f"'{unknown[0]}' is nothing of a range.", hint="low, high, log, whole, steps", field=field)
    low, high = _number(name, said.get("low"), field), _number(name, said.get("high"), field)
    whole, log, steps = bool(said.get("whole")), bool(said.get("log")), said.get("steps", STEPS)
    if low >= high:
        raise Invalid(f"The range of '{name}' ends where it begins, or before.", field=field)
    if log and low <= 0:
        raise Invalid(f"A range by magnitudes begins above zero, not at {low:g}.", field=field)
    if whole and (low != int(low) or high != int(high)):
        raise Invalid(f"The range of '{name}' is of whole numbers: so are its ends.", field=field)
    if isinstance(steps, bool) or not isinstance(steps, int) or not 2 <= steps <= VALUES_MAX:
        raise Invalid(f"A grid takes 2 to {VALUES_MAX} steps of a range.", field=field)
    return Range(low, high, log, whole, steps)


def _number(name: str, said: Any, field: str) -> float:
    if isinstance(said, bool) or not isinstance(said, int | float) or said != said:
        raise Invalid(f"The range of '{name}' needs two numbers, low and high.", field=field)
    if abs(said) > 2**53:  # infinity, too
        raise Invalid(f"The range of '{name}' is too wide.", field=field)
    return float(said)


def _typed(text: str, field: str) -> Any:
    """What people type, as JSON says it."""
    found = _RANGE.fullmatch(text.strip())
    if found is None:
        return [_scalar(one) for one in text.split(",") if one.strip()]
    low, high, words = found.groups()
    told: dict[str, Any] = {"low": float(low), "high": float(high)}
    told["whole"] = not set(low + high) & set(".eE")
    while words.strip():
        word = _WORD.match(words)
        if word is None:
            hint = "log, whole, real, 5 steps"
            raise Invalid(f"'{words.strip()[:40]}' is nothing of a range.", hint=hint, field=field)
        if word[2]:
            told["steps"] = int(word[2])
        else:
            told |= {"log": True} if word[1] == "log" else {"whole": word[1] == "whole"}
        words = words[word.end() :]
    return told


def _scalar(text: str) -> Any:
    """A number, true or false, or a text, with or without quotes."""
    text = text.strip()
    try:
        found = json.loads(text)
    except ValueError:
        return float(text) if re.fullmatch(_NUMBER, text) else text
    return found if isinstance(found, str | int | float | bool) else text
