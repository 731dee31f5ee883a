"""Several files: those below a folder here, and those that the server has, fetched into a folder."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote

from mled.connection import Connection
from mled.downloads import fetch
from mled.problems import Problem, Usage
from mled.uploads import sha256_of

Ticks = Callable[[int], None]


@dataclass(frozen=True)
class Pulled:
    """What a fetch of several files came to."""

    fetched: int
    there_before: int
    size_bytes: int


def files_below(paths: Sequence[Path]) -> list[tuple[str, Path]]:
    """Files as (name there, path here): a file under its own name, of a folder all that lies in it by its path below.

    Raises Usage for what is not there, for nothing, and for two files of one name.
    """
    found: dict[str, Path] = {}
    for path in paths:
        for name, file in _named(path):
            if name in found:
                raise Usage(f"Two files would be called {name}.", hint="Put them into folders.", field="PATH")
            found[name] = file
    if not found:
        raise Usage("There is no file to send.", hint="Name files, or a folder with files in it.", field="PATH")
    return sorted(found.items())


def _named(path: Path) -> Iterable[tuple[str, Path]]:
    if path.is_file():
        return [(path.name, path)]
    if not path.is_dir():
        raise Usage(f"There is no {path}.", hint="Check its path.", field="PATH")
    files = (file for file in path.rglob("*") if file.is_file() and not _is_unfinished(file))
    return [(file.relative_to(path).as_posix(), file) for file in files]


def _is_unfinished(file: Path) -> bool:
    """A part of a download that was broken off, which lies beside its place."""
    return file.name.startswith(".") and file.name.endswith((".part", ".part.json"))


def digest_of(path: Path) -> str:
    """SHA-256 of a file here. Raises Problem."""
    try:
        with path.open("rb") as file:
            return sha256_of(file)
    except OSError as error:
        raise Problem(f"{path} cannot be read: {error.strerror}.") from None


def pull(
    connection: Connection,
    where: str,
    files: Sequence[Mapping[str, Any]],
    target: Path,
    *,
    ticks: Ticks = lambda more: None,
    told: Callable[[str], None] = lambda words: None,
) -> Pulled:
    """Fetch files (path, size_bytes, digest) that lie below `where` of the API into a folder.

    What is there with the right content is left alone, so that a call that was broken off goes on. Each file is checked
    against its digest before it takes its place. Raises Problem.
    """
    fetched = before = size = 0
    for file in files:
        place, bytes_there = inside(target, str(file["path"])), int(file["size_bytes"])
        size += bytes_there
        if place.is_file() and place.stat().st_size == bytes_there and digest_of(place) == file["digest"]:
            ticks(bytes_there)
            before += 1
            continue
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Problem(f"{place.parent} cannot be made: {error.strerror}.", field="--output") from None
        fetch(connection, f"{where}{quote(str(file['path']))}", place, digest=file["digest"], ticks=ticks, told=told)
        fetched += 1
    return Pulled(fetched, before, size)


def inside(folder: Path, path: str) -> Path:
    """Where a file of the server belongs here. Raises Problem for a path that would lead out of the folder."""
    parts = PurePosixPath(path).parts
    odd = not parts or any(part in ("..", "/", "") or "\\" in part or ":" in part or "\x00" in part for part in parts)
    place = folder.joinpath(*parts)
    if odd or not place.resolve().is_relative_to(folder.resolve()):
        raise Problem(f"The server has a file '{path[:200]}', which would lie outside of {folder}.")
    return place
