"""The files of a logged model."""

from typing import BinaryIO

from accounts.access import require
from artifacts.models import ArtifactFile, ArtifactRoot
from artifacts.queries import files
from artifacts.trees import Entry
from kernel.actor import Actor
from registry.models import LoggedModel


def list_model_files(viewer: Actor, model: LoggedModel, folder: str = "") -> list[Entry]:
    """One level of the model's files, with folders. Raises Invalid for a path that leads out."""
    require(viewer, "experiments.download", model)
    return files.list_files(viewer, model.artifact_root, folder)


def open_model_file(viewer: Actor, model: LoggedModel, path: str) -> tuple[ArtifactFile, BinaryIO]:
    """One file of the model with a seekable reader over its bytes. Raises Invalid, NotFound, BlobDamaged."""
    require(viewer, "experiments.download", model)
    return files.open_file(viewer, model.artifact_root, path)


def model_files_root(viewer: Actor, model: LoggedModel) -> ArtifactRoot | None:
    """The root of the model's files, None where it has none. Raises Refused for who may not download."""
    require(viewer, "experiments.download", model)
    return model.artifact_root


def owner_of_root(owner_uid: str) -> LoggedModel | None:
    """The model that a root of files belongs to: for rights that rest on its experiment."""
    found: LoggedModel | None = LoggedModel.objects.filter(model_id=owner_uid).first()
    return found
