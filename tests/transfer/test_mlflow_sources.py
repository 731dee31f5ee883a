"""Every source of MLflow says the same: the store in SQLite and PostgreSQL, read here or apart, and a server."""

from __future__ import annotations

import base64
import os
import sqlite3
import tarfile
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import psycopg
import pytest

from experiments.metrics.batch import Points
from kernel.errors import NotFound, Refused
from tests.transfer.stores import a_store, contents, everything_in, in_store, run_named
from transfer.mlflow.databases import Sqlite
from transfer.mlflow.folders import ArchiveFiles, FolderFiles, beside
from transfer.mlflow.http import Speaking, without_secrets
from transfer.mlflow.opening import checked_server, open_by_operator
from transfer.mlflow.points import in_order, missing
from transfer.mlflow.reader.process import StoreApart
from transfer.mlflow.records import (
    FilesAway,
    NotReadable,
    SourceBroken,
    SourceExperiment,
    SourceFile,
    SourceRun,
    origin_of,
)
from transfer.mlflow.server import ServerSource
from transfer.mlflow.store import StoreSource

POSTGRES = Path(__file__).parent / "specimen" / "store.postgresql.sql"


@pytest.fixture
def store(tmp_path):
    return a_store(tmp_path)


def opened(store: Path):
    return StoreSource(Sqlite(store), FolderFiles(beside(store, [])), fallback="x")


