"""The lines that record something for a run that is over.

The lines of the rules belong into the training script. Opening an ended run again with `start_run` would set its status
and its end anew, so what can still be said of it is said through MlflowClient, which touches nothing else.
"""

import re

from experiments.models import Run
from experiments.queries.experiments import wire_id

_FIRST = "client = mlflow.MlflowClient()"
_EITHER = re.compile(r"\s+# or ")
_OF_RUN = re.compile(r"mlflow\.(set_tag|log_param|log_metric|log_text|log_artifact)\(")
_OF_EXPERIMENT = re.compile(r"mlflow\.set_experiment_tag\(")
# What the script asks its own machine is not what another machine would answer now.
_OF_MACHINE = {
    "platform.python_version()": '"<its Python, such as 3.11.7>"',
    "platform.platform()": '"<its system, such as Debian 12>"',
}
_ONLY_THEN = ("subprocess.", "value", "step=step")


def lines_for(run: Run, code: str) -> str:
    """What of these lines can still be said of the run, one a line with its client; '' for nothing."""
    found = [line for text in code.splitlines() if (line := _line(run, text))]
    return "\n".join([_FIRST, *found]) if found else ""


def _line(run: Run, text: str) -> str:
    for either in _EITHER.split(text):
        line = _OF_RUN.sub(lambda call: f'client.{call[1]}("{run.uid.hex}", ', either)
        line = _OF_EXPERIMENT.sub(f'client.set_experiment_tag("{wire_id(run.experiment)}", ', line)
        for asked, told in _OF_MACHINE.items():
            line = line.replace(asked, told)
        if line != either and not any(word in line for word in _ONLY_THEN):
            return line.strip()
    return ""
