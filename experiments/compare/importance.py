"""Which parameters a result depends on most: permutation importance in a small forest.

The method, so that it can be named beside the figures: extremely randomised trees (splits at random thresholds, the
best of them kept) are grown on bootstrap samples of the runs; each tree then predicts the runs that it did not see,
once as they are and once with one parameter shuffled. The mean growth of the squared error, as a share of the result's
variance, is that parameter's importance. About 0: knowing it does not help. The seed is fixed: the same runs give the
same figures.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from experiments.compare.correlation import Floats, as_numbers, is_numeric

METHOD = "permutation importance, 80 extremely randomised trees, out-of-bag"
TREES = 80
LEAF = 3
DEPTH = 12
THRESHOLDS = 4  # tried for each parameter at a node
RUNS_MAX = 2_000
LEAST = 10  # runs; with fewer nothing is computed
_SEED = 20_260


@dataclass(frozen=True, slots=True)
class Importance:
    """One parameter's importance, in shares of the result's variance, with its standard error over the trees."""

    name: str
    share: float
    error: float


@dataclass(frozen=True, slots=True)
class Ranking:
    """Parameters by importance. explained: share of the variance that the forest predicts for runs it did not see."""

    n: int
    explained: float
    importances: list[Importance]


def rank(params: Mapping[str, Sequence[str | None]], result: Floats) -> Ranking | None:
    """Rank the parameters of runs by what they tell of a result; None with fewer than LEAST runs or a constant result.

    params: values by name, in the order of `result`. Missing values are a value of their own.
    """
    known = np.flatnonzero(np.isfinite(result)).tolist()
    rng = np.random.default_rng(_SEED)
    if len(known) > RUNS_MAX:
        known = sorted(rng.choice(known, RUNS_MAX, replace=False).tolist())
    y = result[known]
    if len(y) < LEAST or not params or y.min() == y.max():
        return None
    x = np.column_stack([_encoded([values[i] for i in known]) for values in params.values()])
    y = (y - y.mean()) / y.std()
    growth, baseline, seen = _shuffled_errors(x, y, rng)
    importances = [
        Importance(name, float(growth[:, at].mean()), float(growth[:, at].std() / np.sqrt(len(growth))))
        for at, name in enumerate(params)
    ]
    importances.sort(key=lambda one: (-one.share, one.name))
    explained = 1.0 - float((baseline[seen > 0] / seen[seen > 0] - y[seen > 0]).var()) if (seen > 0).any() else 0.0
    return Ranking(len(y), max(0.0, explained), importances)


def _encoded(values: Sequence[str | None]) -> Floats:
    """Numbers as they are, words as their place in the alphabet; what is missing lies below all."""
    if is_numeric(values):
        numbers = as_numbers(values)
        low = np.nanmin(numbers)
        high = np.nanmax(numbers)
        return np.asarray(np.where(np.isfinite(numbers), numbers, low - (high - low) - 1.0), dtype=np.float64)
    places = {word: place for place, word in enumerate(sorted({value for value in values if value is not None}))}
    return np.array([-1.0 if value is None else places[value] for value in values], dtype=np.float64)


def _shuffled_errors(x: Floats, y: Floats, rng: np.random.Generator) -> tuple[Floats, Floats, NDArray[np.int64]]:
    """Per tree and parameter the growth of the error; the sum of predictions for unseen runs, and how often."""
    n, width = x.shape
    growth = np.zeros((TREES, width))
    sums, seen = np.zeros(n), np.zeros(n, dtype=np.int64)
    for at in range(TREES):
        drawn = rng.integers(0, n, n)
        unseen = np.setdiff1d(np.arange(n), drawn)
        if not len(unseen):
            continue
        tree = _grow(x[drawn], y[drawn], rng)
        said = _predict(tree, x[unseen])
        sums[unseen] += said
        seen[unseen] += 1
        error = float(((said - y[unseen]) ** 2).mean())
        for column in range(width):
            shuffled = x[unseen].copy()
            shuffled[:, column] = rng.permutation(shuffled[:, column])
            growth[at, column] = float(((_predict(tree, shuffled) - y[unseen]) ** 2).mean()) - error
    return growth, sums, seen


@dataclass(frozen=True, slots=True)
class _Tree:
    """Nodes in arrays: column and threshold of a split with the places of its children, or (column -1) a value."""

    column: NDArray[np.int64]
    threshold: Floats
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    value: Floats


def _grow(x: Floats, y: Floats, rng: np.random.Generator) -> _Tree:
    nodes: list[tuple[int, float, int, int, float]] = []
    waiting = [(np.arange(len(y)), 0, -1, False)]
    while waiting:
        rows, depth, parent, is_right = waiting.pop()
        place = len(nodes)
        if parent >= 0:
            column, threshold, left, right, value = nodes[parent]
            nodes[parent] = (
                (column, threshold, left, place, value) if is_right else (column, threshold, place, right, value)
            )
        split = _best_split(x[rows], y[rows], rng) if depth < DEPTH and len(rows) >= 2 * LEAF else None
        if split is None:
            nodes.append((-1, 0.0, -1, -1, float(y[rows].mean())))
            continue
        column, threshold = split
        nodes.append((column, threshold, -1, -1, 0.0))
        low = x[rows, column] <= threshold
        waiting.append((rows[~low], depth + 1, place, True))
        waiting.append((rows[low], depth + 1, place, False))
    columns, thresholds, lefts, rights, values = zip(*nodes, strict=True)
    return _Tree(
        np.array(columns, dtype=np.int64),
        np.array(thresholds),
        np.array(lefts, dtype=np.int64),
        np.array(rights, dtype=np.int64),
        np.array(values),
    )


def _best_split(x: Floats, y: Floats, rng: np.random.Generator) -> tuple[int, float] | None:
    """The random split that lowers the squared error most, leaving LEAF rows on each side."""
    low, high = x.min(axis=0), x.max(axis=0)
    best, found = 0.0, None
    total = y.sum()
    for column in np.flatnonzero(high > low):
        for threshold in rng.uniform(low[column], high[column], THRESHOLDS):
            side = x[:, column] <= threshold
            count = int(side.sum())
            if count < LEAF or len(y) - count < LEAF:
                continue
            below = float(y[side].sum())
            gain = below**2 / count + (total - below) ** 2 / (len(y) - count) - total**2 / len(y)
            if gain > best + 1e-12:
                best, found = gain, (int(column), float(threshold))
    return found


def _predict(tree: _Tree, x: Floats) -> Floats:
    at = np.zeros(len(x), dtype=np.int64)
    while True:
        columns = tree.column[at]
        inner = np.flatnonzero(columns >= 0)
        if not len(inner):
            return np.asarray(tree.value[at], dtype=np.float64)
        here = at[inner]
        low = x[inner, columns[inner]] <= tree.threshold[here]
        at[inner] = np.where(low, tree.left[here], tree.right[here])
