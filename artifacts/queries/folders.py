"""A folder with all that lies in it, for those who may download it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from artifacts import blobs
from artifacts.models import ArtifactFile, ArtifactRoot
from artifacts.opened import note_opened
from artifacts.paths import checked_folder
from artifacts.queries.files import files_of
from artifacts.trees import Files, within
from artifacts.zipping import zipped
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

    def zipped(self) -> Iterator[bytes]:
        """A zip of them, piece by piece, under their paths below the folder. Raises BlobDamaged on the way."""
        below = len(self.path) + 1 if self.path else 0
        return zipped([(file.path[below:], file) for file in self.files], blobs.open_file)

    def zip_name(self, whole: str) -> str:
        """How to call the zip. whole: the name of one with everything."""
        return f"{whole}-{self.path.rpartition('/')[2]}" if self.path else whole


def files_in(viewer: Actor, root: ArtifactRoot | None, folder: str) -> Files:
    """The files of a folder at any depth, by path; '' for all. Raises Invalid."""
    path = checked_folder(folder)
    held = files_of(viewer, root)
    return within(held, path) if path else held


def open_folder(viewer: Actor, root: ArtifactRoot | None, folder: str) -> Folder:
    """A folder to be read as a whole ('' for everything). Raises NotFound, Invalid, TooLarge.

    What an auditor opens is on record: one event for the folder.
    """
    path = checked_folder(folder)
    files = list(files_in(viewer, root, path)[: FILES_MAX + 1])
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
