"""The files of a model version: those of its run or logged model, below the path that it was made from."""

from dataclasses import dataclass
from typing import BinaryIO

from accounts.access import require
from artifacts.models import ArtifactFile
from artifacts.paths import checked_folder, checked_path
from artifacts.queries import files
from artifacts.trees import Entry, within
from kernel.actor import Actor
from registry.models import ModelVersion


@dataclass(frozen=True, slots=True)
class VersionFile:
    """One file. path: from the version's own top; digest: SHA-256 in hex."""

    path: str
    size_bytes: int
    digest: str


def files_of_version(viewer: Actor, version: ModelVersion) -> list[VersionFile]:
    """Every file of the version, by path. None where the files lie outside MLED, or the viewer may not download."""
    rows = files.files_of(viewer, version.root)
    if not version.root_path:
        return [VersionFile(file.path, file.size_bytes, file.blob_id) for file in rows]
    skip = len(version.root_path) + 1
    below = [VersionFile(file.path[skip:], file.size_bytes, file.blob_id) for file in within(rows, version.root_path)]
    return below or _alone(version, rows.filter(path=version.root_path).first())


def _alone(version: ModelVersion, file: ArtifactFile | None) -> list[VersionFile]:
    """A version whose source is one file."""
    return [VersionFile(version.root_path.rpartition("/")[2], file.size_bytes, file.blob_id)] if file else []


def list_version_files(viewer: Actor, version: ModelVersion, folder: str = "") -> list[Entry]:
    """One level of the version's files, with folders. Raises Invalid for a path that leads out, Refused."""
    require(viewer, "experiments.download", version)
    folder = checked_folder(folder)
    skip = len(version.root_path) + 1 if version.root_path else 0
    found = files.list_files(viewer, version.root, _whole(version, folder))
    return [Entry(entry.path[skip:], entry.is_folder, entry.size_bytes) for entry in found]


def open_version_file(viewer: Actor, version: ModelVersion, path: str) -> tuple[ArtifactFile, BinaryIO]:
    """One file of the version with a seekable reader. Raises Invalid, NotFound, Refused, BlobDamaged."""
    require(viewer, "experiments.download", version)
    return files.open_file(viewer, version.root_id, _whole(version, checked_path(path)))


def _whole(version: ModelVersion, path: str) -> str:
    """A path from the version's top as one from the root."""
    return "/".join(part for part in (version.root_path, path) if part)
