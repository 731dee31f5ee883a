"""How good a model is: losses and scores, by plain formulas."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.metrics import f1_score, roc_auc_score

SMALL = 1e-15


def chances(model: Any, features: Any, classes: int) -> Any:
    """Of each row the chance of each class, also of those that the training rows lacked."""
    given = np.asarray(model.predict_proba(features), dtype=float)
    found = np.zeros((len(given), classes))
    found[:, np.asarray(model.classes_, dtype=int)] = given
    return found


def log_loss(truth: Any, guessed: Any) -> float:
    """The mean of -log of the chance that the right class was given."""
    right = np.clip(guessed[np.arange(len(truth)), truth], SMALL, 1.0)
    return float(-np.log(right).mean())


def of_classes(truth: Any, guessed: Any) -> dict[str, float]:
    """Loss and accuracy, for a point of the curve."""
    return {"loss": log_loss(truth, guessed), "accuracy": float((guessed.argmax(axis=1) == truth).mean())}


def of_numbers(truth: Any, guessed: Any) -> dict[str, float]:
    """Loss (mean squared error) and R², for a point of the curve; without R² where all rows are the same."""
    squared = float(((truth - guessed) ** 2).mean())
    spread = float(((truth - truth.mean()) ** 2).mean())
    return {"loss": squared} | ({"r2": 1.0 - squared / spread} if spread > 0 else {})


def final_of_classes(truth: Any, guessed: Any, classes: tuple[str, ...]) -> dict[str, float]:
    """What is said at the end: accuracy, F1, log loss, and AUROC where the rows have every class."""
    chosen = guessed.argmax(axis=1)
    two = len(classes) == 2
    f1 = f1_score(truth, chosen, average="binary" if two else "macro", labels=None if two else range(len(classes)),
                  zero_division=0)  # fmt: skip
    found = {"accuracy": float((chosen == truth).mean()), "f1": float(f1), "log_loss": log_loss(truth, guessed)}
    if len(set(truth.tolist())) == len(classes):
        if two:
            found["auroc"] = float(roc_auc_score(truth, guessed[:, 1]))
        else:
            found["auroc"] = float(roc_auc_score(truth, guessed, multi_class="ovr", average="macro"))
    return found


def final_of_numbers(truth: Any, guessed: Any) -> dict[str, float]:
    """What is said at the end: RMSE, MAE and R²."""
    found = of_numbers(truth, guessed)
    squared = found.pop("loss")
    return {"rmse": float(np.sqrt(squared)), "mae": float(np.abs(truth - guessed).mean()), **found}


def confusion(truth: Any, guessed: Any, classes: int) -> Any:
    """How many rows of each class (down) were taken for which (across)."""
    found = np.zeros((classes, classes), dtype=int)
    np.add.at(found, (truth, guessed.argmax(axis=1)), 1)
    return found
