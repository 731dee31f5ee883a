"""Files that git keeps elsewhere (Git LFS): a pointer in the place of one is never taken for it."""

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kernel.errors import Invalid

POINTER_MAX: Final = 1024  # bytes, as git-lfs reads them
NAMED: Final = 5
HINT: Final = (
    "Keep data in the catalogue and name them as an input; or upload the code with its files, as a zip after "
    "`git lfs pull`."
)
_BEGINNINGS: Final = (b"version https://git-lfs.github.com/spec/", b"version https://hawser.github.com/spec/")
_POINTER: Final = re.compile(rb"version [^\n]+/spec/v1\noid sha256:([0-9a-f]{64})\nsize (0|[1-9][0-9]{0,15})\n?")


@dataclass(frozen=True, slots=True)
class Pointer:
    """What stands in the place of a file. digest: the SHA-256 of its content."""

    place: Path
    digest: str
    size_bytes: int


def refuse_pointers(folder: Path) -> None:
    """Raises Invalid with the names of those that are there."""
    found = list(_begun_so(folder))
    if not found:
        return
    are = "is kept in Git LFS and is" if len(found) == 1 else "are kept in Git LFS and are"
    words = f"{named(folder, found)} {are} not fetched: only a pointer is there."
    raise Invalid(words, hint=HINT, field="code")


def pointers_in(folder: Path) -> list[Pointer]:
    """Those that are there. Raises Invalid for what begins like one and cannot be read."""
    found, unread = [], []
    for place in _begun_so(folder):
        said = _POINTER.fullmatch(place.read_bytes())
        if said is None:
            unread.append(place)
        else:
            found.append(Pointer(place, said[1].decode(), int(said[2])))
    if unread:
        words = f"{named(folder, unread)} cannot be read as a pointer of Git LFS, version 1 with SHA-256."
        raise Invalid(words, hint=HINT, field="commit")
    return found


def named(folder: Path, places: Iterable[Path]) -> str:
    """Some of them by their paths within the folder, and how many more."""
    names = sorted({place.relative_to(folder).as_posix() for place in places})
    more = f" and {len(names) - NAMED:,} more" if names[NAMED:] else ""
    return f"{', '.join(names[:NAMED])}{more}"


def _begun_so(folder: Path) -> Iterator[Path]:
    for above, _, names in os.walk(folder):
        for name in names:
            place = Path(above, name)
            about = place.lstat()
            if place.is_symlink() or not 0 < about.st_size <= POINTER_MAX or not place.is_file():
                continue
            if place.read_bytes().startswith(_BEGINNINGS):
                yield place
