"""Datasets, files of runs, models and reports at the command line, against a real server; bundles without one."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from mled import Client, mled_verify, trees
from mled.problems import Problem
from tests.cli.conftest import RECORD, SLUG
from tests.services.live import LiveMled
from tests.services.processes import ROOT

pytestmark = pytest.mark.once


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two files, one of them in a folder below."""
    made = tmp_path / "wards"
    (made / "raw").mkdir(parents=True)
    (made / "a.csv").write_text("id,age\n1,70\n2,81\n")
    (made / "raw" / "größe 1.bin").write_bytes(bytes(range(256)) * 4096)
    return made


@pytest.fixture
def client(shell_team) -> Client:
    return Client(shell_team.live.url, token=shell_team.ada, project=SLUG)


def content(folder: Path) -> dict[str, bytes]:
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


# --- Datasets


def test_a_folder_goes_up_as_a_version_and_comes_down_the_same(mled, folder, tmp_path):
    pushed = mled("datasets", "push", "wards", str(folder), "--note", "first", "--record", "licence=CC0", "--json")
    assert pushed.code == 0, pushed.err
    assert (pushed.json["version"]["number"], pushed.json["repeated"]) == (1, False)
    again = mled("datasets", "push", "wards", str(folder), "--json").json
    assert (again["version"]["number"], again["repeated"]) == (1, True), "the same content makes no second version"

    down = tmp_path / "down"
    pulled = mled("datasets", "pull", "wards", "-o", str(down), "--json")
    assert pulled.code == 0, pulled.err
    assert (pulled.json["fetched"], pulled.json["there_before"]) == (2, 0)
    assert content(down) == content(folder)

    (down / "a.csv").write_text("spoilt")
    once_more = mled("datasets", "pull", "wards v1", "-o", str(down), "--json").json
    assert (once_more["fetched"], once_more["there_before"]) == (1, 1)
    assert content(down) == content(folder)


def test_versions_are_listed_shown_and_compared(mled, folder):
    mled("datasets", "push", "beds", str(folder), "--alias", "gold")
    (folder / "a.csv").write_text("id,age\n1,70\n")
    second = mled("datasets", "push", "beds", str(folder))
    assert second.out == "beds v2\n"
    (row,) = (row for row in mled("datasets", "list").rows if row[0] == "beds")
    assert row[:3] == ["beds", "2", "2"]
    shown = mled("datasets", "show", "beds@gold", "--json").json
    assert (shown["version"]["number"], shown["version"]["aliases"]) == (1, ["gold"])
    assert {one["path"] for one in shown["files"]} == {"a.csv", "raw/größe 1.bin"}
    told = mled("datasets", "diff", "beds", "gold", "v2", "--json").json
    assert [(one["change"], one["path"]) for one in told["files"]["changes"]] == [("changed", "a.csv")]
    assert mled("datasets", "diff", "beds", "1", "2").code == 0


@pytest.mark.parametrize(
    ("call", "code", "words"),
    [
        (("datasets", "show", "nothing"), 3, "no dataset 'nothing'"),
        (("datasets", "pull", "wards v99"), 3, "found"),
        (("datasets", "show", "wards@nothing"), 3, "no version 'nothing'"),
        (("datasets", "push", "x", "/nowhere/at/all"), 2, "There is no"),
        (("datasets", "push", "x"), 2, "Missing argument"),
        (("datasets", "push", "x", __file__, "--record", "licence"), 2, "names no field"),
        (("artifacts", "down", "ZZZ-1"), 3, "found"),
        (("models", "show", "nothing"), 3, "found"),
        (("models", "download", "nothing@champion"), 3, "found"),
        (("report", "request", "dinner"), 2, "dinner"),
        (("report", "request", "compliance", "--run", "A-1", "--model", "b/1"), 2, "only one"),
        (("report", "status", "00000000-0000-4000-8000-000000000000"), 3, "found"),
        (("verify", "/nowhere.mledlog"), 2, "There is no file"),
    ],
)
def test_what_cannot_be_done_is_told_with_its_code(mled, folder, call, code, words):
    if "wards" in " ".join(call):
        mled("datasets", "push", "wards", str(folder))
    said = mled(*call)
    assert said.code == code, said.err
    assert words in said.err


def test_another_team_sees_none_of_it(mled, shell_team, folder, monkeypatch):
    mled("datasets", "push", "wards", str(folder))
    monkeypatch.setenv("MLED_TOKEN", shell_team.eve)
    for call in (("datasets", "list"), ("datasets", "pull", "wards"), ("models", "list"), ("report", "list")):
        assert mled(*call).code == 3, call


