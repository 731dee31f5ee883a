"""Opening an archive that somebody sent: nothing in it is trusted before it was checked.

A zip with stored members alone, so that nothing in it is larger than it looks; names of this format and no others;
each member once, within the file, and as its SHA-256 says.
"""

import hashlib
import io
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, BinaryIO, TypeVar

import msgspec
import orjson

from artifacts.storage import StoredBlob, blobs
from kernel.errors import Invalid
from kernel.zips import Directory, find_directory, refuse_too_many
from transfer.archive.layout import (
    DIRECTORY_MAX,
    FILE,
    FORMAT,
    KINDS,
    LEDGER,
    LINE_MAX,
    MANIFEST,
    MANIFEST_MAX,
    MEMBERS_MAX,
    METRICS,
    MODEL_METRICS,
    PEOPLE,
    README,
    VERSION,
    file_member,
)
from transfer.archive.records import TYPES, Count, Digest, Name, PersonRecord, Record
from transfer.archive.windows import LOCAL_HEADER, Window, begin_of

PIECE = 1024 * 1024
LOOK = 16 * 1024  # bytes that are read to find one line
_KNOWN = {README, MANIFEST, METRICS, MODEL_METRICS, PEOPLE, LEDGER, *KINDS.values()}
_NEEDED = _KNOWN - {LEDGER}
_READ = zipfile.ZIP_STORED
_NUL = b"\\u0000"  # as JSON writes it; where this is not, no text holds one
END_RECORD = 22  # bytes at the very end of a zip without a comment
Tell = Callable[[str, int, int | None], None]
T = TypeVar("T")


class _Member(msgspec.Struct):
    sha256: Digest
    size_bytes: Count


class _Files(msgspec.Struct):
    count: Count
    size_bytes: Count
    held: bool


class Manifest(msgspec.Struct):
    """What the archive says of itself."""

    format: str
    version: int
    digest: Digest
    content: dict[str, Digest]
    counts: dict[str, Count]
    members: dict[str, _Member]
    files: _Files
    project: dict[str, Any]
    log: dict[str, Any]
    software: Name = ""


