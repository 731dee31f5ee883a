"""The same from within a script that logs with MLflow: one line, once its run has begun."""

from __future__ import annotations

import atexit
import os
import shlex
import sys
from pathlib import Path

from mled.capture.code import code_in
from mled.capture.machine import this_machine
from mled.capture.packages import here
from mled.capture.record import Recording, keep_facts
from mled.capture.secrecy import masked
from mled.capture.usage import Curves, Meter
from mled.client import Client
from mled.problems import Usage

WITHIN = "MLED_CAPTURED"  # set by `mled run`, which captures all of it already


def capture(run_id: str = "", *, client: Client | None = None, every: float = 10.0) -> None:
    """Record code, packages and machine of a run, and from now to the script's end how much it uses.

    run_id: MLflow's id; without it that of the run that is active here. every: seconds between two looks. Within
    `mled run` it does nothing, since that captures more. Raises Usage where no run is active, Problem.
    """
    if os.environ.get(WITHIN):
        return
    run_id = run_id or _active_run()
    if not run_id:
        raise Usage("No run is active.", hint="Call capture() after mlflow.start_run(), or give the run's id.")
    client = client or Client()
    recording = Recording(client, client.run(run_id))
    folder = Path.cwd()
    keep_facts(recording, code_in(folder), here(folder), this_machine())
    recording.log(tags={"mlflow.source.name": shlex.join(masked(sys.argv))})
    curves = Curves(Meter(os.getpid()), lambda points: recording.log(points=points), every=every)
    curves.start()
    atexit.register(curves.stop)


def _active_run() -> str:
    """Of MLflow in this process, if it was imported; else the one that the environment names."""
    mlflow = sys.modules.get("mlflow")
    active = mlflow.active_run() if mlflow is not None else None
    return str(active.info.run_id) if active is not None else os.environ.get("MLFLOW_RUN_ID", "")
