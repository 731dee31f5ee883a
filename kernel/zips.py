"""How large the directory of a zip is, asked before it is read: zipfile makes an object of each entry there is."""

import zipfile
from dataclasses import dataclass
from typing import BinaryIO, Final

from kernel.errors import Invalid

_ENTRY: Final = b"PK\x01\x02"
_PIECE: Final = 1024 * 1024
# What zipfile._EndRecData gives: places in its list, and the sizes of the two records of ZIP64.
_SIGNATURE, _SIZE, _OFFSET, _LOCATION = 0, 5, 6, 9
_BEFORE_END_64: Final = 56 + 20


@dataclass(frozen=True, slots=True)
class Directory:
    """Where the directory begins, its bytes, where the zip itself begins in the file, and where its end record is."""

    place: int
    size_bytes: int
    begins: int
    end: int


def find_directory(file: BinaryIO, *, at_most: int) -> Directory | None:
    """The directory as zipfile is going to find it; None where there is none. Raises Invalid for one beyond at_most.

    zipfile reads what the end record says in one piece, whatever number of entries it claims, so its own search is
    asked: another one could find another record.
    """
    try:
        found = zipfile._EndRecData(file)  # type: ignore[attr-defined]
    except (zipfile.BadZipFile, OSError):
        return None
    if found is None:
        return None
    size, location = int(found[_SIZE]), int(found[_LOCATION])
    place = location - size - (_BEFORE_END_64 if found[_SIGNATURE] == b"PK\x06\x06" else 0)
    if place < 0:
        return None
    if size > at_most:
        raise Invalid(
            f"The directory of this zip has {size:,} bytes; at most {at_most:,} are read.", hint="Send it in parts."
        )
    return Directory(place, size, place - int(found[_OFFSET]), location)


def refuse_too_many(file: BinaryIO, directory: Directory, *, entries: int) -> None:
    """Raise Invalid where the directory may have more entries: their signature is counted, nothing else is kept."""
    file.seek(directory.place)
    left, count, before = directory.size_bytes, 0, b""
    while left > 0 and (piece := file.read(min(_PIECE, left))):
        left -= len(piece)
        count += (before + piece).count(_ENTRY)
        before = piece[-3:]
        if count > entries:
            raise Invalid(f"This zip has more than {entries:,} members.", hint="Send it in parts.")
    file.seek(0)