def test_a_reader_pulls_and_does_not_push(mled, shell_team, folder, tmp_path, monkeypatch):
    mled("datasets", "push", "wards", str(folder))
    monkeypatch.setenv("MLED_TOKEN", shell_team.reader)
    assert mled("datasets", "pull", "wards", "-o", str(tmp_path / "down")).code == 0
    (folder / "more.txt").write_text("more")
    refused = mled("datasets", "push", "wards", str(folder))
    assert (refused.code, "scope 'log'" in refused.err) == (4, True)


# --- Files of a run


def test_files_go_up_to_a_run_and_come_down_checked(mled, client, folder, tmp_path):
    run = client.submit(RECORD | {"name": "with files"})
    sent = mled("artifacts", "up", run["readable_id"], str(folder), "--to", "data")
    assert sent.out.splitlines() == ["data/a.csv", "data/raw/größe 1.bin"]
    assert {row[0] for row in mled("artifacts", "list", run["readable_id"], "data").rows} == {
        "path", "data/a.csv", "data/raw/größe 1.bin",
    }  # fmt: skip
    down = tmp_path / "down"
    assert mled("artifacts", "down", run["readable_id"], "data/raw", "-o", str(down)).code == 0
    assert content(down) == {"data/raw/größe 1.bin": (folder / "raw" / "größe 1.bin").read_bytes()}
    whole = mled("artifacts", "down", run["readable_id"], "-o", str(down), "--json").json
    assert (whole["fetched"], whole["there_before"]) == (1, 1)
    assert mled("artifacts", "down", run["readable_id"], "nothing").code == 3


def test_a_download_that_was_broken_off_goes_on(mled, client, folder, tmp_path):
    """What lies there of a file with the version that the server names is kept, and only the rest is fetched."""
    run = client.submit(RECORD | {"name": "broken off"})
    mled("artifacts", "up", run["readable_id"], str(folder / "raw" / "größe 1.bin"))
    (file,) = client.files(run["id"])
    place = tmp_path / "down" / file["path"]
    place.parent.mkdir()
    where = f"runs/{run['id']}/files/gr%C3%B6%C3%9Fe%201.bin"
    with client.connection.stream(where, headers={"Accept": "*/*", "Range": "bytes=0-99"}) as part:
        place.with_name(f".{place.name}.part").write_bytes(part.read())
        etag = part.headers["etag"]
    label = {"source": where, "etag": etag}
    place.with_name(f".{place.name}.part.json").write_text(json.dumps(label))
    counted: list[int] = []
    trees.pull(client.connection, f"runs/{run['id']}/files/", [file], tmp_path / "down", ticks=counted.append)
    assert counted[0] == 100
    assert hashlib.sha256(place.read_bytes()).hexdigest() == file["digest"]


@pytest.mark.parametrize("path", ["../out", "/etc/passwd", "a/../../b", "..", "c:\\x", "a\\..\\b", ""])
def test_no_file_of_a_server_lands_outside_of_the_folder(tmp_path, path):
    with pytest.raises(Problem, match="outside"):
        trees.inside(tmp_path, path)


# --- Models


def test_models_are_listed_shown_and_fetched(mled, client, folder, tmp_path):
    run = client.submit(RECORD | {"name": "with a model"})
    mled("artifacts", "up", run["readable_id"], str(folder), "--to", "model")
    at = f"projects/{SLUG}/models/"
    client.connection.post(at, {"name": "ward model"})
    made = client.connection.post(f"{at}ward%20model/versions/", {"source": f"runs:/{run['id']}/model"})
    client.connection.put(f"{at}ward%20model/aliases/champion/", {"version": made["number"]})
    assert ["ward model", "champion: 1"] in [row[:2] for row in mled("models", "list").rows]
    assert [row["name"] for row in mled("models", "list", "name LIKE 'ward%'", "--json").json] == ["ward model"]
    assert mled("models", "versions", "ward model", "--json").json[0]["aliases"] == ["champion"]
    assert mled("models", "show", "ward model/1", "--json").json["files"][0]["path"] == "a.csv"
    got = mled("models", "download", "ward model@champion", "-o", str(tmp_path / "down"))
    assert got.code == 0, got.err
    assert content(tmp_path / "down") == content(folder)


# --- Reports and bundles


BUILD = "from audit.compliance.tasks import build_reports; build_reports()"


