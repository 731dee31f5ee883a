"""The layers of an image become a folder: laid over each other, with what a later one takes away taken away.

They were written by others. Names and links are followed as the image itself would, never as this machine; nothing
gets the right of its owner, nothing is a device, and what is written is counted, not what an archive says of itself.
"""

import os
import stat
import tarfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from gzip import GzipFile
from pathlib import Path
from typing import IO, Any, Final, Self

from kernel.errors import Invalid, MledError, TooLarge
from runner.working.workplace_folders import cleared

FIELD: Final = "environment.image"
ENTRIES_MAX: Final = 500_000  # files, folders and links of all layers
HEADS_MAX: Final = 1024 * 1024  # bytes of what is told of one file before it
LINKS_MAX: Final = 40
WHITEOUT: Final = ".wh."
OPAQUE: Final = ".wh..wh..opq"
_AT_ONCE: Final = 1024 * 1024
_PADDED: Final = 2048  # bytes that an archive may have for one entry beside its content
_GZIP, _ZSTD = b"\x1f\x8b", (b"\x28\xb5\x2f\xfd", b"\x2a\x4d\x18")  # the second begins a frame that is skipped
_BROKEN: Final = (tarfile.TarError, EOFError, OSError, zlib.error, ValueError, RecursionError)
_HEADS: Final = (*b"xgLKX",)


class Layers:
    """Lays layers into an empty folder. at_most: bytes of all files; told: asked often, and may raise.

    left_out: devices and pipes that were not made.
    """

    def __init__(self, top: Path, *, at_most: int, told: Callable[[], None]) -> None:
        self._top, self._most, self._told = top, at_most, told
        self._written, self._entries, self.left_out = 0, 0, 0
        self._new: set[tuple[str, ...]] = set()

    def lay(self, packed: IO[bytes]) -> None:
        """The next layer, packed with gzip or zstd or not at all. Raises Invalid, TooLarge."""
        self._new = {()}
        try:
            plain = _Counted(unpacked(packed), 2 * self._most + ENTRIES_MAX * _PADDED, self._told)
            with tarfile.open(fileobj=plain, mode="r|", bufsize=_AT_ONCE, tarinfo=_Entry) as archive:  # type: ignore[call-overload]
                while (one := archive.next()) is not None:
                    archive.members.clear()
                    self._entry(archive, one)
        except MledError:
            raise
        except _broken() as error:
            said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            raise Invalid(f"A layer of the image cannot be unpacked: {said[:200]}.", field=FIELD) from error

    def _entry(self, archive: tarfile.TarFile, one: tarfile.TarInfo) -> None:
        self._told()
        self._entries += 1
        if self._entries > ENTRIES_MAX:
            raise TooLarge(f"The image has more than {ENTRIES_MAX:,} files.", field=FIELD)
        *folders, last = parts_of(one.name) or [""]
        if not last:
            return  # its top
        if last.startswith(WHITEOUT):
            self._take_away(folders, last)
            return
        parent = self._followed(folders, one.name)
        place, known = self._top.joinpath(*parent, last), (*parent, last)
        if one.isdir():
            self._folder(place)
        elif one.isreg():
            self._file(archive, one, place)
        elif one.issym():
            self._replace(place)
            os.symlink(one.linkname, place)
        elif one.islnk():
            self._second_name(one, place)
        else:
            self.left_out += 1
            return
        self._new.update(known[:length] for length in range(1, len(known) + 1))

    def _folder(self, place: Path) -> None:
        if not _is_folder(place):
            self._replace(place)
            _make_folder(place)

    def _file(self, archive: tarfile.TarFile, one: tarfile.TarInfo, place: Path) -> None:
        self._replace(place)
        source = archive.extractfile(one)
        with place.open("xb") as target:
            while source is not None and (piece := source.read(_AT_ONCE)):
                self._count(len(piece))
                target.write(piece)
        place.chmod(0o755 if one.mode & 0o111 else 0o644)

    def _second_name(self, one: tarfile.TarInfo, place: Path) -> None:
        *folders, last = parts_of(one.linkname) or [""]
        source = self._top.joinpath(*self._followed(folders, one.name), last)
        if not last or not os.path.lexists(source) or _is_folder(source):
            raise Invalid(f"'{one.name[:80]}' of the image is a second name of what is not there.", field=FIELD)
        if source != place:
            self._replace(place)
            os.link(source, place, follow_symlinks=False)

    def _count(self, size: int) -> None:
        self._told()
        self._written += size
        if self._written > self._most:
            hint = "Make it smaller, or have an administrator raise MLED_IMAGE_MB."
            raise TooLarge(f"Unpacked, the image has more than {self._most // 10**6:,} MB.", hint=hint, field=FIELD)

    def _followed(self, parts: Sequence[str], name: str) -> tuple[str, ...]:
        """Where a folder really is, as parts below the top; made where it is not there. Raises Invalid."""
        waiting, done, links = list(reversed(parts)), list[str](), 0
        while waiting:
            part = waiting.pop()
            if part in ("", "."):
                continue
            if part == "..":
                if not done:
                    raise Invalid(f"'{name[:80]}' leads out of the image.", field=FIELD)
                done.pop()
                continue
            place = self._top.joinpath(*done, part)
            if place.is_symlink():
                links += 1
                if links > LINKS_MAX:
                    raise Invalid(f"'{name[:80]}' of the image lies in links that lead in a circle.", field=FIELD)
                to = os.readlink(place)
                done = [] if to.startswith("/") else done
                waiting += reversed(to.split("/"))
                continue
            if not os.path.lexists(place):
                _make_folder(place)
            elif not _is_folder(place):
                raise Invalid(f"'{name[:80]}' of the image lies in what is a file.", field=FIELD)
            done.append(part)
        return tuple(done)

    def _take_away(self, folders: Sequence[str], last: str) -> None:
        """What layers below had there goes; what this one has put there stays."""
        parent = self._followed(folders, last)
        if last == OPAQUE:
            for name in os.listdir(self._top.joinpath(*parent)):
                self._clear((*parent, name))
        elif not last.startswith(f"{WHITEOUT}{WHITEOUT}"):  # others of these are of the tool that made it
            hidden = last.removeprefix(WHITEOUT)
            if hidden in ("", ".", ".."):
                raise Invalid(f"'{last[:80]}' of the image leads out of its folder.", field=FIELD)
            self._clear((*parent, hidden))

    def _clear(self, top: tuple[str, ...]) -> None:
        waiting = [top]
        while waiting:
            known = waiting.pop()
            place = self._top.joinpath(*known)
            if known not in self._new:
                self._replace(place)
            elif _is_folder(place):
                waiting += [(*known, name) for name in os.listdir(place)]

    def _replace(self, place: Path) -> None:
        """What is there makes room."""
        if _is_folder(place):
            cleared(place)
        elif os.path.lexists(place):
            place.unlink()


