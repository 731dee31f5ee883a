"""One column while its values stream past."""

import math
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from artifacts.profiling.hashing import hashes_of
from artifacts.profiling.kinds import kind_of, measured, narrowed
from artifacts.profiling.sketches import Bars, Distinct, Frequent, Moments

_COUNTED_AT_MOST = 400  # values of a batch whose counts are kept
_SHOWN_CHARACTERS = 100
_NUMBERS = ("integer", "number")
_TIMES = ("time", "date")


class ColumnSummary:
    """Counts, distinct and frequent values, statistics. kind: '' until there is a value."""

    def __init__(self, name: str) -> None:
        self.name, self.kind, self.stored = name, "", ""
        self.rows, self.missing, self.infinite = 0, 0, 0
        self.distinct, self.frequent = Distinct(), Frequent()
        self.moments, self.bars = Moments(), Bars()

    def skip(self, rows: int) -> None:
        """So many rows had no such column."""
        self.rows += rows
        self.missing += rows

    def take_texts(self, values: pa.Array) -> None:
        """Values of a file without types: what they are is told by the texts."""
        present = self._present(values)
        if len(present):
            kind, numbers = narrowed(present, self.kind)
            self._become(kind)
            self._count(present)
            self._measure(numbers)

    def take(self, values: pa.Array) -> None:
        """Values of a file with types."""
        present, kind = self._present(values), kind_of(values.type)
        if not self.stored and kind != "empty":
            self.stored = str(values.type)[:60]
        if kind == "number" and len(present):
            present = self._without_nan(present)
        if not len(present):
            return
        self._become(self._merged(kind))
        if self.kind != "nested":
            self._count(present)
        self._measure(measured(present, kind) if self.kind not in ("mixed", "nested") else None)

    def _present(self, values: pa.Array) -> pa.Array:
        self.rows += len(values)
        self.missing += values.null_count
        return values.drop_null() if values.null_count else values

    def _without_nan(self, values: pa.Array) -> pa.Array:
        """NaN is a missing value: so it is in the files that pandas writes."""
        if not pa.types.is_floating(values.type):
            return values
        is_nan = pc.is_nan(values)
        count = pc.sum(is_nan).as_py() or 0
        self.missing += count
        return values.filter(pc.invert(is_nan)) if count else values

    def _merged(self, kind: str) -> str:
        """What the column is with values of this kind too."""
        if not self.kind or self.kind == kind:
            return kind
        return "number" if {self.kind, kind} == set(_NUMBERS) else "mixed"

    def _become(self, kind: str) -> None:
        """Another kind than before: statistics of what it was do not hold for it, but whole numbers are numbers."""
        if self.kind and kind != self.kind and not {self.kind, kind} <= set(_NUMBERS):
            self.moments, self.bars, self.infinite = Moments(), Bars(), 0
        self.kind = kind

    def _count(self, present: pa.Array) -> None:
        counted = pc.value_counts(present)
        values, counts = counted.field("values"), counted.field("counts").to_numpy(zero_copy_only=False)
        self.distinct.take(hashes_of(values))
        is_whole = len(counts) <= _COUNTED_AT_MOST
        if not is_whole:
            most = np.argpartition(counts, -_COUNTED_AT_MOST)[-_COUNTED_AT_MOST:]
            values, counts = values.take(pa.array(most)), counts[most]
        found: dict[str, int] = {}
        for value, count in zip(values, counts, strict=True):
            text = _shown(value.as_py())
            found[text] = found.get(text, 0) + int(count)
        self.frequent.take(found, is_whole=is_whole)

    def _measure(self, values: pa.Array | None) -> None:
        if values is None or not len(values):
            return
        if self.kind in _TIMES:
            numbers = pc.cast(values, pa.int64()).to_numpy(zero_copy_only=False).astype(np.float64) / 1e6
        else:
            numbers = values.to_numpy(zero_copy_only=False)
        is_finite = np.isfinite(numbers)
        if not is_finite.all():
            self.infinite += int(len(numbers) - is_finite.sum())
            numbers = numbers[is_finite]
        if len(numbers):
            self.moments.take(numbers)
            self.bars.take(numbers)

    def shown(self) -> dict[str, Any]:
        """The column as a profile keeps it: see artifacts.tables.ColumnProfile."""
        kind = self.kind or "empty"
        has_numbers, has_times = kind in _NUMBERS and self.moments.count, kind in _TIMES and self.moments.count
        values = self.rows - self.missing
        has_few = kind not in (*_NUMBERS, *_TIMES) or self.distinct.count <= 20
        frequent = self.frequent.top(values) if has_few else []
        found: dict[str, Any] = {
            "name": self.name,
            "kind": kind,
            "stored": self.stored,
            "missing": self.missing,
            "distinct": None if kind in ("empty", "nested") else min(self.distinct.count, values),
            "distinct_is_estimate": self.distinct.is_estimate,
            "top": [list(pair) for pair in frequent],
            "top_is_estimate": self.frequent.is_estimate,
            "histogram": self.bars.shown() if has_numbers or has_times else None,
        }
        if has_numbers:
            found |= {"mean": _finite(self.moments.mean), "std": _finite(self.moments.std)}
            found |= {"min": self._number(self.moments.least), "max": self._number(self.moments.greatest)}
        if has_times:
            unit: Literal["D", "s"] = "D" if kind == "date" else "s"
            found |= {"min": _moment(self.moments.least, unit), "max": _moment(self.moments.greatest, unit)}
        return found

    def _number(self, value: float) -> float | int:
        return int(value) if self.kind == "integer" else value


def _shown(value: Any) -> str:
    """A value as a list of frequent ones says it."""
    text = repr(value) if isinstance(value, bytes) else ("true" if value is True else "false" if value is False else "")
    text = text or str(value)
    return text if len(text) <= _SHOWN_CHARACTERS else text[: _SHOWN_CHARACTERS - 1] + "…"


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _moment(seconds: float, unit: Literal["D", "s"]) -> str:
    """A time in UTC, or a day, as ISO 8601, whatever the year."""
    return str(np.datetime64(math.floor(seconds), "s").astype(f"datetime64[{unit}]"))
