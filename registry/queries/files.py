"""The files of a logged model."""

from collections.abc import Sequence
from functools import reduce
from operator import or_
from typing import BinaryIO, Final

from django.db.models import Q

from accounts.access import can, require
from artifacts.models import ArtifactFile, ArtifactRoot
from artifacts.queries import files
from artifacts.trees import Entry
from experiments.models import Run
from kernel.actor import Actor
from registry.models import LoggedModel

DOWNLOAD: Final = "experiments.download"
FILES_MAX: Final = 20_000


def list_model_files(viewer: Actor, model: LoggedModel, folder: str = "") -> list[Entry]:
    """One level of the model's files, with folders. Raises Invalid for a path that leads out."""
    require(viewer, "experiments.download", model)
    return files.list_files(viewer, model.artifact_root, folder)


def open_model_file(viewer: Actor, model: LoggedModel, path: str) -> tuple[ArtifactFile, BinaryIO]:
    """One file of the model with a seekable reader over its bytes. Raises Invalid, NotFound, BlobDamaged."""
    require(viewer, "experiments.download", model)
    return files.open_file(viewer, model.artifact_root_id, path)


def model_files_root(viewer: Actor, model: LoggedModel) -> ArtifactRoot | None:
    """The root of the model's files, None where it has none. Raises Refused for who may not download."""
    require(viewer, "experiments.download", model)
    return model.artifact_root


def owner_of_root(owner_uid: str) -> LoggedModel | None:
    """The model that a root of files belongs to: for rights that rest on its experiment."""
    found: LoggedModel | None = LoggedModel.objects.filter(model_id=owner_uid).first()
    return found


def files_of_models_of(
    viewer: Actor, runs: Sequence[Run], endings: Sequence[str]
) -> dict[int, list[tuple[str, ArtifactFile]]]:
    """Files of the models that these runs made which end so, by run (primary key), each under its model's name.

    Two statements for any number of runs; at most FILES_MAX files. Models whose files the viewer may not download have
    none.
    """
    ids = [run.pk for run in runs]
    models = LoggedModel.objects.visible_to(viewer).filter(source_run__in=ids, is_deleted=False)
    may = [model for model in models.order_by("pk") if model.artifact_root_id and can(viewer, DOWNLOAD, model)]
    by_root = {model.artifact_root_id: model for model in may}
    ending = reduce(or_, (Q(path__iendswith=one) for one in endings))
    rows = ArtifactFile.objects.filter(ending, root__in=list(by_root)).select_related("root").order_by("path")
    found: dict[int, list[tuple[str, ArtifactFile]]] = {}
    for file in rows[:FILES_MAX]:
        model = by_root[file.root_id]
        found.setdefault(model.source_run_id or 0, []).append((f"{model.name}/{file.path}", file))
    return found
