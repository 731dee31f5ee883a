"""Where the files of runs and models are: in folders of this machine that the operator named, or in an archive."""

import lzma
import os
import re
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import BinaryIO, Final, Protocol, cast
from urllib.parse import unquote, urlsplit

from artifacts.storage import Incoming
from kernel.errors import Invalid
from kernel.zips import Directory, find_directory, refuse_too_many
from transfer.mlflow.records import FilesAway, NotReadable, SourceFile, SourceModel, SourceRun

Owner = SourceRun | SourceModel
_BROKEN: Final = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, tarfile.TarError),
    *(RuntimeError, NotImplementedError, EOFError),
)
_MEMBERS_MAX: Final = 1_000_000
_DIRECTORY_MAX: Final = 256 * 1024**2  # bytes of the list of a zip's members
_AT_ONCE_MAX: Final = 16 * 1024**2  # bytes that a TAR makes its reader keep at once: long names, extended headers
_BLOCK: Final = 512  # bytes of a header of a TAR
_EXPANSION_MAX: Final = 300  # times the size of the archive
_OWN: Final = re.compile(r"(?:^|/)([0-9a-f]{32}|m-[0-9a-f]{32})/artifacts/(.+)", re.DOTALL)


class Files(Protocol):
    """The files of a store."""

    def below(self, owner: Owner) -> Iterator[SourceFile]:
        """Every file of a run or model, by path. Raises FilesAway."""

    def open(self, owner: Owner, file: SourceFile) -> AbstractContextManager[Incoming]:
        """Its bytes. Raises FilesAway."""

    def close(self) -> None:
        """Let go."""


class NoFiles:
    """An import without files."""

    def below(self, owner: Owner) -> Iterator[SourceFile]:
        return iter(())

    def open(self, owner: Owner, file: SourceFile) -> AbstractContextManager[Incoming]:
        raise FilesAway("This import is without files.")

    def close(self) -> None:
        return


class NoneGiven(NoFiles):
    """Files were asked for, but nothing says where they are: told of every run and model that may have some."""

    def below(self, owner: Owner) -> Iterator[SourceFile]:
        raise FilesAway(
            "Files were asked for, but no archive of the artifacts was given: files of runs and models stay behind.",
            hint="Keep the old server. Import again with mlflow.db and a ZIP or TAR of mlartifacts: that adds them.",
        )


class FolderFiles:
    """Folders that stand for beginnings of addresses, longest first: 'mlflow-artifacts:' -> /srv/mlartifacts.

    Nothing outside of these folders is read, wherever an address or a link leads.
    """

    def __init__(self, places: Mapping[str, Path]) -> None:
        self._places = sorted(
            ((_plain(old), new.resolve()) for old, new in places.items()), key=lambda pair: -len(pair[0])
        )

    def below(self, owner: Owner) -> Iterator[SourceFile]:
        if not owner.files_at:
            return
        top, within = self._top(owner)
        if not top.is_dir():
            return
        for place, folders, names in os.walk(top, onerror=_unlisted):
            folders.sort()
            for name in sorted(names):
                path = Path(place, name)
                yield SourceFile(path.relative_to(top).as_posix(), self._size(path, within))

    def _size(self, path: Path, within: Path) -> int | None:
        return path.stat().st_size if path.resolve().is_relative_to(within) and path.is_file() else None

    @contextmanager
    def open(self, owner: Owner, file: SourceFile) -> Iterator[BinaryIO]:
        top, within = self._top(owner)
        path = (top / file.path).resolve()
        if not path.is_relative_to(within) or not path.is_file():
            raise FilesAway(f"'{file.path[:200]}' leads out of the folder of the artifacts.")
        try:
            with path.open("rb") as opened:
                yield opened
        except PermissionError:
            raise FilesAway(f"'{file.path[:200]}' may not be read.", hint="Give this user the right to.") from None

    def _top(self, owner: Owner) -> tuple[Path, Path]:
        """The folder of the files of a run or model, and the named folder that it has to lie in."""
        address = _plain(owner.files_at)
        for old, new in self._places:
            if address == old or address.startswith(f"{old}/") or (old.endswith(":") and address.startswith(old)):
                top = (new / address[len(old) :].strip("/")).resolve()
                if top.is_relative_to(new):
                    return top, new
        above = owner.files_at.partition(f"/{owner.id}")[0]
        raise FilesAway(
            f"Files below '{above[:200]}' cannot be reached: it stands for no folder here.",
            hint="Say which: --artifacts OLD=NEW, with the beginning of that address.",
        )

    def close(self) -> None:
        return


def _plain(address: str) -> str:
    """An address in one spelling: paths as they are, 'file:' as a path, the host of the proxy left out."""
    parts = urlsplit(address)
    if parts.scheme == "file":
        return unquote(parts.path).rstrip("/")
    if parts.scheme == "mlflow-artifacts":
        return f"mlflow-artifacts:{parts.path}".rstrip("/")
    return address.rstrip("/")


def _unlisted(error: OSError) -> None:
    raise FilesAway(f"The folder '{Path(str(error.filename)).name}' cannot be listed.")


