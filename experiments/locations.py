"""Artifact URIs: where the files of runs and logged models are said to be, and what such an address stands for.

mlflow-artifacts:/<experiment>/<run>/artifacts/<path>, or below /<experiment>/models/<model>/artifacts/; an experiment
that was made with another location has that in the place of its id.
"""

import re
from dataclasses import dataclass
from typing import Any, Final

from experiments.models import Experiment
from experiments.queries.experiments import wire_id

ARTIFACTS: Final = "mlflow-artifacts:"
_OF_RUN: Final = re.compile(r"(?P<place>.+?)/(?P<owner>[0-9a-f]{32})/artifacts(?:/(?P<path>.*))?", re.DOTALL)
_OF_MODEL: Final = re.compile(r"(?P<place>.+?)/models/(?P<owner>m-[0-9a-f]{32})/artifacts(?:/(?P<path>.*))?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class FilePlace:
    """A path below 'mlflow-artifacts:/', taken apart. owner: the id of a run, or of a logged model ('m-…')."""

    place: str
    owner: str
    path: str

    @property
    def is_model(self) -> bool:
        """Whether the owner is a logged model."""
        return self.owner.startswith("m-")

    def lies_in(self, experiment: Experiment) -> bool:
        """Whether this is where the experiment keeps its files: not, where they lie outside MLED."""
        return self.place == place_of(experiment)

    def is_of(self, owner: Any) -> bool:
        """Whether the files of this run or logged model are said to be here, or were before it was moved."""
        if self.lies_in(owner.experiment):
            return True
        earlier = owner.history.exclude(experiment=owner.experiment_id).values("experiment").distinct()
        return any(self.lies_in(one) for one in Experiment.objects.filter(pk__in=earlier))


def file_place(path: str) -> FilePlace | None:
    """What a path below 'mlflow-artifacts:/' stands for; None for one that names no run or model."""
    found = _OF_MODEL.fullmatch(path) or _OF_RUN.fullmatch(path)
    return FilePlace(found["place"], found["owner"], found["path"] or "") if found else None


def location_of(wire: str, artifact_location: str) -> str:
    """Where an experiment's artifacts lie: inside MLED, unless it was made with another place."""
    return artifact_location or f"{ARTIFACTS}/{wire}"


def place_of(experiment: Experiment) -> str | None:
    """The experiment's location as a path below 'mlflow-artifacts:/'; None where it lies outside MLED."""
    location = location_of(wire_id(experiment), experiment.artifact_location)
    if not location.startswith(ARTIFACTS):
        return None
    path = location.removeprefix(ARTIFACTS)
    return (path.partition("/")[2].partition("/")[2].partition("/")[2] if path.startswith("//") else path).strip("/")


def run_uri(run_id: str, experiment: Experiment) -> str:
    """The artifact URI of a run of this experiment, by its 32 hex digits."""
    return f"{location_of(wire_id(experiment), experiment.artifact_location)}/{run_id}/artifacts"


def model_uri(model_id: str, experiment: Experiment) -> str:
    """The artifact URI of a logged model of this experiment."""
    return f"{location_of(wire_id(experiment), experiment.artifact_location)}/models/{model_id}/artifacts"
