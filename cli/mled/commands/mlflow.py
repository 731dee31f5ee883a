"""import-mlflow: what an MLflow server kept, into a project."""

from __future__ import annotations

import sqlite3
import tarfile
import tempfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import click

from mled.commands.transfers import finished, waited
from mled.here import Here, command
from mled.problems import Problem, Usage
from mled.uploads import size_of


@command("import-mlflow")
@click.argument("database", default="", metavar="[MLFLOW.DB]")
@click.option("--artifacts", default="", metavar="FOLDER", help="mlartifacts or mlruns; or a .zip or .tar of it.")
@click.option("--server", default="", metavar="ADDRESS", help="Instead: a running server that the operator allows.")
@click.option("--experiment", multiple=True, metavar="NAME", help="Only these experiments; several times.")
@click.option("--no-files", is_flag=True, help="Without the files of runs and models.")
@click.option("--no-wait", is_flag=True, help="Only send it; `mled transfers` tells how far it is.")
def import_mlflow(
    here: Here, database: str, artifacts: str, server: str, experiment: Sequence[str], no_files: bool, no_wait: bool
) -> None:
    """Bring in what MLflow kept: runs, whole curves, models.

    From its database file and the folder of its artifacts, which are sent piece by piece; or from a server. Authors are
    kept as claims. Importing again skips what is there, and takes what is new.
    """
    if bool(database) == bool(server):
        raise Usage("Where does it come from?", hint="mled import-mlflow mlflow.db --artifacts mlartifacts")
    if server and artifacts:
        raise Usage("A server gives its artifacts itself.", hint="Leave --artifacts out.", field="--artifacts")
    wanted: dict[str, Any] = {"experiments": list(experiment), "with_files": not no_files}
    project = here.project
    if server:
        wanted["server"] = server
    else:
        with tempfile.TemporaryDirectory(prefix="mled-") as scratch:
            wanted |= _sent(here, project, Path(database), Path(artifacts) if artifacts else None, Path(scratch))
    begun = here.connection.post(f"projects/{project}/mlflow-imports/", wanted)
    finished(here, begun if no_wait else waited(here, begun))


def _sent(here: Here, project: str, database: Path, artifacts: Path | None, scratch: Path) -> dict[str, str]:
    """The database and its artifacts as finished uploads."""
    whole = _whole(database, scratch)
    packed = _packed(here, artifacts, scratch) if artifacts is not None else None
    sent = {"name": database.name[:200], "upload": _up(here, project, whole, database.name)}
    if packed is not None and artifacts is not None:
        sent["artifacts_upload"] = _up(here, project, packed, artifacts.name)
    return sent


def _up(here: Here, project: str, file: Path, name: str) -> str:
    with here.show.progress(f"Sending {name}", size_of(file)) as ticks:
        return here.client.upload(file, name=name, project=project, ticks=ticks)


def _whole(database: Path, scratch: Path) -> Path:
    """The file itself; or a copy with what SQLite still holds beside it, as where the server runs."""
    if not database.is_file():
        raise Usage(f"There is no file {database}.", hint="Name the database file of MLflow.", field="MLFLOW.DB")
    if not size_of(database.with_name(f"{database.name}-wal")):
        return database
    copy = scratch / "mlflow.db"
    try:
        address = f"{database.resolve().as_uri()}?mode=ro"
        with closing(sqlite3.connect(address, uri=True)) as held, closing(sqlite3.connect(copy)) as made:
            held.backup(made)
    except sqlite3.Error as error:
        raise Problem(f"{database} cannot be read: {error}.", hint="Stop its server first.") from None
    return copy


def _packed(here: Here, artifacts: Path, scratch: Path) -> Path:
    """The archive itself; or the folder as a TAR, in the order of its names so that a repeat goes on."""
    if artifacts.is_file():
        return artifacts
    if not artifacts.is_dir():
        raise Usage(f"There is no folder {artifacts}.", hint="Name mlartifacts or mlruns.", field="--artifacts")
    here.show.note(f"Packing {artifacts}")
    packed = scratch / "artifacts.tar"
    with tarfile.open(packed, "w") as tar:
        for path in sorted(artifacts.rglob("*")):
            if path.is_file() and not path.is_symlink():
                tar.add(path, arcname=path.relative_to(artifacts).as_posix(), recursive=False)
    return packed
