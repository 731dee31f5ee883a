"""mled export and import-archive: a project goes out whole, and comes into another one with the same content."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import zipfile

import pytest

from mled import Client
from tests.cli.conftest import RECORD
from tests.services.processes import ROOT

pytestmark = pytest.mark.once

MIA = "mia@moves.example.org"


@pytest.fixture(scope="session")  # as long as the server: another worker's tests of this file may come later
def moving(live_mled, tmp_path_factory) -> Client:
    """A manager of two projects; in the first one are two runs and a file."""
    live_mled.create_user(MIA, name="Mia")
    for slug in ("moves", "arrives"):
        live_mled.create_project(slug)
        live_mled.add_member(slug, MIA, "project_manager")
        live_mled.add_member(slug, MIA, "ml_engineer")
    token = live_mled.issue_token(MIA, scopes=("read", "log", "manage"))
    client = Client(live_mled.url, token=token, project="moves")
    file = tmp_path_factory.mktemp("moves") / "roc.txt"
    file.write_text("roc")
    for name in ("one", "two"):
        client.submit(RECORD | {"name": name, "experiment": f"moving {name}"}, files=[file])
    return client


@pytest.fixture
def mled(command, moving, monkeypatch):
    place = moving.connection.place
    for name, value in (("MLED_URL", place.url), ("MLED_TOKEN", place.token), ("MLED_PROJECT", "moves")):
        monkeypatch.setenv(name, value)
    return command


def test_a_project_goes_out_and_comes_in_with_equal_content(mled, moving, tmp_path, monkeypatch):
    archive = tmp_path / "moves.zip"
    said = mled("export", "-o", str(archive), "--json")
    assert said.code == 0, said.err
    assert said.json["counts"]["runs"] == 2
    (file,) = said.json["files"]
    assert file["sha256"] == hashlib.sha256(archive.read_bytes()).hexdigest()
    with zipfile.ZipFile(archive) as opened:
        assert len(opened.read("runs.jsonl").splitlines()) == 2

    foreseen = mled("import-archive", str(archive), "-p", "arrives", "--dry-run")
    assert foreseen.code == 0, foreseen.err
    assert "nothing was written" in foreseen.err
    assert list(moving.runs(project="arrives")) == []
    arrived = mled("import-archive", str(archive), "-p", "arrives")
    assert arrived.code == 0, arrived.err
    assert ["state", "done"] in arrived.rows
    assert ["content", said.json["digest"]] in arrived.rows
    here, there = (
        {run["name"]: moving.run(run["id"]) for run in moving.runs(project=slug)} for slug in ("moves", "arrives")
    )
    assert {name: (run["params"], run["metrics"]) for name, run in there.items()} == {
        name: (run["params"], run["metrics"]) for name, run in here.items()
    }
    again = mled("import-archive", str(archive), "-p", "arrives", "--json")
    assert again.code == 0, again.err
    assert len(list(moving.runs(project="arrives"))) == 2

    listed = mled("transfers", "-p", "arrives", "--json").json
    assert [one["state"] for one in listed] == ["done"] * 3
    assert mled("transfers", listed[0]["id"]).code == 0
    monkeypatch.delenv("MLED_PROJECT")
    assert {one["project"] for one in mled("transfers", "--json").json} == {"moves", "arrives"}


def test_one_experiment_goes_out_without_waiting_and_is_fetched_later(mled, tmp_path):
    asked = mled("export", "--experiment", "moving one", "--no-files", "--no-wait", "--json")
    assert asked.code == 0, asked.err
    archive = tmp_path / "later.zip"
    assert mled("transfers", asked.json["id"], "-o", str(archive)).out == f"{archive}\n"
    with zipfile.ZipFile(archive) as opened:
        assert [json.loads(line)["name"] for line in opened.read("runs.jsonl").splitlines()] == ["one"]
    assert mled("export", "--experiment", "nowhere").code == 3
    assert mled("export", "--experiment", "Default", "-o", str(archive)).code == 0
    with zipfile.ZipFile(archive) as opened:
        assert [json.loads(line)["name"] for line in opened.read("experiments.jsonl").splitlines()] == ["Default"]


def test_what_is_no_archive_is_refused_in_words(mled, tmp_path):
    file = tmp_path / "no.zip"
    file.write_text("no archive")
    said = mled("import-archive", str(file), "-p", "arrives")
    assert said.code == 1
    assert "Traceback" not in said.err
    assert said.err.startswith("Error: ")
    assert mled("import-archive", str(tmp_path / "missing.zip")).code == 2


def test_what_mlflow_kept_comes_in_with_its_files(mled, moving, tmp_path):
    """A store as MLflow 3.17 has it, which its server still holds open, with a file of one run."""
    held = sqlite3.connect(tmp_path / "mlflow.db")
    held.execute("PRAGMA journal_mode=WAL")
    held.executescript((ROOT / "tests" / "transfer" / "specimen" / "store.sql").read_text())
    query = "SELECT run_uuid, name FROM runs JOIN metrics USING (run_uuid) WHERE runs.lifecycle_stage = 'active'"
    uid, name = held.execute(f"{query} ORDER BY run_uuid").fetchone()
    written = held.execute("SELECT count(*) FROM metrics WHERE run_uuid = ?", [uid]).fetchone()[0]
    notes = tmp_path / "mlruns" / "1" / uid / "artifacts" / "notes"
    notes.mkdir(parents=True)
    (notes / "hello.txt").write_text("hello")
    call = ("import-mlflow", str(tmp_path / "mlflow.db"), "--artifacts", str(tmp_path / "mlruns"), "-p", "arrives")

    said = mled(*call, "--json")
    assert said.code == 0, said.err
    before = len(list(moving.runs(project="arrives")))
    (found,) = [run for run in moving.runs(project="arrives") if run["name"] == name]
    curves = moving.curves(found["id"])[found["id"]]
    assert sum(len(curve["values"]) for curve in curves.values()) == written
    assert "notes/hello.txt" in [file["path"] for file in moving.files(found["id"])]
    assert mled(*call).code == 0
    assert len(list(moving.runs(project="arrives"))) == before
    held.close()

    assert mled("import-mlflow").code == 2
    assert mled("import-mlflow", "missing.db").code == 2
    refused = mled("import-mlflow", "--server", "https://mlflow.example.org", "-p", "arrives")
    assert (refused.code, refused.err.startswith("Error: ")) == (4, True)
