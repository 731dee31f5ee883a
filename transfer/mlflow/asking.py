"""What somebody asks to have imported, looked at in outline before it is read in the background."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from artifacts.storage import StoredBlob, blobs
from kernel.errors import Invalid
from transfer.mlflow.folders import check_begin
from transfer.mlflow.opening import SERVER, checked_server

EXPERIMENTS_MAX: Final = 1000
_SQLITE: Final = b"SQLite format 3\x00"


@dataclass(frozen=True, slots=True)
class Asked:
    """What a transfer keeps of it. blob: the database file; artifacts: the archive of the files."""

    source: str
    options: Mapping[str, Any]
    blob: StoredBlob | None = None
    artifacts: StoredBlob | None = None


def asked_of_server(address: str, *, experiments: Sequence[str], with_files: bool) -> Asked:
    """Raises Refused for a server that the operator has not allowed, Invalid."""
    server = checked_server(address)
    return Asked(server, {SERVER: server, **_options(experiments, with_files)})


def asked_of_files(files: Sequence[tuple[str, StoredBlob]], *, experiments: Sequence[str], with_files: bool) -> Asked:
    """files: by name: the database, and the archive of the artifacts if there is one. Raises Invalid, NotReadable."""
    stores = [(name, stored) for name, stored in files if _begins(stored) == _SQLITE]
    others = [(name, stored) for name, stored in files if (name, stored) not in stores]
    if len(stores) != 1 or len(others) > 1:
        raise Invalid(
            "Choose the database file of MLflow, mlflow.db, and beside it at most one archive of its artifacts.",
            hint="The archive is a ZIP, or a TAR that is not compressed, of the folder mlartifacts or mlruns.",
            field="files",
        )
    options = _options(experiments, with_files)
    for _, archive in others:
        with blobs().open(archive) as opened:
            check_begin(opened)
    ((name, store),) = stores
    return Asked(name[:200], options, store, next((archive for _, archive in others), None))


def _options(experiments: Sequence[str], with_files: bool) -> dict[str, Any]:
    if len(experiments) > EXPERIMENTS_MAX:
        raise Invalid(f"Name at most {EXPERIMENTS_MAX:,} experiments, or none for all.", field="experiments")
    return {"experiments": [name[:500] for name in experiments], "files": with_files}


def _begins(stored: StoredBlob) -> bytes:
    with blobs().open(stored) as opened:
        return opened.read(len(_SQLITE))
