"""Two small learning tasks whose data are simulated from a stated seed."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Table:
    """Features x (rows, columns) and target y (rows) of a split."""

    x: Array
    y: Array

    def csv(self) -> str:
        """As people pass it on: a head, four digits."""
        columns = [f"x{number:02d}" for number in range(self.x.shape[1])]
        rows = (",".join(f"{value:.4f}" for value in (*x, y)) for x, y in zip(self.x, self.y, strict=True))
        return "\n".join([",".join([*columns, "y"]), *rows, ""])


@dataclass(frozen=True, slots=True)
class Task:
    """A task: training and test rows, and how they came about."""

    name: str
    train: Table
    test: Table
    source: str


def pump_alarms(version: int) -> Task:
    """Tell worn pump bearings from sound ones by vibration: 12 bands, the fault shows in two that interact.

    Version 2 has 2,400 rows instead of 1,200 and less sensor noise.
    """
    rows, noise, seed = (1200, 0.9, 11) if version == 1 else (2400, 0.6, 12)
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, 12))
    wear = 1.6 * x[:, 0] * x[:, 1] + 0.9 * x[:, 2] - 0.7 * np.abs(x[:, 3]) + 0.5
    y = (wear + rng.normal(scale=noise, size=rows) > 0).astype(float)
    return _split("pump-vibration", x, y, f"simulated: 12 bands, seed {seed}, noise {noise}")


def bed_demand() -> Task:
    """Forecast tomorrow's beds from the last 28 days: trend, week, season and noise over four years."""
    rng = np.random.default_rng(23)
    day = np.arange(4 * 365)
    beds = 220 + 0.02 * day + 14 * np.sin(2 * np.pi * day / 365) - 12 * (day % 7 >= 5)
    beds = beds + np.convolve(rng.normal(scale=5, size=len(day) + 6), np.ones(7) / 7, "valid")
    x = np.stack([beds[i : i + 28] for i in range(len(beds) - 28)])
    return _split("bed-census", x, beds[28:], "simulated: four years of daily census, seed 23", ordered=True)


def wine_ratings() -> Task:
    """Rate wine from 11 lab values that go together; alcohol and acidity matter most, and only in part linearly."""
    rng = np.random.default_rng(31)
    x = rng.normal(size=(1600, 11)) @ (np.eye(11) + 0.25 * rng.normal(size=(11, 11)))
    rating = 5.6 + 0.45 * x[:, 10] - 0.35 * x[:, 1] + 0.3 * np.tanh(x[:, 9] * x[:, 10]) - 0.2 * np.abs(x[:, 3])
    return _split("wine-ratings", x, rating + rng.normal(scale=0.45, size=len(x)), "simulated: 11 lab values, seed 31")


def _split(name: str, x: Array, y: Array, source: str, *, ordered: bool = False) -> Task:
    order = np.arange(len(x)) if ordered else np.random.default_rng(5).permutation(len(x))
    cut = int(len(x) * 0.75)
    train, test = order[:cut], order[cut:]
    return Task(name, Table(x[train], y[train]), Table(x[test], y[test]), source)
