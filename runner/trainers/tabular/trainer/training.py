"""Training, step by step, with what comes out of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from . import scoring
from .columns import encoder, sources
from .models import steps_of
from .preparing import Part, Task
from .problems import Problem
from .settings import Settings

JUDGED_MAX = 20_000  # training rows that each point of the curve is computed from
SHUFFLED_MAX = 2_000
SHUFFLES = 3

OnStep = Callable[[int, Mapping[str, float]], None]


@dataclass(frozen=True)
class Trained:
    """What came out. guessed: for the rows that it was judged by; importances: by column, how much the loss grows
    when its values are shuffled, the most first."""

    model: Any
    encoder: Any
    guessed: Any
    final: Mapping[str, float]
    importances: list[tuple[str, float]]
    step: int


def train(settings: Settings, task: Task, on_step: OnStep) -> Trained:
    """Learn, and tell each step. Raises Problem where it goes astray.

    By one thread: several add in whatever order they come, and the last digits of what comes out differ.
    """
    with threadpool_limits(limits=1):
        return _train(settings, task, on_step)


def _train(settings: Settings, task: Task, on_step: OnStep) -> Trained:
    made = encoder(task)
    learned = np.asarray(made.fit_transform(task.train.features), dtype=float)
    judged = np.asarray(made.transform(task.valid.features), dtype=float)
    classes = len(task.classes)
    mean, spread = _scale(settings, task)
    target = task.train.target if classes else (task.train.target - mean) / spread
    rows = np.random.default_rng(settings.seed).permutation(len(target))[:JUDGED_MAX]
    guess = _guesser(classes, mean, spread)
    model, step = None, 0
    try:
        for step, model in steps_of(settings, learned, target, classes):
            on_step(step, _point(guess, model, (learned[rows], task.train.target[rows]), (judged, task.valid.target)))
    except (ValueError, FloatingPointError) as error:
        raise Problem(f"It went astray after step {step}: {error}. A smaller lr may help.") from error
    if model is None:
        raise Problem("epochs: there has to be one step at least.")
    guessed = guess(model, judged)
    if classes:
        final = scoring.final_of_classes(task.valid.target, guessed, task.classes)
    else:
        final = scoring.final_of_numbers(task.valid.target, guessed)
    importances = _importances(settings, task, made, lambda some: guess(model, some), judged)
    return Trained(_in_units(model, mean, spread), made, guessed, final, importances, step)


def _scale(settings: Settings, task: Task) -> tuple[float, float]:
    """By what the target is scaled for models that need it near zero; trees do not."""
    if task.is_classes or settings.model not in ("linear", "mlp"):
        return 0.0, 1.0
    spread = float(task.train.target.std())
    return float(task.train.target.mean()), spread or 1.0


def _guesser(classes: int, mean: float, spread: float) -> Callable[[Any, Any], Any]:
    if classes:
        return lambda model, features: scoring.chances(model, features, classes)
    return lambda model, features: np.asarray(model.predict(features), dtype=float) * spread + mean


def _point(
    guess: Callable[[Any, Any], Any], model: Any, train: tuple[Any, Any], valid: tuple[Any, Any]
) -> dict[str, float]:
    found: dict[str, float] = {}
    for name, (features, truth) in (("train", train), ("val", valid)):
        guessed = guess(model, features)
        values = scoring.of_classes(truth, guessed) if guessed.ndim == 2 else scoring.of_numbers(truth, guessed)
        found |= {f"{name}_{key}": value for key, value in values.items()}
    if not all(np.isfinite(value) for value in found.values()):
        raise FloatingPointError("the loss is no number any more")
    return found


def _in_units(model: Any, mean: float, spread: float) -> Any:
    """A copy of a model that predicts in the units of the target, rather than scaled."""
    if mean == 0.0 and spread == 1.0:
        return model
    same = deepcopy(model)
    if hasattr(same, "coefs_"):
        same.coefs_[-1] = same.coefs_[-1] * spread
        same.intercepts_[-1] = same.intercepts_[-1] * spread + mean
    else:
        same.coef_, same.intercept_ = same.coef_ * spread, same.intercept_ * spread + mean
    return same


def _importances(
    settings: Settings, task: Task, made: Any, guess: Callable[[Any], Any], judged: Any
) -> list[tuple[str, float]]:
    random = np.random.default_rng(settings.seed)
    rows = random.permutation(len(judged))[:SHUFFLED_MAX]
    some, part = judged[rows], Part(task.valid.features[rows], task.valid.target[rows])
    before = _loss(task, part.target, guess(some))
    origin = sources(made, task)
    found = []
    for name in task.names:
        columns = [place for place, source in enumerate(origin) if source == name]
        losses = []
        for _ in range(SHUFFLES):
            other = some.copy()
            other[:, columns] = some[random.permutation(len(some))][:, columns]
            losses.append(_loss(task, part.target, guess(other)))
        found.append((name, float(np.mean(losses)) - before))
    return sorted(found, key=lambda one: (-one[1], one[0]))


def _loss(task: Task, truth: Any, guessed: Any) -> float:
    return scoring.log_loss(truth, guessed) if task.is_classes else float(((truth - guessed) ** 2).mean())
