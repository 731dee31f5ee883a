"""Models that learn step by step, so that a curve can be watched: each step makes them better or worse by a little."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import SGDClassifier, SGDRegressor
from sklearn.neural_network import MLPClassifier, MLPRegressor

from .settings import Settings

POINTS = 250  # of a curve: to judge a model after each of thousands of steps would take longer than to train it


def steps_of(settings: Settings, features: Any, target: Any, classes: int) -> Iterator[tuple[int, Any]]:
    """The number of each step and the model after it, at most POINTS of them. classes: 0 for regression."""
    weights = _weights(target, classes) if settings.balanced and classes else None
    if settings.model in ("linear", "mlp"):
        yield from _passes(settings, features, target, classes, weights)
    else:
        yield from _growing(settings, features, target, classes, weights)


def _weights(target: Any, classes: int) -> Any:
    counts = np.bincount(target, minlength=classes)
    return (len(target) / (np.count_nonzero(counts) * np.maximum(counts, 1)))[target]


def _passes(settings: Settings, features: Any, target: Any, classes: int, weights: Any) -> Iterator[tuple[int, Any]]:
    """One pass over the rows each, in another order each time."""
    random = np.random.default_rng(settings.seed)
    model = _linear(settings, classes) if settings.model == "linear" else _network(settings, classes, len(target))
    known = {"classes": np.arange(classes)} if classes else {}
    every = -(-settings.epochs // POINTS)
    for step in range(1, settings.epochs + 1):
        order = random.permutation(len(target))
        if weights is not None and settings.model == "mlp":  # it takes no weights: rare rows come more often
            order = random.choice(len(target), len(target), p=weights / weights.sum())
        if weights is not None and settings.model == "linear":
            model.partial_fit(features[order], target[order], sample_weight=weights[order], **known)
        else:
            model.partial_fit(features[order], target[order], **known)
        if step % every == 0 or step in (1, settings.epochs):
            yield step, model


def _linear(settings: Settings, classes: int) -> Any:
    given = {"alpha": settings.l2, "eta0": settings.lr, "learning_rate": "invscaling", "random_state": settings.seed}
    return SGDClassifier(loss="log_loss", **given) if classes else SGDRegressor(loss="squared_error", **given)


def _network(settings: Settings, classes: int, rows: int) -> Any:
    kind = MLPClassifier if classes else MLPRegressor
    return kind(
        hidden_layer_sizes=settings.layers,
        alpha=settings.l2,
        learning_rate_init=min(settings.lr, 0.1),
        batch_size=min(settings.batch, rows),
        shuffle=False,
        random_state=settings.seed,
    )


def _growing(settings: Settings, features: Any, target: Any, classes: int, weights: Any) -> Iterator[tuple[int, Any]]:
    """One more tree, or one more round of trees, each."""
    model = _forest(settings, classes) if settings.model == "random_forest" else _boosting(settings, classes)
    size = "n_estimators" if settings.model == "random_forest" else "max_iter"
    every = -(-settings.epochs // POINTS)
    for step in dict.fromkeys((*range(every, settings.epochs + 1, every), settings.epochs)):
        model.set_params(**{size: step})
        model.fit(features, target, sample_weight=weights)
        yield step, model


def _forest(settings: Settings, classes: int) -> Any:
    kind = RandomForestClassifier if classes else RandomForestRegressor
    return kind(max_depth=settings.depth or None, warm_start=True, n_jobs=1, random_state=settings.seed)


def _boosting(settings: Settings, classes: int) -> Any:
    kind = HistGradientBoostingClassifier if classes else HistGradientBoostingRegressor
    return kind(
        learning_rate=settings.lr,
        max_depth=settings.depth or None,
        l2_regularization=settings.l2,
        early_stopping=False,
        warm_start=True,
        random_state=settings.seed,
    )
