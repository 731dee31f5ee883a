"""What a team logged with MLflow, made through MLflow's own client against any server that speaks its protocol.

python -m tests.transfer.specimen.filling http://127.0.0.1:5000 [points of the long series]
"""

from __future__ import annotations

import math
import sys
import tempfile
from pathlib import Path

from mlflow import MlflowClient
from mlflow.entities import (
    Dataset,
    DatasetInput,
    InputTag,
    LoggedModelInput,
    LoggedModelOutput,
    Metric,
    Param,
    RunTag,
)

AT_MS = 1_700_000_000_000
FILES = {
    "notes.txt": b"What was tried.\n",
    "plots/loss curve (1).svg": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    "deep/er/empty.bin": b"",
    "größe.csv": "länge,breite\n1,2\n".encode(),
}
MODEL_FILES = {"MLmodel": b"flavors: {}\n", "data/weights.bin": bytes(range(256)) * 40}


def fill(url: str, *, long: int = 3000) -> None:
    """Log everything that an import has to bring along. long: points of the longest series."""
    client = MlflowClient(tracking_uri=url, registry_uri=url)
    vision = client.create_experiment("vision/segmentation", tags={"team": "vision", "mlflow.note.content": "# Eyes"})
    gone = client.create_experiment("given up")
    parent = _sweep(client, vision)
    _odd_values(client, vision)
    _long(client, vision, long)
    model = _model(client, vision, parent)
    _evaluated(client, vision, model)
    _deleted(client, vision)
    late = client.create_run(gone, start_time=AT_MS, run_name="too late")
    client.log_metric(late.info.run_id, "loss", 1.0, AT_MS, 0)
    client.set_terminated(late.info.run_id, "FAILED", AT_MS + 5)
    client.delete_experiment(gone)
    _registered(client, parent, model)


def _sweep(client: MlflowClient, experiment: str) -> str:
    """A run with three below it, one of them with one below that; whole records."""
    parent = client.create_run(
        experiment,
        start_time=AT_MS,
        run_name="sweep",
        tags={
            "mlflow.user": "grace",
            "mlflow.source.name": "train.py",
            "mlflow.source.type": "LOCAL",
            "mlflow.source.git.commit": "a" * 40,
            "mlflow.note.content": "**Best so far**",
        },
    ).info.run_id
    above = parent
    for number in range(3):
        child = client.create_run(
            experiment,
            start_time=AT_MS + 10 + number,
            run_name=f"child {number}",
            tags={"mlflow.parentRunId": above, "mlflow.user": "ada"},
        ).info.run_id
        client.log_batch(
            child,
            metrics=[Metric("loss", 1 / (step + 1), AT_MS + step * 1000, step) for step in range(20)],
            params=[Param("lr", f"{0.1 / (number + 1)}"), Param("layers", str(number))],
            tags=[RunTag("seed", str(number))],
        )
        client.set_terminated(child, "FINISHED", AT_MS + 60_000)
        above = child if number == 1 else parent
    train = Dataset("street", "0a1b2c3d", "local", '{"uri": "s3://data/street"}', '{"columns": []}', '{"rows": 5}')
    client.log_inputs(parent, [DatasetInput(train, [InputTag("mlflow.data.context", "training")])])
    with tempfile.TemporaryDirectory() as place:
        _write(Path(place), FILES)
        client.log_artifacts(parent, place)
    client.log_metric(parent, "best", 0.05, AT_MS + 70_000, 0)
    client.set_terminated(parent, "FINISHED", AT_MS + 80_000)
    return parent


def _odd_values(client: MlflowClient, experiment: str) -> None:
    """Numbers at their edges, the same step twice, steps that go back, a run that nobody ended."""
    run = client.create_run(experiment, start_time=AT_MS + 100, run_name="odd — Größe 🙂").info.run_id
    points = [
        Metric("odd", math.nan, AT_MS, 0),
        Metric("odd", math.inf, AT_MS, 1),
        Metric("odd", -math.inf, AT_MS, 2),
        Metric("odd", 5e-324, AT_MS, 3),
        Metric("odd", 0.1 + 0.2, AT_MS, 3),
        Metric("odd", 0.1 + 0.2, AT_MS + 1, 3),
        Metric("odd", 7.0, AT_MS + 2, -4),
        Metric("far", 1.0, AT_MS, 2**53 + 1),
    ]
    client.log_batch(run, metrics=points, params=[Param("text", "line\nline 'quoted' \"twice\" ö"), Param("empty", "")])
    client.log_batch(run, metrics=points)


def _long(client: MlflowClient, experiment: str, count: int) -> None:
    run = client.create_run(experiment, start_time=AT_MS + 200, run_name="long").info.run_id
    for start in range(0, count, 1000):
        steps = range(start, min(count, start + 1000))
        client.log_batch(run, metrics=[Metric("loss", math.sin(step), AT_MS + step, step) for step in steps])
    client.set_terminated(run, "KILLED", AT_MS + count)


def _model(client: MlflowClient, experiment: str, run: str) -> str:
    model = client.create_logged_model(
        experiment, name="net", source_run_id=run, model_type="pytorch", params={"depth": "3"}, tags={"kind": "best"}
    )
    with tempfile.TemporaryDirectory() as place:
        _write(Path(place), MODEL_FILES)
        client.log_model_artifacts(model.model_id, place)
    client.finalize_logged_model(model.model_id, "READY")
    client.log_outputs(run, [LoggedModelOutput(model.model_id, 7)])
    return str(model.model_id)


def _evaluated(client: MlflowClient, experiment: str, model: str) -> None:
    """A run that read the model, and measured it on data."""
    run = client.create_run(experiment, start_time=AT_MS + 300, run_name="evaluation").info.run_id
    held = Dataset("street", "ffee0011", "local", '{"uri": "s3://data/held"}')
    client.log_inputs(
        run, [DatasetInput(held, [InputTag("mlflow.data.context", "eval")])], [LoggedModelInput(model_id=model)]
    )
    client.log_metric(
        run, "iou", 0.75, AT_MS + 310, 0, model_id=model, dataset_name="street", dataset_digest="ffee0011"
    )
    client.log_metric(run, "iou", 0.8, AT_MS + 320, 1, model_id=model)
    client.set_terminated(run, "FINISHED", AT_MS + 400)


def _deleted(client: MlflowClient, experiment: str) -> None:
    run = client.create_run(experiment, start_time=AT_MS + 500, run_name="mistake").info.run_id
    client.log_metric(run, "loss", 9.0, AT_MS, 0)
    client.set_terminated(run, "FAILED", AT_MS + 501)
    client.delete_run(run)


def _registered(client: MlflowClient, run: str, model: str) -> None:
    """A model with versions 1 and 3, aliases, tags and a stage; a prompt."""
    client.create_registered_model("street net", tags={"task": "segmentation"}, description="Finds streets.")
    client.create_model_version(
        "street net", f"models:/{model}", run, tags={"quality": "good"}, description="First.", model_id=model
    )
    client.create_model_version("street net", f"runs:/{run}/deep", run)
    client.create_model_version("street net", "s3://elsewhere/net")
    client.delete_model_version("street net", "2")
    client.set_registered_model_alias("street net", "best", "1")
    client.set_registered_model_alias("street net", "trial", "3")
    client.transition_model_version_stage("street net", "1", "Production")
    client.register_prompt("greeting", "Hello {{name}}", commit_message="First words")


def _write(place: Path, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(content)


if __name__ == "__main__":
    fill(sys.argv[1], long=int(sys.argv[2]) if len(sys.argv) > 2 else 3000)
