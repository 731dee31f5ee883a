"""Points of a series as the source has them and as they are here: in one order, so that they can be told apart."""

import hashlib
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from experiments.metrics.batch import Points, SeriesPoints
from transfer.mlflow.records import NotReadable

_ROW = np.dtype([("time", "<i8"), ("step", "<i8"), ("bits", "<i8")])


def as_points(rows: Iterable[tuple[int, int, float]]) -> Points:
    """Points of (step, time in ms, value) rows."""
    found = list(rows)
    try:
        return Points(
            np.fromiter((row[0] for row in found), np.int64, len(found)),
            np.fromiter((row[1] for row in found), np.int64, len(found)),
            np.fromiter((row[2] for row in found), np.float64, len(found)),
        )
    except OverflowError:
        raise NotReadable("A step or time of a metric does not fit into 64 bits.") from None


def in_order(points: Points) -> Points:
    """By time, step and value, exact duplicates once; every NaN and every zero with the same bits."""
    rows = _rows(points)
    fresh = np.unique(rows)
    return Points(
        np.ascontiguousarray(fresh["step"]),
        np.ascontiguousarray(fresh["time"]),
        np.ascontiguousarray(fresh["bits"]).view("<f8"),
    )


def missing(theirs: Points, ours: Points) -> Points:
    """What of theirs is not among ours; both as `in_order` leaves them."""
    if not len(ours):
        return theirs
    return theirs.take(~np.isin(_rows(theirs), _rows(ours)))


def digest(points: Points) -> str:
    """SHA-256 over the arrays of a series that is in order."""
    sha = hashlib.sha256(points.steps.astype("<i8", copy=False).tobytes())
    sha.update(points.times.astype("<i8", copy=False).tobytes())
    sha.update(points.values.astype("<f8", copy=False).tobytes())
    return sha.hexdigest()


def as_series(key: str, points: Points) -> SeriesPoints:
    """As the metric store takes them."""
    return SeriesPoints(key, steps=points.steps.tolist(), times=points.times.tolist(), values=points.values.tolist())


def _rows(points: Points) -> NDArray[np.void]:
    values = points.values.astype("<f8") + 0.0
    values[np.isnan(values)] = np.nan
    rows = np.empty(len(points), _ROW)
    rows["time"], rows["step"], rows["bits"] = points.times, points.steps, values.view("<i8")
    return rows
