"""What the trainer was asked: read from what stands around it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .problems import Problem

TASKS = ("auto", "classification", "regression")
MODELS = ("linear", "random_forest", "boosting", "mlp")
LAYER_MAX, LAYERS_MAX = 10_000, 20


@dataclass(frozen=True)
class Settings:
    """The parameters, as the schema declares them, with the seed, the data and where files go."""

    target: str
    task: str = "auto"
    model: str = "boosting"
    epochs: int = 40
    lr: float = 0.05
    depth: int = 6
    l2: float = 0.0001
    hidden: str = "64,32"
    batch: int = 64
    balanced: bool = False
    holdout: float = 0.2
    ignore: str = ""
    train_files: str = ""
    eval_files: str = ""
    seed: int = 0
    train: Path = Path("train")
    eval: Path | None = None
    output: Path = Path("outputs")

    @property
    def ignored(self) -> list[str]:
        """The columns that are not learned from."""
        return [name.strip() for name in self.ignore.split(",") if name.strip()]

    @property
    def layers(self) -> tuple[int, ...]:
        """The sizes of the hidden layers of a neural network."""
        return layers_of(self.hidden)


def layers_of(hidden: str) -> tuple[int, ...]:
    """The sizes of the hidden layers, from a text as in 64,32. Raises Problem."""
    try:
        sizes = tuple(int(size) for size in hidden.replace("x", ",").split(",") if size.strip())
    except ValueError:
        sizes = ()
    if not sizes or min(sizes) < 1 or max(sizes) > LAYER_MAX or len(sizes) > LAYERS_MAX:
        raise Problem(f"hidden: '{hidden}' are no sizes of layers. Write them as in 64,32.")
    return sizes


def read_settings(around: Mapping[str, str] = os.environ) -> Settings:
    """From MLED_PARAMS, MLED_INPUTS, MLED_OUTPUT and MLED_SEED. Raises Problem."""
    params = _json(around, "MLED_PARAMS")
    inputs = _json(around, "MLED_INPUTS")
    known = {name: params[name] for name in Settings.__dataclass_fields__ if name in params and name != "seed"}
    if not str(known.get("target", "")).strip():
        raise Problem("target: say which column is to be learned.")
    if "train" not in inputs:
        raise Problem("train: there are no training data. MLED_INPUTS names none.")
    given = Settings(
        **{
            **known,
            "seed": int(around.get("MLED_SEED") or params.get("seed") or 0) % 2**32,
            "train": Path(inputs["train"]),
            "eval": Path(inputs["eval"]) if inputs.get("eval") else None,
            "output": Path(around.get("MLED_OUTPUT") or "outputs"),
        }
    )
    if given.task not in TASKS or given.model not in MODELS:
        raise Problem(f"There is no task '{given.task}' with a model '{given.model}'.")
    return given


def _json(around: Mapping[str, str], name: str) -> Mapping[str, Any]:
    """An object, as the text of the variable or of the file that it names."""
    said = around.get(name, "")
    try:
        found = json.loads(said if said.lstrip().startswith("{") else Path(said).read_text())
    except (OSError, ValueError) as error:
        raise Problem(f"{name}: it names no JSON that can be read ({error}).") from error
    if not isinstance(found, dict):
        raise Problem(f"{name}: it is no object.")
    return found
