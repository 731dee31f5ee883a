"""A folder with all that lies in it, for those who may download it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO

from artifacts import blobs
from artifacts.models import ArtifactFile, ArtifactRoot
from artifacts.opened import note_opened
from artifacts.paths import checked_folder
from artifacts.queries.files import files_of
from artifacts.trees import within
from kernel.actor import Actor
from kernel.errors import NotFound, TooLarge

FILES_MAX = 100_000


@dataclass(frozen=True, slots=True)
class Folder:
    """What lies in a folder of a root, at any depth, by path."""

    path: str
    files: Sequence[ArtifactFile]

    @property
    def size_bytes(self) -> int:
        """Of all files together."""
        return sum(file.size_bytes for file in self.files)

    def open(self, file: ArtifactFile) -> BinaryIO:
        """A reader over one of the files. Raises BlobDamaged."""
        return blobs.open_file(file)


def open_folder(viewer: Actor, root: ArtifactRoot | None, folder: str) -> Folder:
    """A folder to be read as a whole ('' for everything). Raises NotFound, Invalid, TooLarge.

    What an auditor opens is on record: one event for the folder.
    """
    path = checked_folder(folder)
    held = files_of(viewer, root)
    files = list((within(held, path) if path else held)[: FILES_MAX + 1])
    if not files or root is None:
        raise NotFound(f"There is no folder '{path[:200]}' with files here.", field="path")
    if len(files) > FILES_MAX:
        raise TooLarge(
            f"A zip holds at most {FILES_MAX:,} files.", hint="Download its folders one by one.", field="path"
        )
    found = Folder(path, files)
    what = f"the folder '{path}'" if path else "all files"
    note_opened(viewer, root, f"Opened {what} as a zip: {len(files)} files, {found.size_bytes} bytes.")
    return found
