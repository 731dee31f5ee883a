"""The kinds of things that have a lineage. Upper rooms add theirs to `lineage_kinds` when they start."""

import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

from django.db.models import Q, QuerySet

from accounts.models import Project
from artifacts.models import DatasetVersion, VersionRecord
from experiments.models import Run
from experiments.values import Lifecycle, RunStatus
from kernel.actor import Actor
from kernel.clock import from_ms
from registry.lineage.graph import PageOf
from registry.models import LoggedModel, ModelAlias, ModelVersion, Stage


@dataclass(frozen=True, slots=True)
class Facts:
    """What a node shows of its row. words: its state, as told beside its kind."""

    label: str
    words: str
    page: PageOf | None
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of node.

    rows: those that the viewer may see and that are not gone. id_field: what stands in addresses; parse reads it from
    there (raises ValueError), say writes it. project: the way to the project. newest: the order within a fold. short:
    the noun as a box has room for it. state: a field whose values a fold counts, in state_words. recalled: which rows
    are recalled themselves. runs: columns with the keys of the runs behind a row; what went into them, it is built on.
    """

    name: str
    noun: str
    plural: str
    icon: str
    rows: Callable[[Actor], "QuerySet[Any]"]
    id_field: str
    parse: Callable[[str], Any]
    say: Callable[[Any], str]
    project: str
    newest: str
    joins: tuple[str, ...]
    facts: Callable[[Any], Facts]
    short: str = ""
    state: str = ""
    state_words: Mapping[str, str] = field(default_factory=dict)
    recalled: Q | None = None
    runs: tuple[str, ...] = ()

    def project_of(self, row: Any) -> Project:
        """The project of a row that came with its joins."""
        place = row
        for step in self.project.split("__"):
            place = getattr(place, step)
        return cast("Project", place)

    def facts_of(self, viewer: Actor, keys: Iterable[Any]) -> dict[Any, Facts]:
        """What nodes of this kind show, by primary key: one statement for any number."""
        rows = self.rows(viewer).select_related(*self.joins).in_bulk(list(keys))
        return {key: self.facts(row) for key, row in rows.items()}


lineage_kinds: dict[str, Kind] = {}


def _dataset(version: DatasetVersion) -> Facts:
    page = PageOf("artifacts:version", (version.dataset.project.slug, str(version.dataset_id), version.number))
    return Facts(str(version), f"digest {version.digest[:8]}", page, version.created_at)


def _run(run: Run) -> Facts:
    state = "deleted" if run.lifecycle == Lifecycle.DELETED else run.get_status_display().lower()
    page = PageOf("experiments:run", (run.uid.hex,))
    at = run.created_at if run.started_ms is None else from_ms(run.started_ms)
    return Facts(run.name, f"{run.readable_id}, {state}", page, at)


def _model(model: LoggedModel) -> Facts:
    page = PageOf("registry:logged_model", (model.project.slug, model.model_id))
    return Facts(model.name, model.get_status_display().lower(), page, from_ms(model.created_ms))


def _version_page(version: ModelVersion) -> PageOf:
    return PageOf("registry:version", (version.model.project.slug, version.model.name, version.number))


def _version(version: ModelVersion) -> Facts:
    stage = "" if version.stage == Stage.NONE else version.stage
    return Facts(str(version), stage, _version_page(version), from_ms(version.created_ms))


def _alias(alias: ModelAlias) -> Facts:
    return Facts(alias.name, f"set {alias.set_at:%Y-%m-%d}", _version_page(alias.version), alias.set_at)


def _add(kind: Kind) -> None:
    lineage_kinds[kind.name] = kind


_add(
    Kind(
        "dataset", "dataset version", "dataset versions", "data",
        rows=lambda viewer: DatasetVersion.objects.visible_to(viewer),
        id_field="pk", parse=uuid.UUID, say=str, project="dataset__project", newest="-created_at",
        joins=("dataset__project",), facts=_dataset, short="data",
        recalled=Q(record__state=VersionRecord.State.WITHDRAWN),
    )
)  # fmt: skip
_add(
    Kind(
        "run", "run", "runs", "table",
        rows=lambda viewer: Run.objects.visible_to(viewer),
        id_field="uid", parse=lambda text: uuid.UUID(hex=text), say=lambda uid: uid.hex, project="project",
        newest="-pk", joins=("project",), facts=_run, state="status",
        state_words=dict(RunStatus.choices),
        runs=("pk",),
    )
)  # fmt: skip
_add(
    Kind(
        "model", "logged model", "logged models", "cube",
        rows=lambda viewer: LoggedModel.objects.visible_to(viewer).filter(is_deleted=False),
        id_field="model_id", parse=str, say=str, project="project", newest="-pk", joins=("project",), facts=_model,
        state="status", state_words=dict(LoggedModel.Status.choices),
        runs=("source_run",),
    )
)  # fmt: skip
_add(
    Kind(
        "version", "model version", "model versions", "pkg",
        rows=lambda viewer: ModelVersion.objects.visible_to(viewer).filter(
            is_deleted=False, model__is_deleted=False
        ),
        id_field="pk", parse=int, say=str, project="model__project", newest="-pk", joins=("model__project",),
        facts=_version, state="model__name",
        runs=("run", "logged_model__source_run"),
    )
)  # fmt: skip
_add(
    Kind(
        "alias", "alias", "aliases", "tag",
        rows=lambda viewer: ModelAlias.objects.visible_to(viewer).filter(
            version__is_deleted=False, model__is_deleted=False
        ),
        id_field="pk", parse=int, say=str, project="model__project", newest="-pk",
        joins=("model__project", "version__model__project"), facts=_alias, state="name",
        runs=("version__run", "version__logged_model__source_run"),
    )
)  # fmt: skip
