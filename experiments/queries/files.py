"""The files of a run."""

from typing import BinaryIO
from uuid import UUID

from accounts.access import require
from artifacts.models import ArtifactFile, ArtifactRoot
from artifacts.queries import files
from artifacts.trees import Entry
from experiments.models import Run
from kernel.actor import Actor


def list_files(viewer: Actor, run: Run, folder: str = "") -> list[Entry]:
    """One level of the run's files, with folders. Raises Invalid for a path that leads out."""
    require(viewer, "experiments.download", run)
    return files.list_files(viewer, run.artifact_root, folder)


def find_file(viewer: Actor, run: Run, path: str) -> ArtifactFile:
    """One file of the run. Raises Invalid, NotFound."""
    require(viewer, "experiments.download", run)
    return files.find_file(viewer, run.artifact_root, path)


def open_file(viewer: Actor, run: Run, path: str) -> tuple[ArtifactFile, BinaryIO]:
    """One file of the run with a seekable reader over its bytes. Raises Invalid, NotFound, BlobDamaged."""
    require(viewer, "experiments.download", run)
    return files.open_file(viewer, run.artifact_root_id, path)


def files_root(viewer: Actor, run: Run) -> ArtifactRoot | None:
    """The root of the run's files, None where it has none. Raises Refused for who may not download."""
    require(viewer, "experiments.download", run)
    return run.artifact_root


def owner_of_root(owner_uid: str) -> Run | None:
    """The run that a root of files belongs to: for rights that rest on its experiment."""
    found: Run | None = Run.objects.filter(uid=UUID(owner_uid)).first()
    return found
