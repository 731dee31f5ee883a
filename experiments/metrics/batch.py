"""What a client logs at once, checked; and its points as columns per series."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from experiments.values import (
    BATCH_ITEMS_MAX,
    BATCH_METRICS_MAX,
    BATCH_PARAMS_MAX,
    BATCH_TAGS_MAX,
    checked_int64,
    checked_key,
    checked_text,
)
from kernel.errors import Invalid


class MetricPoint(NamedTuple):
    """One value of a metric. at_ms: the client's time in milliseconds UTC; step: any int64."""

    key: str
    value: float
    at_ms: int
    step: int = 0
    model_id: str = ""
    dataset_name: str = ""
    dataset_digest: str = ""


@dataclass(frozen=True, slots=True)
class Batch:
    """Metrics, params and tags that are written together or not at all."""

    metrics: Sequence[MetricPoint] = ()
    params: Sequence[tuple[str, str]] = ()
    tags: Sequence[tuple[str, str]] = ()

    def checked(self) -> "Batch":
        """The batch itself, if each part of it is good. Raises Invalid with the index of the first that is not."""
        self._check_counts()
        for index, point in enumerate(self.metrics):
            check_point(point, f"metrics[{index}]")
        seen: set[str] = set()
        for index, (key, value) in enumerate(self.params):
            checked_key(key, f"params[{index}].key")
            checked_text(value, f"params[{index}].value")
            if key in seen:
                raise Invalid(f"The param '{key}' stands twice in this batch.", field=f"params[{index}].key")
            seen.add(key)
        for index, (key, value) in enumerate(self.tags):
            checked_key(key, f"tags[{index}].key")
            checked_text(value, f"tags[{index}].value")
        return self

    def _check_counts(self) -> None:
        for name, items, limit in (
            ("metrics", self.metrics, BATCH_METRICS_MAX),
            ("params", self.params, BATCH_PARAMS_MAX),
            ("tags", self.tags, BATCH_TAGS_MAX),
        ):
            if len(items) > limit:
                raise Invalid(
                    f"A batch holds at most {limit} {name}; this one has {len(items)}.",
                    hint="Send several.",
                    field=name,
                )
        total = len(self.metrics) + len(self.params) + len(self.tags)
        if total > BATCH_ITEMS_MAX:
            raise Invalid(
                f"A batch holds at most {BATCH_ITEMS_MAX} items in all; this one has {total}.",
                hint="Send several.",
                field="metrics",
            )


_known_keys: set[str] = set()
_KNOWN_MAX = 10_000


def check_point(point: MetricPoint, where: str) -> None:
    """Raise Invalid unless the point is one that can be kept exactly."""
    key = point.key
    if key not in _known_keys:
        checked_key(key, f"{where}.name")
        if len(_known_keys) < _KNOWN_MAX:
            _known_keys.add(key)
    if point.at_ms < 0:
        raise Invalid("A timestamp is milliseconds since 1970 and not negative.", field=f"{where}.timestamp")
    checked_int64(point.at_ms, f"{where}.timestamp")
    checked_int64(point.step, f"{where}.step")


@dataclass(frozen=True, slots=True)
class Points:
    """Columns of equal length n: steps int64, times int64 (ms), values float64. Times and steps as logged."""

    steps: NDArray[np.int64]
    times: NDArray[np.int64]
    values: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.steps)

    @classmethod
    def none(cls) -> "Points":
        """No points at all."""
        return cls(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float64))

    def take(self, index: NDArray[np.intp] | NDArray[np.bool_] | slice) -> "Points":
        """The points at these positions."""
        return Points(self.steps[index], self.times[index], self.values[index])


@dataclass(slots=True)
class SeriesPoints:
    """The points of one series in a batch, as lists while they are gathered."""

    key: str
    context: str = ""
    steps: list[int] = field(default_factory=list)
    times: list[int] = field(default_factory=list)
    values: list[float] = field(default_factory=list)


def by_series(metrics: Sequence[MetricPoint]) -> Iterator[SeriesPoints]:
    """The points of each key, keys in order, so that concurrent batches lock series in one order."""
    found: dict[str, SeriesPoints] = {}
    for point in metrics:
        series = found.get(point.key)
        if series is None:
            series = found[point.key] = SeriesPoints(point.key)
        series.steps.append(point.step)
        series.times.append(point.at_ms)
        series.values.append(point.value)
    yield from (found[key] for key in sorted(found))


def finite_number(text: str) -> float | None:
    """The number that a param's text is, where it is a finite one."""
    if len(text) > 40:
        return None
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
