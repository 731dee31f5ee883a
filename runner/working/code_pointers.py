"""Files that git keeps elsewhere (Git LFS): a pointer in the place of one is never taken for it."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from kernel.errors import Invalid

POINTER_MAX: Final = 1024  # bytes, as git-lfs reads them
NAMED: Final = 5
_BEGINNINGS: Final = (b"version https://git-lfs.github.com/spec/", b"version https://hawser.github.com/spec/")


def refuse_pointers(folder: Path) -> None:
    """Raises Invalid with the names of those that are there."""
    found = sorted(place.relative_to(folder).as_posix() for place in _pointers(folder))
    if not found:
        return
    more = f" and {len(found) - NAMED:,} more" if found[NAMED:] else ""
    are = "is kept in Git LFS and is" if len(found) == 1 else "are kept in Git LFS and are"
    raise Invalid(
        f"{', '.join(found[:NAMED])}{more} {are} not fetched: only a pointer is there.",
        hint="Keep data in the catalogue and name them as an input; or upload the code with its files, as a zip after "
        "`git lfs pull`.",
        field="code",
    )


def _pointers(folder: Path) -> Iterator[Path]:
    for above, _, names in os.walk(folder):
        for name in names:
            place = Path(above, name)
            about = place.lstat()
            if place.is_symlink() or not 0 < about.st_size <= POINTER_MAX or not place.is_file():
                continue
            if place.read_bytes().startswith(_BEGINNINGS):
                yield place
