"""One training, logged as it goes: what a script would send, through the same actions."""

import io
import json
import platform
import subprocess
import uuid
from collections.abc import Callable
from functools import cache
from importlib.metadata import version
from pathlib import Path
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
from mled_site.demo.networks import SCHEDULES, Network, Settings
from mled_site.demo.pictures import fit_png, line_chart, reliability_png
from mled_site.demo.tasks import Array, Task

Score = Callable[[Array, Array], dict[str, float]]
_AT_ONCE = 400
_CHECK_EVERY = 10  # steps between two evaluations on the test rows
_PICTURES = 6  # of a training, at even distances


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
    draws: bool = True,
) -> Run:
    """Train on that data and log. stop_after: somebody stops it at that step. A loss of NaN ends the run as failed.

    draws: whether it keeps pictures of how the model does as it learns.
    """
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
    _log_code(actor, run, tried, ("numpy", "pillow") if draws else ("numpy",))
    status = _log_training(actor, run, network, task, score, stop_after, draws=draws)
    if status is RunStatus.FINISHED:
        measured = score(network.predict(task.test.x), task.test.y)
        logged_model(actor, run, network, data, measured)
        _store_results(actor, run, network, task, measured)
    return update_run(actor, run, status=status, ended_ms=now_ms())


@cache
def _source() -> dict[str, str]:
    """The script and, in a checkout, its commit and branch: as MLflow's client says it."""
    source = {"mlflow.source.name": "mled_site/demo/record.py", "mlflow.source.type": "LOCAL"}
    asked = ["git", "-C", str(settings.BASE_DIR), "rev-parse"]
    said = {"mlflow.source.git.commit": ["HEAD"], "mlflow.source.git.branch": ["--abbrev-ref", "HEAD"]}
    try:
        for tag, what in said.items():
            source[tag] = subprocess.run([*asked, *what], capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return source
    return source


def _log_conditions(actor: Actor, run: Run, task: Task, tried: Settings, data: DatasetVersion) -> None:
    params = {"architecture": tried.architecture, **tried.params()}
    machine = {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "host": platform.machine(),
        "os": platform.platform(terse=True),
    }
    log_batch(actor, run, batch=Batch(params=list(params.items()), tags=list(machine.items())))
    used = DatasetInput(
        name=data.dataset.name,
        digest=data.digest[:32],
        source_type="simulated",
        source=json.dumps({"how": task.source}),
        tags={"mlflow.data.context": "train, test"},
    )
    log_inputs(actor, run, inputs=[used])


def _log_code(actor: Actor, run: Run, tried: Settings, packages: tuple[str, ...]) -> None:
    """How the learning rate goes is the part of the code that is tried; with it, what has to be installed."""
    source = Path(SCHEDULES[tried.schedule].__file__ or "").read_bytes()
    needed = "".join(f"{name}=={version(name)}\n" for name in packages)
    _keep(actor, run, {"code/schedule.py": source, "requirements.txt": needed.encode()})


def _keep(actor: Actor, run: Run, files: dict[str, bytes]) -> None:
    for path, content in files.items():
        put_file(actor, run, path=path, stored=blobs.receive(io.BytesIO(content)))


def _log_training(
    actor: Actor, run: Run, network: Network, task: Task, score: Score, stop_after: int | None, *, draws: bool
) -> RunStatus:
    waiting: list[MetricPoint] = []
    status = RunStatus.FINISHED
    every = max(1, network.settings.epochs * (len(task.train.x) // network.settings.batch_size) // _PICTURES)
    for step, loss in network.steps(task):
        if draws and step % every == 0:
            _log_picture(actor, run, network, task, step)
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


def _log_picture(actor: Actor, run: Run, network: Network, task: Task, step: int) -> None:
    """How the model does on the test rows, named as mlflow.log_image(image, key=…, step=…) names it."""
    given = network.predict(task.test.x)
    if not np.isfinite(given).all():
        return
    key, draw = ("val~reliability", reliability_png) if network.classifies else ("val~fit", fit_png)
    name = f"images/{key}+step+{step}+timestamp+{now_ms()}+{uuid.uuid4()}.png"
    _keep(actor, run, {name: draw(given, task.test.y)})


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
    _keep(actor, run, files)


def note(actor: Actor, run: Run, text: str, **tags: Any) -> None:
    """Write a note and tags on a run."""
    log_batch(actor, run, batch=Batch(tags=[("mlflow.note.content", text), *tags.items()]))
