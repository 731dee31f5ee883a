"""What an import from MLflow reads, whatever it reads it from. Times are the source's: milliseconds UTC."""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

from artifacts.storage import Incoming
from experiments.metrics.batch import Points
from kernel.errors import Invalid, Unavailable

_MODEL_ADDRESS = re.compile(r"models:/(m-[0-9a-f]{32})(?:/.*)?")


class SourceBroken(Unavailable):
    """The source does not answer, or not as MLflow does; trying again may help."""


class NotReadable(Invalid):
    """The source is nothing that can be read here."""


class FilesAway(Invalid):
    """The files of one run or model cannot be reached."""


@dataclass(frozen=True, slots=True)
class SourceExperiment:
    """An experiment. key: its id with the time of its making, which tells it from one of another store."""

    id: str
    name: str
    is_deleted: bool = False
    created_ms: int | None = None
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """Its id with the time of its making: ids count from 0 in every store."""
        return f"{self.id}@{self.created_ms or 0}"


def origin_of(experiments: Iterable[SourceExperiment], otherwise: str) -> str:
    """Which store it is, from its file and its server alike: by the first experiment whose making it knows.

    Stores that began long ago do not know it of all. otherwise: names one that knows it of none.
    """
    made = (
        (int(one.id) if one.id.isdecimal() else -1, one.id, one.created_ms) for one in experiments if one.created_ms
    )
    first = min(made, default=None)
    named = f"{first[1]}@{first[2]}" if first else otherwise
    return hashlib.sha256(f"mlflow\n{named}".encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class SourceDataset:
    """A dataset that went into a run, with the tags of that input."""

    name: str
    digest: str
    source_type: str = ""
    source: str = ""
    schema: str = ""
    profile: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SourceRun:
    """A run without its history. user: who MLflow says it was, which nobody proved."""

    id: str
    experiment_id: str
    name: str = ""
    status: str = "RUNNING"
    user: str = ""
    started_ms: int | None = None
    ended_ms: int | None = None
    is_deleted: bool = False
    files_at: str = ""
    params: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    datasets: tuple[SourceDataset, ...] = ()
    model_inputs: tuple[str, ...] = ()
    model_outputs: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class SourceMetric:
    """A point of a logged model's metric; value None for NaN."""

    key: str
    value: float | None
    step: int
    at_ms: int
    run_id: str
    dataset_name: str = ""
    dataset_digest: str = ""

    def place(self) -> tuple[str, int, int, str, str, str]:
        """What tells points of a model apart, in order."""
        return self.key, self.at_ms, self.step, self.run_id, self.dataset_name, self.dataset_digest


@dataclass(frozen=True, slots=True)
class SourceModel:
    """A logged model."""

    id: str
    experiment_id: str
    name: str
    model_type: str = ""
    run_id: str = ""
    status: str = "PENDING"
    created_ms: int | None = None
    files_at: str = ""
    params: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    metrics: tuple[SourceMetric, ...] = ()


@dataclass(frozen=True, slots=True)
class SourceVersion:
    """A version of a registered model."""

    number: int
    source: str = ""
    run_id: str = ""
    model_id: str = ""
    run_link: str = ""
    status: str = "READY"
    stage: str = "None"
    description: str = ""
    created_ms: int | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SourceRegistered:
    """A registered model, or a prompt, with its versions by number."""

    name: str
    description: str = ""
    created_ms: int | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    aliases: Mapping[str, int] = field(default_factory=dict)
    versions: tuple[SourceVersion, ...] = ()

    @property
    def key(self) -> str:
        """Its name with the time of its making."""
        return f"{self.name}@{self.created_ms or 0}"


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file of a run or logged model. path: below its artifacts; size_bytes None where nobody says."""

    path: str
    size_bytes: int | None


def model_in(source: str) -> str:
    """The logged model that a version's source names; '' where it names none."""
    named = _MODEL_ADDRESS.fullmatch(source)
    return named[1] if named else ""


class Source(Protocol):
    """Something that holds what MLflow kept. Nothing is read at once that does not fit: one series at a time.

    Every call may raise SourceBroken; NotReadable where the source is not what it should be.
    """

    def origin(self) -> str:
        """Names this source through repeated imports: a SHA-256 in hex, the same for a server and its store."""

    def told(self) -> str:
        """What it is, for people: 'MLflow 3.17.2', 'MLflow's store, version dc11669786a5'."""

    def notes(self) -> Iterable[str]:
        """What it holds that this import does not speak of, in words."""

    def experiments(self) -> Iterator[SourceExperiment]:
        """All of them, deleted ones too, in the order of their making."""

    def count_runs(self, experiment_id: str) -> int | None:
        """How many runs it has, deleted ones too; None where that cannot be told cheaply."""

    def runs(self, experiment_id: str) -> Iterator[SourceRun]:
        """The runs of one experiment, deleted ones too, oldest start first."""

    def run(self, run_id: str) -> SourceRun:
        """One run again."""

    def history(self, run_id: str) -> Iterator[tuple[str, Points]]:
        """Every metric of a run, by key, each series whole, in any order within."""

    def models(self, experiment_id: str) -> Iterator[SourceModel]:
        """The logged models of one experiment that are not deleted."""

    def registered(self) -> Iterator[SourceRegistered]:
        """The registered models and prompts, by name."""

    def files(self, owner: SourceRun | SourceModel) -> Iterator[SourceFile]:
        """Every file of a run or logged model, by path. Raises FilesAway."""

    def open(self, owner: SourceRun | SourceModel, file: SourceFile) -> AbstractContextManager[Incoming]:
        """The bytes of one of these files. Raises FilesAway, also while they are read."""

    def close(self) -> None:
        """Let go of connections, files and processes."""
