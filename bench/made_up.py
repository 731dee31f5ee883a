"""Made-up runs by the thousand, the same for the same seed: what `bench/fill.py` puts in.

Every run has 10 params, 5 tags and 5 metrics of 10 points. Some keys every run has (lr, team), some half of them
(warmup), some hardly one (distilled_from, paper); val/f1 is missing here and there and sometimes NaN. Values of few
kinds (batch_size), of many (lr), and one of a kind (ticket).
"""

import struct
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from bench.bulk import moment, packed
from experiments.values import Lifecycle, RunStatus

PIECE = 10_000  # runs made at once
BEGIN_MS, SPAN_MS = 1_700_000_000_000, 730 * 86_400_000  # two years
STEPS = np.arange(10, dtype="<i8") * 10
METRICS = ("val/auroc", "val/loss", "val/f1", "train/loss", "seconds")
ARCHES = ("gru-d", "tcn", "lightgbm", "transformer-m")
WIDE_KEYS = [f"layer/{number:03}/norm" for number in range(200)]

RUN = (
    "id", "uid", "project_id", "experiment_id", "number", "name", "status", "lifecycle", "started_ms", "ended_ms",
    "created_at", "created_by_id", "claimed_user", "parent_id", "source_name", "git_commit", "deleted_at",
)  # fmt: skip
PARAM = ("run_id", "experiment_id", "key", "value", "number")
TAG = ("run_id", "experiment_id", "key", "value")
INPUT = ("id", "run_id", "dataset_version_id", "context")
SERIES = (
    "id", "run_id", "experiment_id", "key", "last_value", "last_is_nan", "last_step", "last_ms", "first_value",
    "first_step", "first_ms", "min_value", "min_step", "max_value", "max_step",
)  # fmt: skip
SEGMENT = ("series_id", "count", "min_step", "max_step", "min_ms", "max_ms", "steps", "times", "values")


@dataclass(frozen=True)
class Place:
    """The project that runs go into. experiments: the one for each of ten blocks of runs, in turn; wide: the one for
    the first wide_runs, which have two hundred metrics more."""

    project: str
    experiments: Sequence[int]
    wide: int
    wide_runs: int
    users: Sequence[str]
    versions: Sequence[str]


