"""One training, logged as it goes: what a script would send, through the same actions."""

import io
import json
import platform
import subprocess
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from django.conf import settings

from artifacts import blobs
from artifacts.models import DatasetVersion
from experiments.actions.batches import log_batch
from experiments.actions.files import put_file
from experiments.actions.inputs import DatasetInput, log_inputs
from experiments.actions.runs import create_run, update_run
from experiments.metrics.batch import Batch, MetricPoint
from experiments.models import Experiment, Run
from experiments.values import RunStatus
from kernel.actor import Actor
from kernel.clock import now_ms
from mled_site.demo.models import logged_model
from mled_site.demo.networks import Network, Settings
from mled_site.demo.pictures import line_chart
from mled_site.demo.tasks import Array, Task

Score = Callable[[Array, Array], dict[str, float]]
_AT_ONCE = 400
_CHECK_EVERY = 10  # steps between two evaluations on the test rows


def trained_run(
    actor: Actor,
    experiment: Experiment,
    task: Task,
    tried: Settings,
    score: Score,
    *,
    data: DatasetVersion,
    name: str = "",
    tags: dict[str, str] | None = None,
    stop_after: int | None = None,
) -> Run:
    """Train on that data and log. stop_after: somebody stops it at that step. A loss of NaN ends the run as failed."""
    network = Network(task, tried, classifies=task.name == "pump-vibration")
    run = create_run(
        actor,
        experiment,
        name=name or f"{tried.architecture}-lr{tried.lr:g}-s{tried.seed}",
        started_ms=now_ms(),
        tags={**_source(), **(tags or {})},
        claimed_user=actor.user_name.lower(),
    )
    _log_conditions(actor, run, task, tried, data)
    status = _log_training(actor, run, network, task, score, stop_after)
    if status is RunStatus.FINISHED:
        measured = score(network.predict(task.test.x), task.test.y)
        logged_model(actor, run, network, data, measured)
        _store_results(actor, run, network, task, measured)
    return update_run(actor, run, status=status, ended_ms=now_ms())


@cache
def _source() -> dict[str, str]:
    """The script and, in a checkout, its commit: as MLflow's client says it."""
    source = {"mlflow.source.name": "mled_site/demo/record.py", "mlflow.source.type": "LOCAL"}
    asked = ["git", "-C", str(settings.BASE_DIR), "rev-parse", "HEAD"]
    try:
        commit = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return source
    return {**source, "mlflow.source.git.commit": commit}


def _log_conditions(actor: Actor, run: Run, task: Task, tried: Settings, data: DatasetVersion) -> None:
    params = {"architecture": tried.architecture, **tried.params()}
    machine = {"python": platform.python_version(), "numpy": np.__version__, "host": platform.machine()}
    log_batch(actor, run, batch=Batch(params=list(params.items()), tags=list(machine.items())))
    used = DatasetInput(
        name=data.dataset.name,
        digest=data.digest[:32],
        source_type="simulated",
        source=json.dumps({"how": task.source}),
        tags={"mlflow.data.context": "train, test"},
    )
    log_inputs(actor, run, inputs=[used])


def _log_training(
    actor: Actor, run: Run, network: Network, task: Task, score: Score, stop_after: int | None
) -> RunStatus:
    waiting: list[MetricPoint] = []
    status = RunStatus.FINISHED
    for step, loss in network.steps(task):
        waiting.append(MetricPoint("train/loss", loss, now_ms(), step))
        if step % _CHECK_EVERY == 0:
            found = score(network.predict(task.test.x), task.test.y)
            waiting += [MetricPoint(key, value, now_ms(), step) for key, value in found.items()]
        if not np.isfinite(loss):
            status = RunStatus.FAILED
            break
        if stop_after is not None and step >= stop_after:
            status = RunStatus.KILLED
            break
        if len(waiting) >= _AT_ONCE:
            log_batch(actor, run, batch=Batch(metrics=waiting))
            waiting = []
    log_batch(actor, run, batch=Batch(metrics=waiting))
    return status


def _store_results(actor: Actor, run: Run, network: Network, task: Task, measured: dict[str, float]) -> None:
    given = network.predict(task.test.x)
    rows = [
        "row,wanted,given",
        *(f"{i},{w:g},{g:.6f}" for i, (w, g) in enumerate(zip(task.test.y, given, strict=True))),
    ]
    chart = line_chart([("wanted", "#64748b", task.test.y[:120]), ("given", "#3b57d9", given[:120])], run.name)
    files: dict[str, bytes] = {
        "results/predictions.csv": "\n".join(rows).encode(),
        "results/first-120.svg": chart.encode(),
        "results/summary.json": json.dumps(measured, indent=2).encode(),
    }
    for path, content in files.items():
        put_file(actor, run, path=path, stored=blobs.receive(io.BytesIO(content)))


def note(actor: Actor, run: Run, text: str, **tags: Any) -> None:
    """Write a note and tags on a run."""
    log_batch(actor, run, batch=Batch(tags=[("mlflow.note.content", text), *tags.items()]))