@pytest.mark.once
def test_a_store_read_apart_and_its_archive_say_what_it_says_itself(store, tmp_path):
    with zipfile.ZipFile(tmp_path / "all.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        for path in sorted((tmp_path / "mlartifacts").rglob("*")):
            packed.write(path, path.relative_to(tmp_path))
    with tarfile.open(tmp_path / "all.tar", "w") as packed:
        packed.add(tmp_path / "mlartifacts" / "1", "somewhere/else")
        packed.add(tmp_path / "all.zip", "last.zip")
    here = everything_in(opened(store))
    assert here["registered"][1].aliases == {"best": 1, "trial": 3}
    assert sum(count for key in here if key.startswith("history") for count, _ in here[key].values()) == 173
    for name in ("all.zip", "all.tar"):
        apart = StoreApart(store, ArchiveFiles((tmp_path / name).open("rb")), fallback="x")
        assert everything_in(apart) == here
        assert (apart.origin(), apart.told()) == (opened(store).origin(), opened(store).told())
        apart.close()


@pytest.mark.parametrize(("kind", "at"), [(zipfile.ZIP_DEFLATED, 0), (zipfile.ZIP_LZMA, 999), (zipfile.ZIP_BZIP2, 999)])
def test_a_damaged_file_of_an_archive_is_away_and_the_others_are_not(tmp_path, kind, at):
    owner = SourceRun("a" * 32, "0", name="x", status="FINISHED")
    table = b"".join(b"%d,%d\n" % (one, one * one) for one in range(50_000))
    with zipfile.ZipFile(tmp_path / "all.zip", "w", kind) as packed:
        for name in ("hurt.csv", "whole.csv"):
            packed.writestr(f"0/{owner.id}/artifacts/{name}", table)
        at += 30 + len(packed.infolist()[0].filename)  # where its data begin
    data = bytearray((tmp_path / "all.zip").read_bytes())
    data[at : at + 40] = b"\xff" * 40
    (tmp_path / "all.zip").write_bytes(data)
    files = ArchiveFiles((tmp_path / "all.zip").open("rb"))
    found = {one.path: one for one in files.below(owner)}
    with pytest.raises(FilesAway, match="cannot be unpacked"):
        read_whole(files, owner, found["hurt.csv"])
    assert read_whole(files, owner, found["whole.csv"]) == table
    files.close()


def read_whole(files: ArchiveFiles, owner: SourceRun, file: SourceFile) -> bytes:
    with files.open(owner, file) as opened:
        return b"".join(iter(lambda: opened.read(65536), b""))


def test_a_store_has_one_origin_whatever_it_is_read_from_even_where_its_first_experiment_has_no_time(store):
    in_store(store, "UPDATE experiments SET creation_time = NULL WHERE experiment_id = 0")
    told = list(opened(store).experiments())
    assert [one.created_ms is None for one in told] == [True, *[False] * (len(told) - 1)]
    assert len(told) > 1
    newest_first = [*reversed(told), SourceExperiment("10", "later", created_ms=1)]
    assert opened(store).origin() == origin_of(newest_first, "https://mlflow.example.org")
    assert origin_of(newest_first, "a") != origin_of(told[:1], "a") != origin_of(told[:1], "b")


def test_a_store_in_postgresql_says_what_that_in_sqlite_does():
    address = os.environ.get("DATABASE_URL", "")
    if not address.startswith("postgres"):
        pytest.skip("There is no PostgreSQL in this pass: python -m tests.services.postgres starts one.")
    with psycopg.connect(address, autocommit=True) as server:
        server.execute("DROP SCHEMA IF EXISTS mlflow_specimen CASCADE")
        server.execute("CREATE SCHEMA mlflow_specimen")
        server.execute("SET search_path TO mlflow_specimen")
        server.execute(POSTGRES.read_bytes())
    source = open_by_operator(f"{address}?options=-csearch_path%3Dmlflow_specimen", {}, with_files=False)
    told = everything_in(source)
    source.close()
    names = {run.name for run in told["runs of 1"]}
    assert names == {"sweep", "child 0", "child 1", "child 2", "odd — Größe 🙂", "long", "evaluation", "mistake"}
    sweep = next(run for run in told["runs of 1"] if run.name == "sweep")
    assert (sweep.user, sweep.datasets[0].name, sweep.model_outputs[0][1]) == ("grace", "street", 7)
    odd = next(run for run in told["runs of 1"] if run.name == "odd — Größe 🙂")
    assert {key: count for key, (count, _) in told[f"history of {odd.id}"].items()} == {"odd": 7, "far": 1}
    (net,) = told["models of 1"]
    assert [(one.key, one.value) for one in net.metrics] == [("iou", 0.75), ("iou", 0.8)]
    assert [(one.name, len(one.versions)) for one in told["registered"]] == [("greeting", 1), ("street net", 2)]


def test_a_server_that_speaks_the_protocol_says_what_its_store_did(tmp_path, live_mled):
    """The store is imported into a live MLED, whose MLflow door is then a server like any other."""
    store = a_store(tmp_path, own_ids=True)
    live_mled.create_user("from@example.org")
    live_mled.create_project("told-by-a-server")
    live_mled.add_member("told-by-a-server", "from@example.org", "ml_engineer")
    live_mled.manage("import_mlflow", f"sqlite:///{store}", "--project", "told-by-a-server", "--as", "from@example.org")
    token = live_mled.issue_token("from@example.org", project="told-by-a-server")
    server = ServerSource(Speaking(live_mled.tracking_uri("told-by-a-server"), token=token))
    there, here = everything_in(server), everything_in(opened(store))
    names = {one.name: one for one in there["experiments"]}
    assert {(one.name, one.is_deleted, tuple(one.tags.items())) for one in here["experiments"]} == {
        (one.name, one.is_deleted, tuple(one.tags.items())) for one in there["experiments"]
    }
    for experiment in here["experiments"]:
        mine = there[f"runs of {names[experiment.name].id}"]
        assert [_plain(run) for run in mine] == [_plain(run) for run in here[f"runs of {experiment.id}"]]
        models = there[f"models of {names[experiment.name].id}"]
        assert [(one.id, one.params, one.tags, one.status, one.metrics) for one in models] == [
            (one.id, one.params, one.tags, one.status, one.metrics) for one in here[f"models of {experiment.id}"]
        ]
    for key in here:
        if key.startswith(("history", "files")):
            assert there[key] == here[key]
    assert [(one.name, one.description, one.aliases, one.tags) for one in there["registered"]] == [
        (one.name, one.description, one.aliases, one.tags) for one in here["registered"]
    ]
    assert [[(v.number, v.stage, v.tags, v.run_id) for v in one.versions] for one in there["registered"]] == [
        [(v.number, v.stage, v.tags, v.run_id) for v in one.versions] for one in here["registered"]
    ]
    server.close()


def _plain(run: SourceRun) -> tuple[object, ...]:
    """A run without what is each server's own: the experiment's id and the address of the files."""
    return (
        run.id, run.name, run.status, run.user if run.user != "unknown" else "", run.started_ms, run.ended_ms,
        run.is_deleted, run.params, run.tags, run.datasets, run.model_inputs, run.model_outputs,
    )  # fmt: skip


# --- what is no store, or a hostile one


def refusal(store: Path) -> str:
    try:
        source = StoreApart(store, FolderFiles({}), fallback="x")
        try:
            everything_in(source)
        finally:
            source.close()
    except NotReadable as refused:
        return str(refused)
    raise AssertionError("It was read.")


@pytest.mark.once
def test_what_is_no_store_is_refused_in_words_and_hurts_nobody(store, tmp_path):
    noise = tmp_path / "noise.db"
    noise.write_bytes(b"SQLite format 3\x00" + os.urandom(20_000))
    assert "no database that can be read" in refusal(noise)
    cut = tmp_path / "cut.db"
    cut.write_bytes(store.read_bytes()[: store.stat().st_size // 2])
    assert refusal(cut)
    empty = tmp_path / "empty.db"
    sqlite3.connect(empty).executescript("CREATE TABLE cats (name)")
    assert "This is no store of MLflow." in refusal(empty)
    old = tmp_path / "old.db"
    old.write_bytes(store.read_bytes())
    in_store(old, "ALTER TABLE experiments RENAME COLUMN creation_time TO made")
    assert "lacks experiments.creation_time" in refusal(old)
    assert "mlflow db upgrade" in refusal(old)


@pytest.mark.once
def test_a_store_whose_schema_would_run_code_runs_none(store):
    in_store(store, "ALTER TABLE tags RENAME TO kept_tags")
    in_store(
        store,
        "CREATE VIEW tags AS WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) "
        "SELECT n AS run_uuid, load_extension('x') AS key, n AS value FROM t",
    )
    assert "lacks tags.key, tags.run_uuid, tags.value" in refusal(store)


@pytest.mark.once
def test_nonsense_in_columns_is_told(store):
    in_store(store, "UPDATE metrics SET timestamp = 'yesterday' WHERE key = 'best'")
    assert "'yesterday' where a whole number belongs" in refusal(store)


@pytest.mark.once
def test_a_newer_store_is_read_and_its_version_told(store):
    in_store(store, "UPDATE alembic_version SET version_num = 'feedfeedfeed'")
    (note,) = opened(store).notes()
    assert "feedfeedfeed is not among those that are known" in note


@pytest.mark.once
def test_files_are_read_only_below_the_named_folders(store, tmp_path):
    run = SourceRun("a" * 32, "1", files_at="/somewhere/mlruns/1/run/artifacts")
    with pytest.raises(Exception, match="stands for no folder here"):
        list(FolderFiles({"mlflow-artifacts:": tmp_path}).below(run))
    assert list(FolderFiles({"/somewhere/mlruns": tmp_path}).below(run)) == []
    climbing = SourceRun("a" * 32, "1", files_at="/somewhere/mlruns/../../etc")
    with pytest.raises(Exception, match="stands for no folder here"):
        list(FolderFiles({"/somewhere/mlruns": tmp_path / "mlartifacts"}).below(climbing))
    sweep = next(run for run in opened(store).runs("1") if run.name == "sweep")
    assert set(contents(opened(store), sweep)) == {
        "notes.txt", "größe.csv", "plots/loss curve (1).svg", "deep/er/empty.bin",
    }  # fmt: skip
    assert sweep.id == run_named(store, "sweep")


# --- servers


@pytest.fixture
def answering():
    """A server that answers everything with one status and body."""
    servers = []

    def start(status: int, body: bytes = b"{}", **headers: str) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_GET  # noqa: N815

            def log_message(self, *_: object) -> None:
                return

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.mark.once
def test_what_a_server_does_wrong_is_told_and_redirects_are_not_followed(answering):
    elsewhere = answering(200, b'{"experiments": []}')
    for status, kind, said in (
        (302, NotReadable, "redirects are not followed"),
        (401, NotReadable, "Give it a user and password"),
        (404, NotFound, "does not have this"),
        (400, NotReadable, "objects (status 400)"),
        (500, SourceBroken, "fails (status 500)"),
    ):
        with pytest.raises(kind, match=said.replace("(", r"\(").replace(")", r"\)")):
            list(ServerSource(Speaking(answering(status, Location=elsewhere))).experiments())
    with pytest.raises(NotReadable, match="not as an MLflow server does"):
        list(ServerSource(Speaking(answering(200, b"<html>"))).experiments())


@pytest.mark.once
def test_a_password_is_sent_as_it_is_meant_and_no_path_climbs():
    told = Speaking("https://grace:p%40ss@mlflow.example.org")._headers
    assert told["authorization"] == "Basic " + base64.b64encode(b"grace:p@ss").decode()
    server = ServerSource(Speaking("http://127.0.0.1:1"))
    for place, path in (("mlflow-artifacts:/../../admin", "x"), ("mlflow-artifacts:/1/run", "../../x")):
        with pytest.raises(FilesAway, match="leads out"):
            server.open(SourceRun("a" * 32, "1", files_at=place), SourceFile(path, 1))


@pytest.mark.once
def test_secrets_in_addresses_are_not_shown(settings):
    assert without_secrets("https://grace:hush@mlflow.example.org:8443/a/?token=hush#x") == (
        "https://mlflow.example.org:8443/a"
    )
    settings.MLED_IMPORT_FROM = ["https://grace:hush@mlflow.example.org"]
    assert checked_server("https://mlflow.example.org/") == "https://mlflow.example.org"
    with pytest.raises(Refused, match=r"Allowed are: https://mlflow.example.org\.") as refused:
        checked_server("http://169.254.169.254/latest")
    assert "hush" not in str(refused.value)
    with pytest.raises(SourceBroken) as away:
        open_by_operator("postgresql://grace:hush@127.0.0.1:1/mlflow", {}, with_files=False)
    assert "hush" not in str(away.value)


# --- points


@pytest.mark.once
def test_points_are_told_apart_by_step_time_and_value_with_nan_and_zero_as_one():
    theirs = in_order(
        Points(
            np.array([1, 0, 0, 1, 2], np.int64),
            np.array([5, 5, 5, 5, 1], np.int64),
            np.array([float("nan"), -0.0, 0.0, -float("nan"), 3.0]),
        )
    )
    assert (theirs.steps.tolist(), theirs.times.tolist(), len(theirs)) == ([2, 0, 1], [1, 5, 5], 3)
    assert len(missing(theirs, theirs)) == 0
    assert missing(theirs, theirs.take(slice(0, 2))).steps.tolist() == [1]
    assert missing(theirs, Points.none()) is theirs