@dataclass
class Made:
    """Runs number `numbers` of a place that is to hold `total`, of which the first has these primary keys."""

    place: Place
    numbers: range
    total: int
    seed: Sequence[int]
    first_run: int
    first_number: int
    first_series: int
    series: list[tuple[int, NDArray[np.float64], list[int]]] = field(default_factory=list)

    @cached_property
    def rng(self) -> np.random.Generator:
        return np.random.default_rng([*self.seed, self.numbers.start // PIECE])

    def key(self, n: int) -> int:
        return self.first_run + n - self.numbers.start

    def experiment(self, n: int) -> int:
        """Ten runs that follow each other are in one, because the first is the parent of the others."""
        if n < self.place.wide_runs:
            return self.place.wide
        return self.place.experiments[n // 10 % len(self.place.experiments)]

    def started(self, n: int) -> int:
        return BEGIN_MS + n * SPAN_MS // max(self.total, 1)

    def runs(self) -> Iterator[tuple[Any, ...]]:
        count, rng, place = len(self.numbers), self.rng, self.place
        lasts = rng.integers(60_000, 90 * 60_000, count).tolist()
        commits, chance = rng.bytes(20 * count).hex(), rng.random(count).tolist()
        uids = [int.from_bytes(rng.bytes(8), "big") & ((1 << 62) - 1) for _ in range(count)]
        for at, n in enumerate(self.numbers):
            started, deleted = self.started(n), chance[at] > 0.99
            uid = UUID(int=started << 80 | 0x7 << 76 | (n & 0xFFF) << 64 | 0b10 << 62 | uids[at])
            yield (
                self.key(n), uid.hex, place.project, self.experiment(n), self.first_number + at,
                f"{ARCHES[n % 4]}-{n:06}", _status(chance[at]).value,
                (Lifecycle.DELETED if deleted else Lifecycle.ACTIVE).value, started,
                None if chance[at] < 0.001 else started + lasts[at], moment(started), place.users[n % len(place.users)],
                f"user{n % 12}", self.key(n - n % 10) if n % 10 and n - n % 10 in self.numbers else None, "train.py",
                commits[40 * at : 40 * at + 40], moment(started) if deleted else None,
            )  # fmt: skip

    def params(self) -> Iterator[tuple[Any, ...]]:
        count, rng = len(self.numbers), self.rng
        rates = (10 ** rng.uniform(-5, -1, count)).tolist()
        drops = np.round(rng.random(count) / 2, 4).tolist()
        for at, n in enumerate(self.numbers):
            run, experiment = self.key(n), self.experiment(n)
            rate, drop, size, layers = float(f"{rates[at]:.6g}"), drops[at], 2 ** (4 + n % 5), 1 + n % 8
            yield run, experiment, "lr", f"{rate:g}", rate
            yield run, experiment, "batch_size", size, float(size)
            yield run, experiment, "arch", ARCHES[n % 4], None
            yield run, experiment, "seed", n % 10, float(n % 10)
            yield run, experiment, "dropout", drop, drop
            yield run, experiment, "layers", layers, float(layers)
            yield run, experiment, "optimizer", ("adam", "sgd", "lion")[n % 3], None
            yield run, experiment, "window", ("6h", "12h", "24h", "48h")[n % 4], None
            yield run, experiment, "cohort", f"site-{n % 37:02}/adults", None
            yield run, experiment, ("warmup", "decay")[n % 2], 100 * (n % 7), 100.0 * (n % 7)
            if n % 10_000 == 77:
                yield run, experiment, "distilled_from", f"run-{n // 2}", None

    def tags(self) -> Iterator[tuple[Any, ...]]:
        for n in self.numbers:
            run, experiment = self.key(n), self.experiment(n)
            yield run, experiment, "team", f"team-{n % 6}"
            yield run, experiment, "mlflow.user", f"user{n % 12}"
            yield run, experiment, "mlflow.runName", f"{ARCHES[n % 4]}-{n:06}"
            yield run, experiment, "mlflow.source.name", "train.py"
            yield run, experiment, "ticket", f"ICU-{n}"
            if n % 20_000 == 1_234:
                yield run, experiment, "paper", "figure 3"

    def inputs(self) -> Iterator[tuple[Any, ...]]:
        """Every second run has one."""
        versions = self.place.versions
        for n in self.numbers:
            if n % 2 == 0:
                uid = UUID(bytes=self.rng.bytes(16), version=4).hex
                yield uid, self.key(n), versions[n // 2 % len(versions)], ("train", "test")[n % 3 == 0]

    def metrics(self) -> Iterator[tuple[Any, ...]]:
        """Series with their summaries; `segments` gives what they were made of."""
        self.series.clear()
        series = self.first_series
        for at, key in enumerate(METRICS):
            series = yield from self._metric(key, at, self.numbers, series)
        wide = range(self.numbers.start, min(self.numbers.stop, self.place.wide_runs))
        for key in WIDE_KEYS if wide else ():
            series = yield from self._metric(key, 0, wide, series)

    def _metric(self, key: str, kind: int, numbers: range, series: int) -> Generator[tuple[Any, ...], None, int]:
        values = _curves(self.rng, kind, len(numbers))
        first, last = values[:, 0].tolist(), values[:, -1].tolist()
        low, high = values.argmin(1), values.argmax(1)
        lows, highs = values.min(1).tolist(), values.max(1).tolist()
        low_steps, high_steps = STEPS[low].tolist(), STEPS[high].tolist()
        kept = [at for at, n in enumerate(numbers) if not (key == "val/f1" and n % 33 == 5)]
        self.series.append((series, values, kept))
        for at in kept:
            n = numbers[at]
            start, end = self.started(n), self.started(n) + 90_000
            if key == "val/f1" and n % 101 == 9:
                values[at] = np.nan
                summary: tuple[Any, ...] = (None, True, 90, end, None, 0, start, None, None, None, None)
            else:
                summary = (
                    last[at], False, 90, end, first[at], 0, start, lows[at], low_steps[at], highs[at], high_steps[at]
                )  # fmt: skip
            yield (series, self.key(n), self.experiment(n), key, *summary)
            series += 1
        return series

    def segments(self) -> Iterator[tuple[Any, ...]]:
        """The points of all series that `metrics` gave, ten in each."""
        steps, ten = packed(STEPS.tobytes()), struct.Struct("<10q")
        for series, values, kept in self.series:
            data = values.astype("<f8").tobytes()
            for at in kept:
                start = self.started(self.numbers[at])
                times = packed(ten.pack(*range(start, start + 100_000, 10_000)))
                points = packed(data[80 * at : 80 * at + 80])
                yield series, 10, 0, 90, start, start + 90_000, steps, times, points
                series += 1


def _status(chance: float) -> RunStatus:
    if chance < 0.001:
        return RunStatus.RUNNING
    return RunStatus.FAILED if chance < 0.04 else RunStatus.KILLED if chance < 0.06 else RunStatus.FINISHED


def _curves(rng: np.random.Generator, kind: int, count: int) -> NDArray[np.float64]:
    """Ten points each, of the n-th metric: falling or rising to where the run ends."""
    ends, noise = rng.random((count, 1)), rng.normal(0, 0.01, (count, 10))
    falling = METRICS[kind].endswith("loss")
    way = np.linspace(2, 1, 10) if falling else np.linspace(0.5, 1, 10)
    values = ends * way + noise
    return np.round(values * 3_600 if METRICS[kind] == "seconds" else values, 6)