def beside(database: Path, locations: Sequence[str]) -> dict[str, Path]:
    """The folders next to a store where MLflow keeps artifacts unless told otherwise.

    locations: of the experiments, as the store has them.
    """
    found: dict[str, Path] = {}
    proxied = database.parent / "mlartifacts"
    if proxied.is_dir():
        found["mlflow-artifacts:"] = proxied
    runs = database.parent / "mlruns"
    if runs.is_dir():
        for location in locations:
            address = _plain(location)
            top = address.rpartition("/")[0]
            if top.endswith("mlruns"):
                found[top] = runs
    return found


def check_begin(opened: BinaryIO) -> None:
    """Raise NotReadable for what is neither a ZIP nor a TAR by its first block and its last. The rest takes a while."""
    block = opened.read(_BLOCK)
    try:
        if _directory(opened, _DIRECTORY_MAX) is None:
            tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except tarfile.TarError as error:
        raise _unreadable(str(error)) from None


def _directory(opened: BinaryIO, at_most: int) -> Directory | None:
    """Of a zip; None for a TAR, be it that its last file is a zip."""
    try:
        found = find_directory(opened, at_most=at_most)
        return found if found is not None and found.begins == 0 else None
    except Invalid as error:
        raise NotReadable(error.message, hint=error.hint) from None


def _few(opened: BinaryIO, directory: Directory, entries: int) -> None:
    try:
        refuse_too_many(opened, directory, entries=entries)
    except Invalid as error:
        raise NotReadable(error.message, hint=error.hint) from None


def _unreadable(why: str) -> NotReadable:
    words = f"The archive of the artifacts cannot be read: {why}."
    return NotReadable(words, hint="Send a ZIP, or a TAR not compressed.")


def _headers(tar: tarfile.TarFile) -> Iterator[tuple[str, tarfile.TarInfo, int]]:
    """Every member of a TAR; the reader itself keeps none of them."""
    while (one := tar.next()) is not None:
        tar.members.clear()  # type: ignore[attr-defined]
        yield one.name, one, one.size if one.isreg() else 0


class _Sparing:
    """A file of which nothing large is read at once: tarfile reads extended headers whole, however long they are."""

    def __init__(self, opened: BinaryIO) -> None:
        self._opened = opened
        self.seek, self.tell = opened.seek, opened.tell

    def read(self, size: int) -> bytes:
        """Raises tarfile.ReadError."""
        if not 0 <= size <= _AT_ONCE_MAX:
            raise tarfile.ReadError("a header is too long")
        return self._opened.read(size)


class ArchiveFiles:
    """A ZIP or TAR of the folder of the artifacts, read in place. Found by the ids in the paths: <id>/artifacts/…"""

    def __init__(
        self, opened: BinaryIO, *, entries_max: int = _MEMBERS_MAX, directory_max: int = _DIRECTORY_MAX
    ) -> None:
        self._opened, self._entries_max, self._directory_max = opened, entries_max, directory_max
        self._zip: zipfile.ZipFile | None = None
        self._tar: tarfile.TarFile | None = None
        self._members: dict[str, dict[str, tuple[str | tarfile.TarInfo, int]]] = {}
        try:
            self._index()
        except (zipfile.BadZipFile, tarfile.TarError, EOFError, OSError, ValueError, NotImplementedError) as error:
            raise _unreadable(str(error)) from None

    def _index(self) -> None:
        size = self._opened.seek(0, os.SEEK_END)
        if (directory := _directory(self._opened, self._directory_max)) is not None:
            _few(self._opened, directory, self._entries_max)
            self._zip = zipfile.ZipFile(self._opened)
            self._keep(((one.filename, one.filename, one.file_size) for one in self._zip.infolist()), size)
            return
        self._opened.seek(0)
        self._tar = tarfile.open(fileobj=cast("BinaryIO", _Sparing(self._opened)), mode="r:")  # noqa: SIM115
        self._keep(_headers(self._tar), size)

    def _keep(self, found: Iterator[tuple[str, str | tarfile.TarInfo, int]], archived: int) -> None:
        total = 0
        for number, (name, member, size) in enumerate(found):
            total += size
            if number >= self._entries_max or total > _EXPANSION_MAX * max(archived, 1024**2):
                raise NotReadable("The archive unpacks to more than can be meant.", hint="Send it in parts.")
            named = _OWN.search(name)
            if named and not name.endswith("/") and (isinstance(member, str) or member.isreg()):
                self._members.setdefault(named[1], {})[named[2]] = (member, size)

    def below(self, owner: Owner) -> Iterator[SourceFile]:
        for path, (_, size) in sorted(self._members.get(owner.id, {}).items()):
            yield SourceFile(path, size)

    @contextmanager
    def open(self, owner: Owner, file: SourceFile) -> Iterator[Incoming]:
        member = self._members[owner.id][file.path][0]
        try:
            if self._zip is not None and isinstance(member, str):
                with self._zip.open(member) as opened:
                    yield opened
                return
            opened_tar = self._tar.extractfile(member) if self._tar is not None else None
            if opened_tar is None:
                raise FilesAway(f"'{file.path[:200]}' cannot be read.")
            with opened_tar:
                yield opened_tar
        except _BROKEN as error:
            raise FilesAway(f"'{file.path[:200]}' cannot be unpacked: {error}.") from None
        except OSError as error:
            if error.errno is not None:  # of the store, and not what bzip2 says of its data
                raise
            raise FilesAway(f"'{file.path[:200]}' cannot be unpacked: {error}.") from None

    def close(self) -> None:
        if self._zip is not None:
            self._zip.close()
        if self._tar is not None:
            self._tar.close()
        self._opened.close()
