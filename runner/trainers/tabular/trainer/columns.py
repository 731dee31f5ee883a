"""Columns as numbers that a model takes: gaps filled, scaled, words as one column each."""

from __future__ import annotations

from typing import Any

from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from .preparing import Task

WORDS_MAX = 50  # columns that one column of words becomes: its most frequent ones, and one for the rest
MISSING_WORD = "(missing)"


def encoder(task: Task) -> Any:
    """Learns from the training rows how to make numbers of them."""
    parts: list[tuple[str, Any, list[int]]] = []
    if task.numbers:
        steps = [("gaps", SimpleImputer(strategy="median", add_indicator=True)), ("scale", StandardScaler())]
        parts.append(("numbers", Pipeline(steps), list(task.numbers)))
    if task.words:
        known = OneHotEncoder(max_categories=WORDS_MAX, handle_unknown="infrequent_if_exist", sparse_output=False)
        gaps = SimpleImputer(strategy="constant", fill_value=MISSING_WORD, missing_values=None)
        parts.append(("words", Pipeline([("gaps", gaps), ("known", known)]), list(task.words)))
    return ColumnTransformer(parts, sparse_threshold=0)


def sources(made: Any, task: Task) -> list[str]:
    """Of each column that the encoder makes, the column that it came from."""
    found = []
    for label in made.get_feature_names_out([f"c{place}" for place in range(len(task.names))]):
        part = label.split("__", 1)[1].removeprefix("missingindicator_")
        found.append(task.names[int(part[1:].split("_", 1)[0])])
    return found
