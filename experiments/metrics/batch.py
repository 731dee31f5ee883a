"""What a client logs at once, checked; and its points as columns per series."""

import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from operator import itemgetter, lt
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from experiments.values import (
    BATCH_ITEMS_MAX,
    BATCH_METRICS_MAX,
    BATCH_PARAMS_MAX,
    BATCH_TAGS_MAX,
    INT64_MAX,
    INT64_MIN,
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
        check_points(self.metrics)
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


def check_points(points: Sequence[MetricPoint]) -> None:
    """Raise Invalid, with its index, for the first point that cannot be kept exactly."""
    if not _are_plainly_good(points):
        for index, point in enumerate(points):
            check_point(point, f"metrics[{index}]")


def _are_plainly_good(points: Sequence[MetricPoint]) -> bool:
    """Told from the columns, in a fraction of the time: most batches are."""
    if not {point.key for point in points} <= _known_keys:
        return False
    times, steps = [point.at_ms for point in points], [point.step for point in points]
    return not points or (
        min(times) >= 0 and max(times) <= INT64_MAX and min(steps) >= INT64_MIN and max(steps) <= INT64_MAX
    )


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


@dataclass
class SeriesPoints:
    """The points of one series in a batch, as lists while they are gathered."""

    key: str
    context: str = ""
    steps: list[int] = field(default_factory=list)
    times: list[int] = field(default_factory=list)
    values: list[float] = field(default_factory=list)

    @cached_property
    def climbs(self) -> bool:
        """Whether each step is higher than the one before, as in nearly every batch: no point stands there twice."""
        return all(map(lt, self.steps, self.steps[1:]))

    @cached_property
    def has_nan(self) -> bool:
        """Whether there may be a NaN among the values; infinities of both signs count as one."""
        return math.isnan(sum(self.values))


def by_series(metrics: Sequence[MetricPoint]) -> Iterator[SeriesPoints]:
    """The points of each key, keys in order, so that concurrent batches lock series in one order."""
    places = _places([point.key for point in metrics])
    steps = [point.step for point in metrics]
    times = [point.at_ms for point in metrics]
    values = [point.value for point in metrics]
    for key in sorted(places):
        take = places[key]
        yield SeriesPoints(key, "", take(steps), take(times), take(values))


Take = Callable[[list[Any]], list[Any]]


def _places(keys: list[str]) -> dict[str, Take]:
    """For each key, what picks its items out of a column."""
    names = list(dict.fromkeys(keys))
    if keys == names * (len(keys) // len(names) if names else 0):  # key by key, step by step: as training loops log
        return {name: itemgetter(slice(at, None, len(names))) for at, name in enumerate(names)}
    found: defaultdict[str, list[int]] = defaultdict(list)
    for at, key in enumerate(keys):
        found[key].append(at)
    return {key: partial(_picked, places) for key, places in found.items()}


def _picked(places: list[int], column: list[Any]) -> list[Any]:
    return [column[at] for at in places]


def finite_number(text: str) -> float | None:
    """The number that a param's text is, where it is a finite one."""
    if len(text) > 40:
        return None
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
