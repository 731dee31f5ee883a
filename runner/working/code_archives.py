"""Uploaded code becomes files: archives are unpacked, and nothing in them can lead out of the folder.

What would have to be left out refuses the whole: a job never does less than what was asked for.
"""

import lzma
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, BinaryIO, Final

from artifacts.paths import checked_path
from kernel.errors import Invalid, TooLarge
from kernel.zips import find_directory, refuse_too_many
from runner.working.workplace_folders import made

ENTRIES_MAX: Final = 50_000
DIRECTORY_MAX: Final = 32 * 1024 * 1024  # bytes of a zip's directory
_AT_ONCE: Final = 1024 * 1024
_OF_MACS: Final = ("__MACOSX", ".DS_Store")
_BROKEN: Final = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    OSError,
    NotImplementedError,
    RuntimeError,
    ValueError,
)


def unpack(file: BinaryIO, folder: Path, *, at_most: int) -> bool:
    """Unpack a zip or a tar, packed in any usual way, into an empty folder; False where it is neither.

    at_most: bytes of all files together. Raises Invalid for what leads out, links and special files, TooLarge.
    """
    if zipfile.is_zipfile(file):
        _Unpacking(folder, at_most).of_zip(file)
        return True
    file.seek(0)
    try:
        archive = tarfile.open(fileobj=file, mode="r:*")  # noqa: SIM115  # closed below
    except (tarfile.TarError, EOFError, OSError, ValueError):
        file.seek(0)
        return False
    with archive:
        _Unpacking(folder, at_most).of_tar(archive)
    return True


class _Unpacking:
    """Counts what is written, whatever the archive says of itself."""

    def __init__(self, folder: Path, at_most: int) -> None:
        self._folder, self._at_most = folder, at_most
        self._left, self._entries = at_most, 0

    def of_zip(self, file: BinaryIO) -> None:
        directory = find_directory(file, at_most=DIRECTORY_MAX)
        if directory is None:
            raise Invalid("This zip cannot be read.", hint="Make it again.", field="code")
        refuse_too_many(file, directory, entries=ENTRIES_MAX)
        with _readable(), zipfile.ZipFile(file) as archive:
            for one in archive.infolist():
                mode = one.external_attr >> 16
                if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
                    raise _special(one.filename)
                if one.is_dir():
                    self._make_folder(one.filename)
                    continue
                if one.flag_bits & 1:
                    raise Invalid("This zip is locked with a password.", hint="Send it without.", field="code")
                with archive.open(one) as source:
                    self._make_file(one.filename, source, is_program=bool(mode & 0o100))

    def of_tar(self, archive: tarfile.TarFile) -> None:
        with _readable():
            for one in archive:
                if one.isdir():
                    self._make_folder(one.name)
                elif one.isreg() and not one.issparse():
                    source = archive.extractfile(one)
                    if source is not None:
                        with source:
                            self._make_file(one.name, source, is_program=bool(one.mode & 0o100))
                else:
                    raise _special(one.name)
            self._read_to_the_end(archive)

    def _read_to_the_end(self, archive: tarfile.TarFile) -> None:
        """What packed it has its checksum there, which is else never looked at."""
        left = self._at_most
        while archive.fileobj is not None and (piece := archive.fileobj.read(_AT_ONCE)):
            left -= len(piece)
            if left < 0:
                raise Invalid("Behind the files of this archive follows something else.", field="code")

    def _make_folder(self, name: str) -> None:
        path = _path_of(name)
        if path:
            self._count()
            self._made(self._folder / path, name)

    def _make_file(self, name: str, source: IO[bytes], *, is_program: bool) -> None:
        path = _path_of(name)
        self._count()
        if not path or path.split("/")[0] in _OF_MACS:
            return
        place = self._folder / path
        self._made(place.parent, name)
        try:
            target = place.open("xb")
        except (FileExistsError, IsADirectoryError):
            raise Invalid(f"'{name[:80]}' stands twice in the archive.", field="code") from None
        with target:
            while piece := source.read(_AT_ONCE):
                self._left -= len(piece)
                if self._left < 0:
                    raise TooLarge(
                        f"Unpacked, this code has more than {self._at_most / 1024**2:,.0f} MB.",
                        hint="Give the job more disk, or keep data in the catalogue.",
                        field="code",
                    )
                target.write(piece)
        place.chmod(0o755 if is_program else 0o644)

    def _made(self, folder: Path, name: str) -> None:
        try:
            made(folder)
        except (FileExistsError, NotADirectoryError):
            raise Invalid(f"'{name[:80]}' lies in what is a file of the same archive.", field="code") from None

    def _count(self) -> None:
        self._entries += 1
        if self._entries > ENTRIES_MAX:
            raise TooLarge(f"This archive has more than {ENTRIES_MAX:,} files.", field="code")


def _path_of(name: str) -> str:
    """The path of an entry, '' for the top. Raises Invalid where it leads out."""
    plain = name.replace("\\", "/") if "/" not in name else name
    plain = plain.removeprefix("./").rstrip("/")
    return "" if plain in ("", ".") else checked_path(plain, "code")


def _special(name: str) -> Invalid:
    return Invalid(
        f"'{name[:80]}' in the archive is a link or no ordinary file.",
        hint="Put the files themselves in, and leave out virtual environments.",
        field="code",
    )


@contextmanager
def _readable() -> Iterator[None]:
    """What the libraries raise for a damaged archive, in words. Ours pass."""
    try:
        yield
    except _BROKEN as error:
        raise Invalid(f"The archive cannot be unpacked: {error}.", hint="Make it again.", field="code") from error