class Archive:
    """An archive with a structure that is right. Raises Invalid with the member that is wrong."""

    def __init__(self, file: BinaryIO, size_bytes: int) -> None:
        self._file = file
        self._directory = _found_directory(file, size_bytes)
        try:
            self._zip = zipfile.ZipFile(file)
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
            raise _cut_off(size_bytes) from None
        self._infos = _checked_members(self._zip.infolist(), self._directory)
        self._lines_of: dict[str, BinaryIO] = {}
        self.manifest = self._manifest()

    def _manifest(self) -> Manifest:
        if self._infos[MANIFEST].file_size > MANIFEST_MAX:
            raise Invalid("'manifest.json' is too large.", field=MANIFEST)
        raw = self._bytes(MANIFEST)
        try:
            told = orjson.loads(raw)
        except orjson.JSONDecodeError as error:
            raise Invalid(f"'manifest.json' is no JSON: {error}", field=MANIFEST) from None
        if _NUL in raw and _holds_nul(told):
            raise Invalid("'manifest.json' holds a NUL character, which no text has.", field=MANIFEST)
        if not isinstance(told, dict) or told.get("format") != FORMAT:
            raise Invalid("This zip is no archive of MLED: its manifest.json says something else.", field=MANIFEST)
        if told.get("version") != VERSION:
            raise Invalid(
                f"This archive has format version {str(told.get('version'))[:20]}; this MLED reads version {VERSION}.",
                hint="Bring this MLED up to date, or export with an earlier one.",
                field=MANIFEST,
            )
        return _converted(told, Manifest, MANIFEST)

    def check(self, tell: Tell) -> None:
        """Read every member, and compare it with what the manifest says. Raises Invalid, naming the member."""
        _check_listed(self._infos, self.manifest)
        total = sum(one.file_size for one in self._infos.values())
        done = 0
        for name, info in self._infos.items():
            said = FILE.fullmatch(name)
            wanted = said[2] if said else None if name == MANIFEST else self.manifest.members[name].sha256
            digest = hashlib.sha256()
            for piece in self._pieces(info):
                digest.update(piece)
                done += len(piece)
                tell("checking", done, total)
            if wanted is not None and digest.hexdigest() != wanted:
                raise _changed(name)

    def records(self, kind: str) -> Iterator[tuple[int, Any]]:
        """The records of a kind, each with the place of its line. Raises Invalid with the line that is wrong."""
        name = KINDS[kind]
        decoder = msgspec.json.Decoder(TYPES[kind])
        for number, place, line in self._lines(name):
            yield place, _decoded(decoder, line, name, number)

    def record_at(self, kind: str, place: int) -> Any:
        """The record whose line begins at this place. Nothing before it is read."""
        if kind not in self._lines_of:
            self._lines_of[kind] = self._opened(KINDS[kind], LOOK)
        member = self._lines_of[kind]
        member.seek(place)
        line = member.readline(LINE_MAX)
        return msgspec.json.decode(line, type=TYPES[kind])

    def people(self) -> Iterator[PersonRecord]:
        """Who is named in it."""
        decoder = msgspec.json.Decoder(PersonRecord)
        for number, _, line in self._lines(PEOPLE):
            yield _decoded(decoder, line, PEOPLE, number)

    def holds(self, digest: str) -> bool:
        """Whether the content with this SHA-256 is in it."""
        return file_member(digest) in self._infos

    def size_of(self, digest: str) -> int:
        """How many bytes the content with this SHA-256 has."""
        return self._infos[file_member(digest)].file_size

    @contextmanager
    def content(self, digest: str) -> Iterator[BinaryIO]:
        """The content with this SHA-256."""
        with self._opened(file_member(digest)) as member:
            yield member

    @contextmanager
    def table(self, name: str) -> Iterator[BinaryIO]:
        """One of the two Parquet files, seekable."""
        with self._opened(name) as member:
            yield member

    def close(self) -> None:
        """Let go of the file."""
        self._zip.close()

    def _opened(self, name: str, at_once: int = PIECE) -> BinaryIO:
        """A member where it lies, in which every place is as near as another: zipfile reads all up to it."""
        info = self._infos[name]
        begin = begin_of(self._file, info)
        if begin is None or begin + info.file_size > self._directory.place:
            raise _changed(name)
        return io.BufferedReader(Window(self._file, begin, info.file_size), at_once)

    def _bytes(self, name: str) -> bytes:
        return b"".join(self._pieces(self._infos[name]))

    def _pieces(self, info: zipfile.ZipInfo) -> Iterator[bytes]:
        try:
            with self._zip.open(info) as member:
                while piece := member.read(PIECE):
                    yield piece
        except (zipfile.BadZipFile, EOFError, OSError, NotImplementedError, RuntimeError):
            raise _changed(info.filename) from None

    def _lines(self, name: str) -> Iterator[tuple[int, int, bytes]]:
        number = place = 0
        with self._opened(name) as member:
            while line := member.readline(LINE_MAX + 1):
                number += 1
                if len(line) > LINE_MAX:
                    raise Invalid(f"Line {number} of '{name}' is too long.", field=name)
                yield number, place, line
                place += len(line)


@contextmanager
def open_archive(stored: StoredBlob) -> Iterator[Archive]:
    """An archive in the store. Raises Invalid for what is none."""
    with blobs().open(stored) as file:
        archive = Archive(file, stored.size_bytes)
        try:
            yield archive
        finally:
            archive.close()


def origin_in(stored: StoredBlob) -> str:
    """What names the source of an archive through repeated exports: the id of its project. Raises Invalid."""
    with open_archive(stored) as archive:
        named = archive.manifest.project.get("id")
        return named[:64] if isinstance(named, str) and named else archive.manifest.digest


def _found_directory(file: BinaryIO, size_bytes: int) -> Directory:
    """Where the members are listed, as a whole archive has it: at its very end, and no more than there may be."""
    begin = file.read(len(LOCAL_HEADER))
    file.seek(0)
    found = find_directory(file, at_most=DIRECTORY_MAX)
    if found is None and begin != LOCAL_HEADER:
        raise _no_archive("it is no zip")
    # The end record of a zip inside of one that is cut off says where that one began.
    if found is None or found.begins != 0 or found.end + END_RECORD != size_bytes:
        raise _cut_off(size_bytes)
    refuse_too_many(file, found, entries=MEMBERS_MAX)
    return found


