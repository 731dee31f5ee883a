"""A zip that is written while it is read: constant memory, any size, names that every system can unpack."""

import hashlib
import re
import unicodedata
import zipfile
from collections.abc import Callable, Iterator, Sequence
from typing import BinaryIO, Final

from artifacts.models import ArtifactFile
from artifacts.paths import parents
from artifacts.storage.base import BlobDamaged

CHUNK: Final = 256 * 1024
NOTES: Final = "_NOTES.txt"
_FORBIDDEN: Final = re.compile(r'[<>:"|?*\\\x00-\x1f\x7f]')
_RESERVED: Final = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?", re.IGNORECASE)


class Outgoing:
    """What zipfile writes to: holds bytes until they are taken. Nothing in it is ever rewritten."""

    def __init__(self) -> None:
        self._waiting = bytearray()

    def write(self, data: bytes) -> int:
        self._waiting += data
        return len(data)

    def flush(self) -> None:
        """Nothing lies anywhere else."""

    def taken(self) -> bytes:
        """What was written since the last time."""
        data = bytes(self._waiting)
        self._waiting.clear()
        return data


def zipped(files: Sequence[tuple[str, ArtifactFile]], read: Callable[[ArtifactFile], BinaryIO]) -> Iterator[bytes]:
    """The zip of these files under these paths, piece by piece; stored, since most artifacts are packed already.

    A file that is missing from the store becomes a note in its place. One whose content turns out to be another than
    recorded breaks the zip off, so that nobody takes it for whole: raises BlobDamaged.
    """
    outgoing = Outgoing()
    names = safe_names([path for path, _ in files])
    notes: list[str] = []
    with zipfile.ZipFile(outgoing, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:  # type: ignore[call-overload]
        for (path, file), name in zip(files, names, strict=True):
            if name != path:
                notes.append(f"{path}\n    is stored as {name}, a name that every system can unpack.\n")
            try:
                reader = read(file)
            except BlobDamaged as error:
                notes.append(f"{path}\n    is NOT in this zip. {error}\n")
                continue
            with reader:
                yield from _entry(archive, outgoing, name, file, reader)
        if notes:
            archive.writestr(_free(NOTES, {_key(name) for name in names}), "\n".join(notes))
    yield outgoing.taken()


def _entry(
    archive: zipfile.ZipFile, outgoing: Outgoing, name: str, file: ArtifactFile, reader: BinaryIO
) -> Iterator[bytes]:
    info = zipfile.ZipInfo(name, max(file.created_at.timetuple()[:6], (1980, 1, 1, 0, 0, 0)))
    info.file_size = file.size_bytes
    info.external_attr = 0o644 << 16
    digest = hashlib.sha256()
    with archive.open(info, "w", force_zip64=file.size_bytes >= 2**31) as entry:
        while chunk := reader.read(CHUNK):
            digest.update(chunk)
            entry.write(chunk)
            yield outgoing.taken()
    if digest.hexdigest() != file.blob_id:
        raise BlobDamaged(f"The content of '{file.path}' is not what it was.", hint="Tell an administrator.")


def safe_names(paths: Sequence[str]) -> list[str]:
    """A name for each path that unpacks on Windows, macOS and Linux, none like another but for case or accents."""
    wished = ["/".join(_safe_part(part) for part in path.split("/")) for path in paths]
    taken = {_key(folder) for name in wished for folder in parents(name)}
    folders: dict[str, str] = {}
    names = []
    for name in wished:
        folder, slash, last = name.rpartition("/")
        name = _free(folders.setdefault(_key(folder), folder) + slash + last, taken)  # two spellings: one folder
        taken.add(_key(name))
        names.append(name)
    return names


def _free(name: str, taken: set[str]) -> str:
    """The name, or with the first number that makes it another."""
    stem, dot, ending = name.rpartition(".")
    if not dot or "/" in ending or not stem or stem.endswith("/"):
        stem, ending = name, ""
    number, free = 1, name
    while _key(free) in taken:
        number += 1
        free = f"{stem} ({number}){dot if ending else ''}{ending}"
    return free


def _key(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _safe_part(part: str) -> str:
    plain = _FORBIDDEN.sub("_", part)
    if plain.endswith((".", " ")):
        plain = f"{plain[:-1]}_"
    return f"_{plain}" if _RESERVED.fullmatch(plain) else plain
