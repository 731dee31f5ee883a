"""Which rows say that one thing came from another. Upper rooms add theirs to `lineage_edges` when they start."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from experiments.models import Run, RunInput
from kernel.actor import Actor
from registry.lineage.among import Among
from registry.models import LoggedModel, ModelAlias, ModelVersion, RunModel

ROWS_MAX = 50_000


@dataclass(frozen=True, slots=True)
class Link:
    """Rows that link a thing of kind `below` to the one of kind `above` that it came from.

    rows: what the viewer may see of them. above_key, below_key: the columns with the primary keys of both ends.
    words: a column that says in which role.
    """

    above: str
    below: str
    rows: Callable[[Actor], "QuerySet[Any]"]
    above_key: str
    below_key: str
    words: str = ""

    def near(self, *, down: bool) -> str:
        """The kind that a step starts from."""
        return self.above if down else self.below

    def far(self, *, down: bool) -> str:
        """The kind that a step leads to."""
        return self.below if down else self.above

    def steps(self, viewer: Actor, keys: Iterable[Any], *, down: bool) -> list[tuple[Any, Any, str]]:
        """(near key, far key, words) for each row at one of these near keys, the newest first: one statement."""
        near, far = (self.above_key, self.below_key) if down else (self.below_key, self.above_key)
        columns = [near, far, *([self.words] if self.words else [])]
        found = self.rows(viewer).filter(Among(near, keys), **{f"{far}__isnull": False}).order_by(f"-{far}")
        return [(row[0], row[1], row[2] if self.words else "") for row in found.values_list(*columns)[:ROWS_MAX]]


def _outputs(viewer: Actor) -> "QuerySet[Any]":
    return RunModel.objects.visible_to(viewer).filter(way=RunModel.Way.OUTPUT)


def _inputs(viewer: Actor) -> "QuerySet[Any]":
    return RunModel.objects.visible_to(viewer).filter(way=RunModel.Way.INPUT)


def _runs_with_files(viewer: Actor) -> "QuerySet[Any]":
    return Run.objects.visible_to(viewer).filter(artifact_root__isnull=False)


def _models_with_files(viewer: Actor) -> "QuerySet[Any]":
    return LoggedModel.objects.visible_to(viewer).filter(artifact_root__isnull=False)


def _versions(viewer: Actor) -> "QuerySet[Any]":
    return ModelVersion.objects.visible_to(viewer)


lineage_edges: list[Link] = [
    Link("dataset", "run", RunInput.objects.visible_to, "dataset_version", "run", words="context"),
    Link("run", "model", LoggedModel.objects.visible_to, "source_run", "pk"),
    Link("run", "model", _outputs, "run", "model"),
    Link("model", "run", _inputs, "model", "run"),
    Link("run", "version", _versions, "run", "pk"),
    Link("model", "version", _versions, "logged_model", "pk"),
    Link("run", "version", _runs_with_files, "pk", "artifact_root__model_versions"),
    Link("model", "version", _models_with_files, "pk", "artifact_root__model_versions"),
    Link("version", "alias", ModelAlias.objects.visible_to, "version", "pk"),
]