def _cut_off(size_bytes: int) -> Invalid:
    words = (
        f"This archive is cut off or was changed: it has {size_bytes:,} bytes, and its end is not that of an archive."
    )
    return Invalid(words, hint="Fetch it again, whole.", field="file")


def _no_archive(why: str) -> Invalid:
    return Invalid(
        f"This is no archive of MLED: {why}.", hint="Choose a file that an export of MLED made.", field="file"
    )


def _checked_members(infos: list[zipfile.ZipInfo], directory: Directory) -> dict[str, zipfile.ZipInfo]:
    """The members by name. Raises Invalid for names that lead out, doubles, compressed ones and what does not fit."""
    if all(info.filename != MANIFEST for info in infos):
        raise _no_archive("it has no manifest.json")
    found: dict[str, zipfile.ZipInfo] = {}
    total = 0
    for info in infos:
        name = info.filename
        match = FILE.fullmatch(name)
        if name not in _KNOWN and not (match and match[2].startswith(match[1])):
            raise Invalid(f"'{name[:120]}' does not belong into an archive.", field=name[:120])
        if name in found:
            raise Invalid(f"'{name}' stands twice in this zip.", field=name)
        if info.compress_type != _READ or info.file_size != info.compress_size or info.flag_bits & 1:
            raise Invalid(f"'{name}' is compressed; the members of an archive are stored as they are.", field=name)
        total += info.file_size
        found[name] = info
    if total > directory.place:
        raise Invalid("The members of this zip are larger than the zip: they overlap.", field="file")
    return found


def _check_listed(infos: dict[str, zipfile.ZipInfo], manifest: Manifest) -> None:
    plain = {name for name in infos if not FILE.fullmatch(name)}
    for name in sorted(_NEEDED - plain):
        raise Invalid(f"'{name}' is missing.", hint="Fetch the archive again, whole.", field=name)
    for name in sorted(plain - {MANIFEST} - set(manifest.members)):
        raise Invalid(f"manifest.json does not speak of '{name}'.", field=name)
    for name in sorted(set(manifest.members) - plain):
        raise Invalid(f"'{name[:120]}' is missing.", hint="Fetch the archive again, whole.", field=name[:120])
    for name, said in manifest.members.items():
        if infos[name].file_size != said.size_bytes:
            raise _changed(name)


def _changed(name: str) -> Invalid:
    return Invalid(
        f"'{name}' is not what manifest.json says: it was changed or damaged.",
        hint="Fetch the archive again from where it was exported.",
        field=name,
    )


def _decoded(decoder: msgspec.json.Decoder[T], line: bytes, name: str, number: int) -> T:
    try:
        record = decoder.decode(line)
    except (msgspec.ValidationError, msgspec.DecodeError, RecursionError) as error:
        raise Invalid(f"Line {number} of '{name}': {str(error)[:300]}", field=name) from None
    if _NUL in line and _holds_nul(msgspec.to_builtins(record)):
        raise Invalid(f"Line {number} of '{name}' holds a NUL character, which no text has.", field=name)
    return record


def _holds_nul(told: Any) -> bool:
    """Whether there is one in any text or key: not every database takes it, also not to look for something."""
    waiting = [told]
    while waiting:
        one = waiting.pop()
        if isinstance(one, Mapping):
            waiting += [*one.keys(), *one.values()]
        elif isinstance(one, list | tuple):
            waiting += one
        elif isinstance(one, str) and "\x00" in one:
            return True
    return False


def _converted(told: Any, kind: type[T], name: str) -> T:
    try:
        return msgspec.convert(told, kind)
    except msgspec.ValidationError as error:
        raise Invalid(f"'{name}': {error}", field=name) from None


__all__ = ["Archive", "Manifest", "Record", "open_archive", "origin_in"]
