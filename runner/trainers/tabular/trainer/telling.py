"""What is told while it goes on: printed, and sent to an MLflow server where one is named."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

SEND_EVERY = 1.0  # seconds, so that a curve is live without a request for each point
POINTS_AT_ONCE = 500


class Teller:
    """Sends params, points, files and the model to the run that MLFLOW_RUN_ID names, or to a new one.

    Without MLFLOW_TRACKING_URI nothing is sent: all of it is in the folder of outputs anyway.
    """

    def __init__(self, params: Mapping[str, Any]) -> None:
        self._waiting: list[tuple[str, float, int, int]] = []
        self._sent_at = time.monotonic()
        self._client: Any = None
        self._run_id = os.environ.get("MLFLOW_RUN_ID", "")
        self._is_ours = not self._run_id
        if os.environ.get("MLFLOW_TRACKING_URI"):
            self._begin(params)

    @property
    def is_heard(self) -> bool:
        """Whether there is a server that it is told to."""
        return self._client is not None

    def _begin(self, params: Mapping[str, Any]) -> None:
        import mlflow

        self._client = mlflow.MlflowClient()
        if self._is_ours:
            self._run_id = mlflow.start_run().info.run_id
            for key, value in params.items():
                self._client.log_param(self._run_id, key, value)

    def point(self, values: Mapping[str, float], step: int) -> None:
        """A point of each of these curves."""
        now = int(time.time() * 1000)
        self._waiting += [(key, float(value), now, step) for key, value in values.items()]
        if time.monotonic() - self._sent_at >= SEND_EVERY or len(self._waiting) >= POINTS_AT_ONCE:
            self.send()

    def send(self) -> None:
        """All that waits."""
        if self._client is not None and self._waiting:
            from mlflow.entities import Metric

            points = [Metric(*point) for point in self._waiting]
            for start in range(0, len(points), POINTS_AT_ONCE):
                self._client.log_batch(self._run_id, metrics=points[start : start + POINTS_AT_ONCE])
        self._waiting = []
        self._sent_at = time.monotonic()

    def model(self, folder: Path, name: str, params: Mapping[str, Any], step: int) -> None:
        """A logged model of these files."""
        if self._client is None:
            return
        from mlflow.entities import LoggedModelOutput, LoggedModelStatus

        experiment = self._client.get_run(self._run_id).info.experiment_id
        texts = {key: str(value) for key, value in params.items()}
        made = self._client.create_logged_model(experiment, name=name, source_run_id=self._run_id, params=texts)
        self._client.log_model_artifacts(made.model_id, str(folder))
        self._client.finalize_logged_model(made.model_id, LoggedModelStatus.READY)
        self._client.log_outputs(self._run_id, [LoggedModelOutput(made.model_id, step)])

    def end(self, outputs: Path, *, failed: bool = False) -> None:
        """It is over. Where nobody else gathers the files of outputs, they are sent too."""
        self.send()
        if self._client is None:
            return
        if not os.environ.get("MLED_URL") and outputs.is_dir():
            self._client.log_artifacts(self._run_id, str(outputs), "outputs")
        if self._is_ours:
            import mlflow

            mlflow.end_run("FAILED" if failed else "FINISHED")


def say(text: str = "") -> None:
    """Print a line at once."""
    print(text, flush=True)
