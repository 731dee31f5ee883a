"""The files of runs and models, for those who may download them."""

import io
from typing import BinaryIO, cast
from uuid import UUID

from accounts.access import can
from artifacts import blobs
from artifacts.models import ArtifactFile, ArtifactRoot
from artifacts.opened import note_opened, owner_of
from artifacts.paths import checked_folder, checked_path
from artifacts.placing import read
from artifacts.trees import Entry, Files, level_of
from kernel.actor import Actor
from kernel.errors import NotFound

DOWNLOAD = "experiments.download"


def files_of(viewer: Actor, root: ArtifactRoot | None) -> Files:
    """Every file below a root, by path. None where there is no root yet, or the viewer may not download."""
    return _seen(viewer, root).order_by("path")


def list_files(viewer: Actor, root: ArtifactRoot | None, folder: str = "") -> list[Entry]:
    """One level of a folder, with its folders. Empty for a folder that is missing, and for a file. Raises Invalid."""
    return level_of(_seen(viewer, root), checked_folder(folder))


def find_file(viewer: Actor, root: ArtifactRoot | None, path: str) -> ArtifactFile:
    """The file at a path. Raises Invalid for a path that leads out, NotFound."""
    file = _seen(viewer, root).filter(path=checked_path(path)).first()
    if file is None:
        raise _absent(path)
    return file


def open_file(viewer: Actor, root_id: UUID | None, path: str) -> tuple[ArtifactFile, BinaryIO]:
    """A file with a seekable reader over its bytes. Raises Invalid, NotFound, or BlobDamaged for torn ones.

    What an auditor opens is on record.
    """
    found = read(root_id, checked_path(path)) if root_id is not None else None
    if found is None:
        raise _absent(path)
    return found.file, open_found(viewer, found.file, parked=found.parked)


def open_found(viewer: Actor, file: ArtifactFile, *, parked: bytes | None = None) -> BinaryIO:
    """A seekable reader over the bytes of a file that another query found. Raises NotFound, BlobDamaged.

    parked: its bytes, where that query found them on their way to the store.

    What an auditor opens is on record.
    """
    if not _may_download(viewer, file.root):
        raise _absent(file.path)
    reader = blobs.open_file(file) if parked is None else io.BytesIO(parked)
    note_opened(viewer, file.root, f"Opened '{file.path}', sha256:{file.blob_id}.")
    return reader


def _absent(path: str) -> NotFound:
    return NotFound(f"There is no file '{path[:200]}' here.", field="path")


def _seen(viewer: Actor, root: ArtifactRoot | None) -> Files:
    """The files of the root that the viewer may download: by its project, or by a grant on what it belongs to."""
    if root is None:
        return cast("Files", ArtifactFile.objects.none())
    seen = ArtifactFile.objects.filter(root=root) if _may_download(viewer, root) else ArtifactFile.objects.none()
    return cast("Files", seen.select_related("root"))


def _may_download(viewer: Actor, root: ArtifactRoot) -> bool:
    if can(viewer, DOWNLOAD, root):
        return True
    owner = owner_of(root)
    return owner is not None and bool(can(viewer, DOWNLOAD, owner))