def settle(live: LiveMled) -> None:
    """What sequencer and worker do by themselves: put the log in order, and build what waits."""
    for _ in range(2):
        live.manage("sequencer", "--once")
        live.manage("shell", "-v", "0", "-c", BUILD)
    live.manage("sequencer", "--once")


@pytest.fixture(scope="module")
def report(shell_team) -> dict[str, Any]:
    """A report on a run with a sealed bundle, made."""
    client = Client(shell_team.live.url, token=shell_team.ada, project=SLUG)
    run = client.submit(RECORD | {"name": "reported"})
    wanted = {"kind": "trail", "scope": "run", "subject": run["readable_id"], "formats": ["csv", "mledlog"]}
    made = client.connection.post(f"projects/{SLUG}/reports/", wanted)
    settle(shell_team.live)
    return dict(client.connection.get(f"reports/{made['id']}/"))


@pytest.fixture
def bundle(mled, report, tmp_path) -> Path:
    assert mled("report", "fetch", report["id"], "-f", "mledlog", "-o", str(tmp_path)).code == 0
    return next(tmp_path.glob("*.mledlog"))


def test_a_report_is_requested_and_stopped(mled, client):
    run = client.submit(RECORD | {"name": "to report"})
    asked = mled("report", "request", "trail", "--run", run["readable_id"], "-f", "csv", "--title", "Mine", "--json")
    assert asked.code == 0, asked.err
    assert (asked.json["scope"], asked.json["title"], asked.json["state"]) == ("run", "Mine", "waiting")
    stopped = mled("report", "status", asked.json["id"], "--stop", "--json").json
    assert stopped["state"] == "cancelled"
    refused = mled("report", "fetch", asked.json["id"])
    assert (refused.code, "cancelled" in refused.err) == (1, True)


def test_a_report_is_watched_and_fetched_checked(mled, report, tmp_path):
    got = mled("report", "fetch", report["id"], "-f", "csv", "-o", str(tmp_path / "out"), "--json")
    assert got.code == 0, got.err
    for file in got.json["files"]:
        assert hashlib.sha256(Path(file["file"]).read_bytes()).hexdigest() == file["sha256"]
    assert report["id"] in mled("report", "list").out
    status = mled("report", "status", report["id"], "--wait", "--json").json
    assert (status["state"], status["digest"]) == ("done", got.json["digest"])
    assert mled("report", "fetch", report["id"], "-f", "dinner").code == 2


def test_a_bundle_is_verified_without_a_server(command, bundle, monkeypatch):
    monkeypatch.delenv("MLED_URL")
    monkeypatch.delenv("MLED_TOKEN")
    said = command("verify", str(bundle), "--json")
    assert (said.code, said.json["result"]) == (0, "verified")
    assert any("public key came with the bundle" in one for one in said.json["warnings"])
    assert "VERIFIED" in command("verify", str(bundle)).out


def test_a_changed_bundle_is_told_by_its_code(command, bundle, tmp_path):
    spoilt = tmp_path / "spoilt.mledlog"
    raw = bytearray(bundle.read_bytes())
    place = raw.index(b'"leaf_hash":"') + len(b'"leaf_hash":"')
    raw[place] = ord("0") if raw[place] != ord("0") else ord("1")
    spoilt.write_bytes(bytes(raw))
    said = command("verify", str(spoilt), "--json")
    assert (said.code, said.json["result"]) == (1, "tampered")
    spoilt.write_text("no bundle")
    assert command("verify", str(spoilt)).code == 2


def test_keys_and_heads_of_the_server_pin_a_bundle(mled, client, bundle, tmp_path):
    for path, name in (("log/keys/", "ledger.pub"), ("log/anchors/", "checkpoints.log")):
        with client.connection.stream(path, headers={"Accept": "text/plain"}) as answer:
            (tmp_path / name).write_bytes(answer.read())
    said = mled(
        "verify",
        str(bundle),
        "--key",
        str(tmp_path / "ledger.pub"),
        "--anchor",
        str(tmp_path / "checkpoints.log"),
        "--json",
    )
    assert (said.code, said.json["result"]) == (0, "verified"), said.out
    assert said.json["warnings"] == []


def test_the_verifier_is_the_one_that_every_bundle_names():
    """The package has it as a copy, so that it installs by itself; it needs nothing but Python."""
    ours = (ROOT / "audit" / "ledger" / "offline" / "mled_verify.py").read_bytes()
    assert Path(mled_verify.__file__).read_bytes() == ours
    assert "django" not in sys.modules[mled_verify.__name__].__dict__
