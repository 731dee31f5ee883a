"""The model as files that `mlflow.sklearn.load_model` opens again, on the machine of whoever trusts it."""

from __future__ import annotations

import json
import pickle
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import yaml
from sklearn.pipeline import Pipeline

from .preparing import Task

PACKAGES = ("scikit-learn", "numpy", "scipy")


def keep_model(folder: Path, made: Any, model: Any, task: Task) -> None:
    """Write encoder and model as one pipeline, with what it takes and gives."""
    folder.mkdir(parents=True, exist_ok=True)
    pipeline = Pipeline([("columns", made), ("model", model)])
    (folder / "model.pkl").write_bytes(pickle.dumps(pipeline, protocol=5))
    (folder / "MLmodel").write_text(yaml.safe_dump(_described(task), sort_keys=False))
    lines = [f"{name}=={version(name)}\n" for name in PACKAGES]
    (folder / "requirements.txt").write_text("".join(lines))
    classes = list(task.classes)
    (folder / "columns.json").write_text(json.dumps({"columns": list(task.names), "classes": classes}, indent=1) + "\n")


def _described(task: Task) -> dict[str, Any]:
    python = platform.python_version()
    numbers = set(task.numbers)
    inputs = [
        {"type": "double" if place in numbers else "string", "name": name, "required": False}
        for place, name in enumerate(task.names)
    ]
    gives = "long" if task.is_classes else "double"
    outputs = [{"type": "tensor", "tensor-spec": {"dtype": "int64" if gives == "long" else "float64", "shape": [-1]}}]
    return {
        "flavors": {
            "python_function": {
                "env": {"virtualenv": "python_env.yaml"},
                "loader_module": "mlflow.sklearn",
                "model_path": "model.pkl",
                "predict_fn": "predict",
                "python_version": python,
            },
            "sklearn": {
                "code": None,
                "pickled_model": "model.pkl",
                "serialization_format": "pickle",
                "sklearn_version": version("scikit-learn"),
            },
        },
        "metadata": {"classes": list(task.classes)} if task.classes else None,
        "mlflow_version": version("mlflow-skinny"),
        "signature": {"inputs": json.dumps(inputs), "outputs": json.dumps(outputs), "params": None},
        "utc_time_created": datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S.%f"),
    }
