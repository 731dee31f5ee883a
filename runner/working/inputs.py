"""The datasets that a job is given: read from the store once, checked by digest, and laid out by name."""

import hashlib
import os
import secrets
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from artifacts.models import ArtifactFile, DatasetVersion
from artifacts.paths import checked_path
from artifacts.storage import StoredBlob, blobs
from artifacts.versions import require_usable
from kernel.errors import Conflict, Unavailable
from runner.models import Recipe
from runner.working.workplace_folders import cache_folder, made

PLACE: Final = "/inputs"
READ_ONLY: Final = 0o444
SEEN: Final = 0o755  # by the user of a job, who is another where the worker is root
_AT_ONCE: Final = 1024 * 1024


def lay_out(recipe: Recipe, folder: Path, *, linked: bool, told: Callable[[str], None]) -> list[str]:
    """Put the inputs below the folder as <name>/<path>; gives their names.

    linked: share the files of the cache, where nobody can change them; else each job has copies. Raises Conflict for
    what was recalled or lies outside of MLED, BlobDamaged.
    """
    made(folder, SEEN)
    names = []
    for one in recipe.inputs.select_related("version__dataset", "version__root").order_by("name"):
        require_usable(one.version)
        _lay_out(one.version, made(folder / checked_path(one.name), SEEN), linked=linked, told=told)
        names.append(one.name)
    return names


def _lay_out(version: DatasetVersion, folder: Path, *, linked: bool, told: Callable[[str], None]) -> None:
    if version.root is None:
        raise Conflict(
            f"The files of {version} are not in MLED: it only names where they lie.",
            hint="Upload them as a version of the dataset, and use that.",
            field="inputs",
        )
    cache = cache_folder("inputs")
    files = ArtifactFile.objects.filter(root=version.root).order_by("path")
    for number, file in enumerate(files.iterator(), start=1):
        told(f"Fetching {version}: file {number:,} of {version.file_count or number:,}")
        place = folder / checked_path(file.path)
        made(place.parent, SEEN)
        blob = StoredBlob(file.blob_id, file.size_bytes)
        try:
            give(fetched(blob, cache), place, linked=linked)
        except FileNotFoundError:  # taken out of the cache just then
            give(fetched(blob, cache), place, linked=linked)


def fetched(blob: StoredBlob, cache: Path) -> Path:
    """The content in the cache, read from the store where it is not there. Raises BlobDamaged, Unavailable."""
    place = cache / blob.digest[:2] / blob.digest
    if place.is_file() and place.stat().st_size == blob.size_bytes:
        os.utime(place)  # it is used: the longest unused go first
        return place
    made(place.parent)
    aside = place.with_name(f"{blob.digest}.{secrets.token_hex(4)}")
    try:
        _copy(blob, aside)
        aside.replace(place)
    except OSError as error:
        raise Unavailable(f"The worker cannot keep an input: {error.strerror}.", hint="Look at its disk.") from error
    finally:
        aside.unlink(missing_ok=True)
    return place


def _copy(blob: StoredBlob, aside: Path) -> None:
    digest = hashlib.sha256()
    with blobs().open(blob) as source, aside.open("xb") as target:
        while piece := source.read(_AT_ONCE):
            digest.update(piece)
            target.write(piece)
    if digest.hexdigest() != blob.digest:
        raise Unavailable(
            f"The store gave other bytes than sha256:{blob.digest[:12]}… says.", hint="Tell an administrator."
        )
    aside.chmod(READ_ONLY)


def give(kept: Path, place: Path, *, linked: bool) -> None:
    """The same content at another place: one file with two names, or a copy."""
    if linked:
        try:
            os.link(kept, place)
        except OSError:  # another file system, or too many names
            linked = False
    if not linked:
        shutil.copyfile(kept, place)
        place.chmod(READ_ONLY)


def collect(*, at_most: int, unused_seconds: float) -> int:
    """Take out of the cache what was not used for so long, and beyond so many bytes what was not used the longest.

    Returns the bytes that went. What a job has linked stays there for it.
    """
    found = []
    for place in cache_folder("inputs").glob("*/*"):
        seen = place.stat()
        found.append((seen.st_mtime, seen.st_size, place))
    found.sort(reverse=True)
    kept, gone, oldest = 0, 0, time.time() - unused_seconds
    for used, size, place in found:
        if used >= oldest and kept + size <= at_most:
            kept += size
            continue
        place.unlink(missing_ok=True)
        gone += size
    return gone
