"""What moves a board's result among the entries that match, and one's own best entry beside the best."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from accounts.templatetags.mled import number
from boards.pages.form import result_words
from boards.pages.visiting import Visit
from boards.queries.entries import Asked, Entry, entries_of, told
from boards.queries.relations import Gathered
from experiments.compare.correlation import (
    TOO_FEW,
    Correlation,
    Floats,
    Grouping,
    as_numbers,
    columns_of,
    correlate,
    group,
    is_numeric,
)
from experiments.pages.pictures import Boxes, Scatter, boxes, scatter

LEAST: Final = 3
BARS: Final = 10
PICTURES: Final = 6
FIELDS: Final = 12  # of two entries side by side


@dataclass(frozen=True, slots=True)
class Bar:
    """A param's rank correlation with the result. left, width: of the bar in hundredths of the way from -1 to 1."""

    name: str
    value: float
    n: int

    @property
    def left(self) -> str:
        return f"{50 + 50 * min(0.0, self.value):.1f}"

    @property
    def width(self) -> str:
        return f"{max(0.5, 50 * abs(self.value)):.1f}"

    @property
    def words(self) -> str:
        return f"{self.value:+z.2f}".replace("-", "−")


@dataclass(frozen=True, slots=True)
class Picture:
    """A param against the result, drawn."""

    name: str
    n: int
    drawn: Scatter | Boxes

    @property
    def is_thin(self) -> bool:
        return self.n < TOO_FEW


@dataclass(frozen=True, slots=True)
class Pair:
    """A field of two entries."""

    name: str
    best: str
    mine: str

    @property
    def differs(self) -> bool:
        return self.best != self.mine


def matters_of(came: Visit, held: Gathered) -> dict[str, Any]:
    """Bars of the params that are numbers, and pictures of those that move the result most."""
    n = int((held.result == held.result).sum())  # NaN is not itself
    drawn = n >= LEAST and _spans(held.result)
    found: list[tuple[float, str, Correlation | Grouping]] = []
    for name in columns_of(held.params):
        values = held.params[name]
        if is_numeric(values):
            line = correlate(as_numbers(values), held.result)
            if not _spans(as_numbers(values)):
                continue
            if line.spearman is not None:
                found.append((abs(line.spearman), name, line))
        else:
            words = group(values, held.result)
            if words.eta_squared is not None:
                found.append((words.eta_squared**0.5, name, words))
    found.sort(key=lambda one: (-one[0], one[1]))
    bars = [Bar(name, one.spearman or 0, one.n) for _, name, one in found if isinstance(one, Correlation)][:BARS]
    return {
        "n": n,
        "least": LEAST,
        "too_few": TOO_FEW,
        "is_thin": n < TOO_FEW,
        "result_name": came.board.result_label or came.board.result_key,
        "bars": sorted(bars, key=lambda bar: (bar.value, bar.name)) if n >= LEAST else [],
        "pictures": [_picture(held, name, one) for _, name, one in found[:PICTURES]] if drawn else [],
    }


def _spans(values: Floats) -> bool:
    """Whether a picture can hold them: anybody may submit numbers further apart than a number reaches."""
    some = values[np.isfinite(values)]
    with np.errstate(all="ignore"):
        return len(some) == 0 or bool(np.isfinite((some.max() - some.min()) ** 2))


def _picture(held: Gathered, name: str, found: Correlation | Grouping) -> Picture:
    if isinstance(found, Grouping):
        return Picture(name, found.n, boxes(found))
    return Picture(name, found.n, scatter(as_numbers(held.params[name]), held.result, found))


def against_best(came: Visit) -> dict[str, Any]:
    """One's own best entry beside the best of all; nothing where one of them is not there."""
    best = _first(came, Asked())
    mine = _first(came, Asked(mine=True))
    if best is None or mine is None or best.result is None or mine.result is None:
        return {}
    names = dict.fromkeys((*best.params, *mine.params))
    pairs = [Pair(name, best.params.get(name, ""), mine.params.get(name, "")) for name in names]
    pairs.sort(key=lambda pair: not pair.differs)
    return {
        "best": best,
        "mine": mine,
        "best_result": number(best.result),
        "mine_result": number(mine.result),
        "result_words": result_words(came.board),
        "pairs": pairs[:FIELDS],
        "more_pairs": max(0, len(pairs) - FIELDS),
    }


def _first(came: Visit, asked: Asked) -> Entry | None:
    """The best of those that show; one's own may wait, and has no rank then."""
    row = entries_of(came.viewer, came.board, asked).filter(state="shown").first()
    return told(came.viewer, came.board, [row])[0] if row is not None else None
