"""What is there: runs, show, compare, submissions, download; on a terminal, in a pipe and for programs."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as parquet
import pytest
from openpyxl import load_workbook

from mled import Client, NotFound
from mled.printing import json_of
from tests.cli.conftest import RECORD, SLUG, Team
from tests.services.processes import ROOT

pytestmark = pytest.mark.once

NAMES = ("first", "second", "third")


@pytest.fixture(scope="session")
def recorded(shell_team: Team, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict]:
    """Three runs of one experiment, one with a file and one with a name that is up to no good."""
    file = tmp_path_factory.mktemp("files") / "roc.txt"
    file.write_text("roc " * 1000)
    client = Client(shell_team.live.url, token=shell_team.ada, project=SLUG)
    made = {}
    for number, name in enumerate(NAMES):
        record = RECORD | {
            "experiment": "reading",
            "name": name if number else "=A1\x1b[31m",
            "params": {"C": 10**number, "kernel": "rbf"},
            "results": {"acc": 0.5 + number / 10},
            "email": "kim@read.example.org",
            "started": f"2026-03-02T1{number}:00Z",
            "tags": {"ward": f"icu-{number}"},
        }  # fmt: skip
        made[name] = client.submit(record, files=[file] if number == 0 else [])
    return made


def test_runs_are_filtered_sorted_and_cut_into_columns(mled, recorded):
    all_of_it = mled("runs", "--experiment=reading")
    assert all_of_it.rows[0] == ["id", "name", "status", "started", "duration", "user"]
    assert [row[0] for row in all_of_it.rows[1:]] == [recorded[name]["readable_id"] for name in reversed(NAMES)]
    best = mled(
        "runs",
        "metrics.acc > 0.55",
        "--experiment",
        "reading",
        "-s",
        "metrics.acc DESC",
        "-c",
        "name,metrics.acc,params.C",
    )
    assert best.rows == [["name", "metrics.acc", "params.C"], ["third", "0.7", "100"], ["second", "0.6", "10"]]
    filters = [
        "--status=finished",
        "--user=Ada",
        "--name=SEC",
        "--tag=ward=icu-1",
        "--since=2026-03-01",
        "--until=2026-03-03",
    ]
    assert [run["name"] for run in mled("runs", *filters, "--email=Kim@read.example.org", "--json").json] == ["second"]
    assert mled("runs", "--experiment=reading", "-n", "1", "--json").json[0]["name"] == "third"
    assert mled("runs", "--name", "no such run").err == "No run matches.\n"


def test_json_is_the_same_to_a_program_and_harmless_to_a_terminal():
    named = {"name": "Größe 漢 \x9b2J\u202e\x7f\U000e0041", "lines": ["a\nb", 1.5]}
    for indent in (None, 2):
        said = json_of(named, indent)
        assert json.loads(said) == named
        assert "Größe 漢 \\u009b2J\\u202e\\u007f\\udb40\\udc41" in said
        assert said.replace("\n", "").isprintable()


def test_a_slip_in_a_query_is_shown_where_it_is(mled):
    said = mled("runs", "metrics.acc >")
    assert said.code == 1
    assert "  metrics.acc >\n               ^\n" in said.err
    assert mled("runs", "--since", "tomorrow").code == 2
    assert mled("runs", "-c", "nmae").code == 2
    status = mled("runs", "--status", "finishd")
    assert (status.code, "Did you mean finished?" in status.err, "Where: --status" in status.err) == (2, True, True)
    assert mled("runs", "--status", "KILLED", "--json").code == 0
    ending = mled("download", "-o", "r.foo")
    assert (ending.code, "'.foo' says no format." in ending.err, "Where: --output" in ending.err) == (2, True, True)


def test_a_run_is_shown_whole_and_its_curve_point_by_point(mled, recorded):
    name = recorded["first"]["readable_id"]
    said = mled("show", name)
    assert ["C", "1"] in said.rows
    assert said.out.count("\x1b") == 0
    assert any(row[0] == "roc.txt" and row[2] == hashlib.sha256(b"roc " * 1000).hexdigest() for row in said.rows)
    points = mled("show", name, "--metric", "acc").rows
    assert (points[0], points[1][0], points[1][2]) == (["step", "time", "value"], "0", "0.5")
    slip = mled("show", name, "--metric", "ac")
    assert (slip.code, "Did you mean 'acc'?" in slip.err) == (3, True)
    assert mled("open", name).out.strip().endswith(f"/r/{recorded['first']['id']}")
    missing = mled("show", "SHE-99999")
    assert (missing.code, "not found" in missing.err.lower() or "no run" in missing.err.lower()) == (3, True)


def test_runs_are_compared_by_what_differs(mled, recorded):
    ids = [recorded[name]["readable_id"] for name in NAMES]
    said = mled("compare", *ids)
    assert said.code == 0, said.err
    rows = {(row[0], row[1]): row[2:] for row in said.rows}
    assert rows["kind", "field"] == ids
    assert rows["param", "C"] == ["1", "10", "100"]
    assert rows["metric", "acc"] == ["0.5", "0.6", "0.7"]
    assert ("param", "kernel") not in rows
    told = mled("compare", *ids, "--all", "--kind", "param", "--json").json
    assert {"kind": "param", "name": "kernel", "values": ["rbf"] * 3, "varies": False} in told["rows"]
    assert mled("compare", ids[0]).code == 2


def test_what_somebody_else_may_not_see_is_not_there(mled, recorded, shell_team, monkeypatch):
    monkeypatch.setenv("MLED_TOKEN", shell_team.eve)
    monkeypatch.delenv("MLED_PROJECT")
    assert mled("show", recorded["first"]["id"]).code == 3
    assert mled("submissions", "--email", "kim@read.example.org", "--json").json == []
    assert "=A1" not in mled("download").out
    assert mled("runs", "-p", SLUG).code == 3


def test_everything_comes_down_in_each_format(mled, recorded, tmp_path):
    rows = list(csv.DictReader(io.StringIO(mled("download", "--experiment=reading").out.removeprefix("\ufeff"))))
    assert [row["params.C"] for row in rows] == ["100", "10", "1"]
    assert rows[2]["name"].startswith("'=A1")
    assert float(rows[0]["metrics.acc"]) == 0.7
    for name in ("runs.jsonl", "runs.parquet", "runs.xlsx", "runs.csv"):
        said = mled("download", "params.C > 5", "--experiment=reading", "-o", str(tmp_path / name), "--json")
        assert said.code == 0, said.err
        content = (tmp_path / name).read_bytes()
        assert said.json["sha256"] == hashlib.sha256(content).hexdigest()
    assert [json.loads(line)["name"] for line in (tmp_path / "runs.jsonl").read_text().splitlines()] == [
        "third",
        "second",
    ]
    assert parquet.read_table(tmp_path / "runs.parquet").column("metrics.acc").to_pylist() == [0.7, 0.6]
    assert load_workbook(tmp_path / "runs.xlsx").active["C2"].value == "third"
    assert sorted(path.name for path in tmp_path.iterdir() if path.suffix == ".part" or path.name.startswith(".")) == []
    few = mled("download", "--experiment=reading", "-c", "metrics.acc", "-s", "metrics.acc").out
    assert few.splitlines()[0].removeprefix("\ufeff") == "run_id,id,name,status,metrics.acc"
    refused = mled("download", "metrics.acc >", "-o", str(tmp_path / "no.csv"))
    assert (refused.code, (tmp_path / "no.csv").exists()) == (1, False)


def test_the_python_client_says_the_same(shell_team, recorded, tmp_path):
    with Client(shell_team.live.url, token=shell_team.ada, project=SLUG) as client:
        found = client.runs(q="experiment = 'reading'", order="created", project=SLUG)
        assert {run["id"] for run in found} == {run["id"] for run in recorded.values()}
        run = client.run(recorded["first"]["id"])
        assert run["params"]["C"] == "1"
        assert client.curves(run["id"])[run["id"]]["acc"]["values"] == [0.5]
        with pytest.raises(NotFound, match="Did you mean 'acc'"):
            client.curves(run["id"], ["ac"])
        got = client.fetch_file(run["id"], "roc.txt", tmp_path / "roc.txt")
        assert (got.size_bytes, (tmp_path / "roc.txt").read_text()) == (4000, "roc " * 1000)
        assert client.download(tmp_path / "all.jsonl", q="experiment = 'reading'").path == tmp_path / "all.jsonl"
        with pytest.raises(NotFound) as told:
            client.run("SHE-99999")
        assert told.value.request_id


def test_on_a_terminal_of_80_columns(shell_team, recorded, settings_folder):
    """A real process with a terminal: a table that fits, no sign of another's that moves the cursor."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "cli"), "COLUMNS": "80", "TERM": "xterm", "NO_COLOR": "1"}
    environment |= {"MLED_URL": shell_team.live.url, "MLED_TOKEN": shell_team.ada, "MLED_PROJECT": SLUG}
    mine, theirs = pty.openpty()
    asked = [sys.executable, "-m", "mled", "runs", "--experiment", "reading"]
    done = subprocess.Popen(asked, stdin=theirs, stdout=theirs, stderr=theirs, env=environment, cwd=Path("/"))
    os.close(theirs)
    shown = b""
    while True:
        try:
            shown += os.read(mine, 4096)
        except OSError:  # the other side is gone
            break
    os.close(mine)
    assert done.wait(30) == 0
    lines = re.sub(r"\x1b\[[01]m", "", shown.decode()).replace("\r\n", "\n").splitlines()
    assert max(len(line) for line in lines) <= 80, lines
    assert lines[1].split()[:3] == [recorded["third"]["readable_id"], "third", "FINISHED"]
    assert "\\x1b[31m" in shown.decode()
    assert "\x1b[31m" not in shown.decode()
