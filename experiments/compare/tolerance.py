"""How far off a metric of a run done again may be: as a number, as a part of it, or as far as seeds alone carry it."""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

SEEDS_NEEDED: Final = 3  # runs that differ only in their seed, the first among them


class Kind(StrEnum):
    """By what it is measured."""

    ABSOLUTE = "absolute"
    RELATIVE = "relative"
    SEEDS = "seeds"


@dataclass(frozen=True, slots=True)
class Tolerance:
    """value: a number in the unit of the metric; a part of it (0.01: 1 %); or how many standard deviations."""

    kind: Kind = Kind.ABSOLUTE
    value: float = 0.0

    @classmethod
    def said(cls, given: Any) -> "Tolerance":
        """As JSON has it: 0.002, {"absolute": 0.002}, {"relative": 0.01}, {"seeds": 2}. Raises ValueError."""
        if isinstance(given, Mapping) and len(given) == 1:
            ((name, value),) = given.items()
            return cls(Kind(name), _number(value))
        return cls(Kind.ABSOLUTE, _number(given))

    @classmethod
    def written(cls, text: str) -> "Tolerance":
        """As a person writes it: '0.002', '1 %' or '2 sd of seeds'. Raises ValueError."""
        plain = " ".join(text.lower().split())
        if plain.endswith("%"):
            return cls(Kind.RELATIVE, _number(float(plain[:-1]) / 100))
        if plain.endswith(" sd of seeds"):
            return cls(Kind.SEEDS, _number(float(plain.removesuffix(" sd of seeds"))))
        return cls(Kind.ABSOLUTE, _number(float(plain)))

    @property
    def as_json(self) -> Any:
        """What `said` reads; a plain number where it is absolute."""
        return self.value if self.kind is Kind.ABSOLUTE else {self.kind.value: self.value}

    @property
    def text(self) -> str:
        """What `written` reads."""
        if self.kind is Kind.RELATIVE:
            return f"{float(f'{self.value * 100:.12g}')!r} %"
        return f"{self.value!r} sd of seeds" if self.kind is Kind.SEEDS else repr(self.value)


@dataclass(frozen=True, slots=True)
class Allowed:
    """What a metric that was `then` may come out as: so far from the middle. words: by which of the three."""

    then: float
    middle: float
    far: float
    words: str

    def holds(self, now: float) -> bool:
        """Whether this value is near enough. NaN and infinity never are."""
        off = abs(now - self.middle)
        return math.isfinite(off) and off <= self.far


def allowed(tolerance: Tolerance, then: float, seeds: Sequence[float]) -> Allowed:
    """What a tolerance allows a metric that was `then`. seeds: what each seed gave for it, the first run's too."""
    if tolerance.kind is Kind.SEEDS:
        return _by_seeds(tolerance.value, then, [one for one in seeds if math.isfinite(one)])
    if tolerance.kind is Kind.RELATIVE:
        far = tolerance.value * abs(then)
        return Allowed(then, then, far, f"± {tolerance.value * 100:g} % (± {far:.4g})")
    return Allowed(then, then, tolerance.value, f"± {tolerance.value:g}" if tolerance.value else "none")


def _by_seeds(deviations: float, then: float, seeds: Sequence[float]) -> Allowed:
    if len(seeds) < SEEDS_NEEDED:
        there = f"{len(seeds)} of {SEEDS_NEEDED} runs that differ only in their seed"
        return Allowed(then, then, 0.0, f"none: by seeds, and there are only {there}")
    middle, spread = statistics.fmean(seeds), statistics.stdev(seeds)
    words = f"{middle:.6g} ± {deviations * spread:.4g} ({deviations:g} standard deviations over {len(seeds)} seeds)"
    return Allowed(then, middle, deviations * spread, words)


def _number(given: Any) -> float:
    if isinstance(given, bool) or not isinstance(given, int | float) or not 0 <= given < math.inf:
        raise ValueError("A tolerance is a number from 0 on.")
    try:
        return float(given)
    except OverflowError:
        raise ValueError("A tolerance is a number of 64 bits at most.") from None
