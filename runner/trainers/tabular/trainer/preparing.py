"""From a table to what is learned: the target, the columns, and which rows are held back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .problems import Problem
from .settings import Settings
from .tables import Table

CLASSES_BY_ITSELF = 20
CLASSES_MAX = 200
ROWS_MIN = 4


@dataclass(frozen=True)
class Part:
    """Rows: features by column (floats with nan, texts with None), and the target (numbers of classes, or floats)."""

    features: Any
    target: Any

    @property
    def rows(self) -> int:
        return len(self.target)


@dataclass(frozen=True)
class Task:
    """What is learned. classes: '' for regression; numbers, words: the places of such columns among the features."""

    is_classes: bool
    classes: tuple[str, ...]
    names: tuple[str, ...]
    numbers: tuple[int, ...]
    words: tuple[int, ...]
    train: Part
    valid: Part
    notes: tuple[str, ...]


def prepare(settings: Settings, table: Table, other: Table | None) -> Task:
    """The task. other: what it is judged by; without it a share of the table. Raises Problem."""
    notes: list[str] = []
    target = table.column(settings.target)
    for name in settings.ignored:
        table.column(name)
    names = _features(settings, table, notes)
    is_classes = _is_classes(settings, table, target)
    classes = _classes(settings, target) if is_classes else ()
    whole = _part(settings, table, names, classes, notes, "training")
    if other is not None:
        train, valid = whole, _part(settings, _alike(table, other, names), names, classes, notes, "evaluation")
    else:
        train, valid = _held_back(whole, settings, is_classes)
    if train.rows < ROWS_MIN or valid.rows < 1:
        raise Problem(f"{train.rows} rows to learn from and {valid.rows} to be judged by are too few.")
    if is_classes and len(set(train.target.tolist())) < 2:
        raise Problem(f"All rows have the same '{settings.target}': there is nothing to tell apart.")
    numbers = tuple(place for place, name in enumerate(names) if name in table.numbers)
    words = tuple(place for place, name in enumerate(names) if name not in table.numbers)
    return Task(is_classes, classes, names, numbers, words, train, valid, tuple(notes))


def _features(settings: Settings, table: Table, notes: list[str]) -> tuple[str, ...]:
    left_out = {settings.target, *settings.ignored}
    found = []
    for name in (one for one in table.names if one not in left_out):
        column = table.values[name]
        empty = bool(np.isnan(column).all()) if name in table.numbers else all(one is None for one in column)
        if empty:
            notes.append(f"The column '{name}' is empty and is left out.")
        elif name not in table.numbers and _all_differ(column):
            notes.append(f"The column '{name}' has another word in every row, as an id has, and is left out.")
        else:
            found.append(name)
    if not found:
        raise Problem(f"Besides '{settings.target}' there is no column to learn from.")
    return tuple(found)


def _all_differ(column: Any) -> bool:
    there = [one for one in column if one is not None]
    return len(there) > 50 and len(set(there)) == len(there)


def _is_classes(settings: Settings, table: Table, target: Any) -> bool:
    is_words = settings.target not in table.numbers
    if settings.task == "regression" and is_words:
        example = next((one for one in target if one is not None), "")
        raise Problem(f"The column '{settings.target}' has words, as '{example}': it cannot be learned by regression.")
    if settings.task != "auto":
        return settings.task == "classification"
    if is_words:
        return True
    there = target[~np.isnan(target)]
    return bool((there == np.round(there)).all()) and len(np.unique(there)) <= CLASSES_BY_ITSELF


def _label(value: Any) -> str | None:
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return None
    if isinstance(value, float):
        return str(int(value)) if value == int(value) else repr(value)
    return str(value)


def _order(label: str) -> tuple[int, float, str]:
    try:
        return 0, float(label), label
    except ValueError:
        return 1, 0.0, label


def _classes(settings: Settings, target: Any) -> tuple[str, ...]:
    found = sorted({label for label in map(_label, target.tolist()) if label is not None}, key=_order)
    if len(found) > CLASSES_MAX:
        what = f"The column '{settings.target}' has {len(found):,} different values, which are too many for classes."
        raise Problem(f"{what} Set the task to regression, or choose another column.")
    if len(found) < 2:
        raise Problem(f"All rows have the same '{settings.target}': there is nothing to tell apart.")
    return tuple(found)


def _alike(table: Table, other: Table, names: tuple[str, ...]) -> Table:
    """The evaluation data with their columns of the same kinds as in the training data. Raises Problem."""
    values = dict(other.values)
    for name in names:
        column = other.column(name)
        if name in table.numbers and name not in other.numbers:
            raise Problem(f"The column '{name}' has numbers in the training data and words in the evaluation data.")
        if name not in table.numbers and name in other.numbers:
            values[name] = np.array([_label(one) for one in column.tolist()], dtype=object)
    return Table(other.names, table.numbers, values, other.rows)


def _part(
    settings: Settings, table: Table, names: tuple[str, ...], classes: tuple[str, ...], notes: list[str], which: str
) -> Part:
    target = table.column(settings.target)
    if classes:
        known = {label: number for number, label in enumerate(classes)}
        labels = [_label(one) for one in target.tolist()]
        new = sorted({label for label in labels if label is not None and label not in known})
        if new:
            raise Problem(
                f"The {which} data have '{settings.target}' = '{new[0]}', which the training data never have."
            )
        numbered = np.array([known.get(label, -1) if label is not None else -1 for label in labels])
        there = numbered >= 0
        values = numbered
    else:
        if target.dtype == object:
            raise Problem(f"The column '{settings.target}' has words in the {which} data.")
        there = ~np.isnan(target)
        values = target
    if not there.all():
        count = int((~there).sum())
        notes.append(f"{count:,} rows of the {which} data have no '{settings.target}' and are left out.")
    kind = float if all(name in table.numbers for name in names) else object
    features = np.empty((int(there.sum()), len(names)), dtype=kind)
    for place, name in enumerate(names):
        features[:, place] = table.values[name][there]
    return Part(features, values[there])


def _held_back(whole: Part, settings: Settings, is_classes: bool) -> tuple[Part, Part]:
    """A share of the rows by chance, of each class alike."""
    random = np.random.default_rng(settings.seed)
    groups = (
        [np.flatnonzero(whole.target == one) for one in np.unique(whole.target)]
        if is_classes
        else [np.arange(whole.rows)]
    )
    held = []
    for group in groups:
        count = min(round(len(group) * settings.holdout), len(group) - 1)
        held += random.permutation(group)[:count].tolist()
    if not held:
        held = [int(random.integers(whole.rows))]
    mask = np.zeros(whole.rows, dtype=bool)
    mask[held] = True
    return (
        Part(whole.features[~mask], whole.target[~mask]),
        Part(whole.features[mask], whole.target[mask]),
    )
