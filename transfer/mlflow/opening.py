"""From what was asked for to a source: an address of a server, a database, or what somebody uploaded."""

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO, Final
from urllib.parse import unquote, urlsplit

from django.conf import settings

from artifacts.storage import StoredBlob, blobs
from kernel.errors import Invalid, Refused
from transfer.mlflow.databases import Postgres, Sqlite
from transfer.mlflow.folders import ArchiveFiles, Files, FolderFiles, NoFiles, NoneGiven, beside
from transfer.mlflow.http import Speaking, without_secrets
from transfer.mlflow.reader.process import StoreApart
from transfer.mlflow.records import NotReadable, Source
from transfer.mlflow.server import ServerSource
from transfer.mlflow.store import StoreSource
from transfer.models import Transfer

SERVER: Final = "server"  # in the options: the address of a server, without secrets
_AT_ONCE: Final = 1024**2


def shown(address: str) -> str:
    """A source as it may be shown and stored: without user, password and query; of a file its name."""
    if urlsplit(address).scheme == "sqlite":
        return Path(unquote(address)).name
    return without_secrets(address) if "://" in address else address


def open_by_operator(address: str, places: Mapping[str, Path], *, with_files: bool, token: str = "") -> Source:
    """A source that the operator names: a server, sqlite:///path, or postgresql://…

    places: folders for beginnings of artifact addresses. token: for a server, instead of user and password in the
    address. Raises NotReadable, SourceBroken.
    """
    scheme = urlsplit(address).scheme.partition("+")[0]
    if scheme in ("http", "https"):
        elsewhere = FolderFiles(places) if places else None
        return ServerSource(Speaking(address, token=token), elsewhere, with_files=with_files)
    if scheme == "sqlite":
        return _sqlite(Path(unquote(address.partition("://")[2].removeprefix("/"))), places, with_files=with_files)
    if scheme in ("postgresql", "postgres"):
        files = FolderFiles(places) if with_files else NoFiles()
        plain = "postgresql://" + address.partition("://")[2]
        return StoreSource(Postgres(plain), files, fallback=shown(address))
    raise NotReadable(
        f"'{shown(address)[:120]}' is no source of MLflow.",
        hint="Give http(s)://…, sqlite:///path/mlflow.db or postgresql://user:password@host/name.",
    )


def _sqlite(path: Path, places: Mapping[str, Path], *, with_files: bool) -> Source:
    database = Sqlite(path)
    if not with_files:
        return StoreSource(database, NoFiles(), fallback=str(path.resolve()))
    locations = [str(row[0]) for row in database.rows("SELECT artifact_location FROM experiments")]
    return StoreSource(
        database, FolderFiles({**beside(path.resolve(), locations), **places}), fallback=str(path.resolve())
    )


# --- what people ask for on a page or over REST


def allowed_servers() -> dict[str, str]:
    """The servers that the operator lets people import from: as shown, and as opened, perhaps with a password."""
    return {without_secrets(one): one for one in settings.MLED_IMPORT_FROM}


def checked_server(address: str) -> str:
    """The address of an allowed server, as shown. Raises Refused, Invalid."""
    try:
        asked = without_secrets(address.strip())
    except ValueError:
        asked = ""
    if urlsplit(asked).scheme not in ("http", "https"):
        raise Invalid(
            "Give the address of an MLflow server.", hint="It looks like https://mlflow.example.org.", field="server"
        )
    known = allowed_servers()
    if asked not in known:
        names = ", ".join(sorted(known)) or "none yet"
        raise Refused(
            f"Imports from {asked[:120]} are not allowed here.",
            hint=f"Allowed are: {names}. The operator adds it to MLED_IMPORT_FROM, or imports it with manage.py "
            "import_mlflow.",
            field="server",
        )
    return asked


def open_asked(transfer: Transfer) -> Source:
    """The source of a transfer that somebody asked for. Raises NotReadable, Refused, SourceBroken."""
    server = transfer.options.get(SERVER)
    with_files = bool(transfer.options.get("files", True))
    if server:
        return ServerSource(Speaking(allowed_servers()[checked_server(server)]), with_files=with_files)
    if transfer.blob is None:
        raise NotReadable("This import has neither a file nor a server.", hint="Begin a new one.")
    held = transfer.artifacts_blob if with_files else None
    files: Files = NoneGiven() if with_files else NoFiles()
    if held is not None:
        files = ArchiveFiles(blobs().open(StoredBlob(held.digest, held.size_bytes)))
    return _Copied(StoredBlob(transfer.blob.digest, transfer.blob.size_bytes), files)


class _Copied(StoreApart):
    """A store in our own storage, read from a copy that goes with it."""

    def __init__(self, stored: StoredBlob, files: Files) -> None:
        self._place = tempfile.TemporaryDirectory(prefix="mled-import-")
        path = Path(self._place.name, "mlflow.db")
        with blobs().open(stored) as reader, path.open("wb") as copy:
            _copy(reader, copy)
        os.chmod(path, 0o400)
        try:
            super().__init__(path, files, fallback=stored.digest)
        except BaseException:
            self._place.cleanup()
            raise

    def close(self) -> None:
        super().close()
        self._place.cleanup()


def _copy(reader: BinaryIO, copy: BinaryIO) -> None:
    while chunk := reader.read(_AT_ONCE):
        copy.write(chunk)
