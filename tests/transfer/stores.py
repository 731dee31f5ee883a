"""Stores of MLflow on disk, from the specimen, and imports of them; and what a source holds, as plain values."""

from __future__ import annotations

import re
import sqlite3
import uuid
from collections import defaultdict
from pathlib import Path
from typing import Any

from accounts.models import Project
from kernel.actor import Actor
from tests.transfer.specimen.filling import FILES, MODEL_FILES
from transfer.actions.transfers import begin
from transfer.bringing.work import BY_COMMAND, at_hand
from transfer.mlflow.opening import open_by_operator
from transfer.mlflow.points import digest, in_order
from transfer.mlflow.records import Source
from transfer.models import Transfer
from transfer.running import carry

SPECIMEN = Path(__file__).parent / "specimen" / "store.sql"


def a_store(folder: Path, *, with_files: bool = True, own_ids: bool = False) -> Path:
    """The specimen as MLflow keeps it: mlflow.db, and mlartifacts beside it.

    `own_ids`: its runs and models have ids that no other store has, for a server on which other tests import too.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "mlflow.db"
    base = sqlite3.connect(path)
    told = SPECIMEN.read_text()
    base.executescript(_with_own_ids(told) if own_ids else told)
    if with_files:
        (sweep,) = base.execute("SELECT run_uuid FROM runs WHERE name = 'sweep'").fetchone()
        (net,) = base.execute("SELECT model_id FROM logged_models").fetchone()
        _write(folder / f"mlartifacts/1/{sweep}/artifacts", FILES)
        _write(folder / f"mlartifacts/1/models/{net}/artifacts", MODEL_FILES)
    base.close()
    return path


def _with_own_ids(told: str) -> str:
    others: defaultdict[str, str] = defaultdict(lambda: uuid.uuid4().hex)
    return re.sub(r"(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])", lambda found: others[found[0]], told)


def _write(place: Path, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(content)


def in_store(path: Path, sql: str, *values: Any) -> list[Any]:
    """A statement in the store, as the MLflow server goes on writing to it."""
    base = sqlite3.connect(path)
    try:
        rows = base.execute(sql, values).fetchall()
        base.commit()
        return rows
    finally:
        base.close()


def run_named(path: Path, name: str) -> str:
    """The id of a run in a store."""
    return str(in_store(path, "SELECT run_uuid FROM runs WHERE name = ?", name)[0][0])


def bring(actor: Actor, project: Project, address: str | Path, **options: Any) -> Transfer:
    """An import, as the command does it; done, or failed."""
    asked = {BY_COMMAND: True, "experiments": [], "files": True, **options}
    address = f"sqlite:///{address}" if isinstance(address, Path) else address
    transfer = begin(actor, project, kind=Transfer.Kind.MLFLOW, source="store", options=asked)
    at_hand[transfer.pk] = lambda: open_by_operator(address, {}, with_files=asked["files"])
    try:
        carry(transfer.pk)
    finally:
        del at_hand[transfer.pk]
    return Transfer.objects.get(pk=transfer.pk)


def everything_in(source: Source) -> dict[str, Any]:
    """What a source says, call by call: contracts are compared by it."""
    told: dict[str, Any] = {"experiments": sorted(source.experiments(), key=lambda one: one.id)}
    for experiment in told["experiments"]:
        told[f"runs of {experiment.id}"] = list(source.runs(experiment.id))
        told[f"models of {experiment.id}"] = list(source.models(experiment.id))
        for run in told[f"runs of {experiment.id}"]:
            told[f"again {run.id}"] = source.run(run.id) == run
            ordered = {key: in_order(points) for key, points in source.history(run.id)}
            told[f"history of {run.id}"] = {key: (len(one), digest(one)) for key, one in ordered.items()}
        for owner in [*told[f"runs of {experiment.id}"], *told[f"models of {experiment.id}"]]:
            told[f"files of {owner.id}"] = contents(source, owner)
    told["registered"] = sorted(source.registered(), key=lambda one: one.name)
    return told


def contents(source: Source, owner: Any) -> dict[str, bytes]:
    """Every file of a run or model by path."""
    found = {}
    for file in source.files(owner):
        with source.open(owner, file) as incoming:
            found[file.path] = incoming.read(10_000_000)
        assert file.size_bytes == len(found[file.path])
    return found