class _Entry(tarfile.TarInfo):
    """What is told of a file before it, such as a long name, is held in memory: so much of it and no more."""

    def _proc_member(self, archive: tarfile.TarFile) -> Self:
        if self.type[:1] and self.type[0] in _HEADS and self.size > HEADS_MAX:
            raise tarfile.ReadError("what is told of a file is too long")
        return super()._proc_member(archive)  # type: ignore[misc, no-any-return]

    def _proc_sparse(self, archive: tarfile.TarFile) -> Self:
        with _shortly(archive):
            return super()._proc_sparse(archive)  # type: ignore[misc, no-any-return]

    def _proc_gnusparse_10(self, of: tarfile.TarInfo, headers: Mapping[str, str], archive: tarfile.TarFile) -> None:
        with _shortly(archive):
            super()._proc_gnusparse_10(of, headers, archive)  # type: ignore[misc]


@contextmanager
def _shortly(archive: tarfile.TarFile) -> Iterator[None]:
    """The pieces of a sparse file are told in as many blocks as an archive likes: so many are read and no more."""
    whole = archive.fileobj
    archive.fileobj = _Short(whole)  # type: ignore[assignment]
    try:
        yield
    finally:
        archive.fileobj = whole


class _Short:
    """What is read of an archive to know one file."""

    def __init__(self, file: Any) -> None:
        self._file, self._left = file, HEADS_MAX

    def read(self, size: int) -> bytes:
        """As files do. Raises ReadError beyond HEADS_MAX."""
        self._left -= size
        if self._left < 0:
            raise tarfile.ReadError("what is told of a file is too long")
        return bytes(self._file.read(size))

    def tell(self) -> int:
        """As files do."""
        return int(self._file.tell())


class _Counted:
    """A file that is read to a limit."""

    def __init__(self, file: Any, at_most: int, told: Callable[[], None]) -> None:
        self._file, self._left, self._told = file, at_most, told

    def read(self, size: int) -> bytes:
        """As files do."""
        self._told()
        piece = bytes(self._file.read(size))
        self._left -= len(piece)
        if self._left < 0:
            raise TooLarge("Unpacked, a layer of the image is larger than the whole image may be.", field=FIELD)
        return piece


def _broken() -> tuple[type[Exception], ...]:
    """What may be raised by a layer that is damaged."""
    import pyarrow as pa  # large, and seldom needed

    return (*_BROKEN, pa.ArrowException)


def unpacked(packed: IO[bytes]) -> Any:
    """The file without its packing, by how it begins."""
    begin = packed.read(4)
    packed.seek(0)
    if begin.startswith(_GZIP):
        return GzipFile(fileobj=packed)
    if begin == _ZSTD[0] or begin[1:] == _ZSTD[1]:
        import pyarrow as pa

        return pa.CompressedInputStream(pa.PythonFile(packed, mode="r"), "zstd")
    return packed


def parts_of(name: str) -> list[str]:
    """A name as the parts of a path below the top. Raises Invalid where it leads out."""
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if ".." in parts or "\0" in name:
        raise Invalid(f"'{name[:80]}' leads out of the image.", field=FIELD)
    return parts


def found(top: Path, path: str) -> Path | None:
    """What a path of the image really is, its links followed within it; None for nothing."""
    waiting, done = list(reversed(path.split("/"))), list[str]()
    for _ in range(64 * LINKS_MAX):
        if not waiting:
            return top.joinpath(*done)
        part = waiting.pop()
        if part in ("", "."):
            continue
        if part == "..":
            done = done[:-1]
            continue
        place = top.joinpath(*done, part)
        try:
            mode = os.lstat(place).st_mode
        except OSError:
            return None
        if stat.S_ISLNK(mode):
            to = os.readlink(place)
            done = [] if to.startswith("/") else done
            waiting += reversed(to.split("/"))
        else:
            done.append(part)
    return None


def _make_folder(place: Path) -> None:
    """For everybody to look into, whatever the worker's mask: a job's user may be another."""
    place.mkdir()
    place.chmod(0o755)


def _is_folder(place: Path) -> bool:
    try:
        return stat.S_ISDIR(os.lstat(place).st_mode)
    except OSError:
        return False
