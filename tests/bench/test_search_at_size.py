"""The bench of searches at size asks every shape of filled databases and tells how much each grows."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.search_at_size import Cost, kept, main, table
from tests.services.processes import ROOT


@pytest.mark.once
def test_shapes_are_asked_at_each_size(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("DJANGO_SETTINGS_MODULE", raising=False)  # that of tests
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MLED_", "DATABASE_"))}
    for runs in ("20", "40"):
        fill = [sys.executable, "bench/fill.py", "--runs", runs, "--data", str(tmp_path / runs)]
        subprocess.run(fill, cwd=ROOT, env=environment, check=True, capture_output=True)
    places = [part for runs in ("20", "40") for part in ("--at", f"{runs}={tmp_path / runs}")]
    saved = tmp_path / "growth.json"
    asked = ["--only", "newest first,count of all,page of the table", "--rounds", "1", "--repeats", "1"]
    assert main([*places, *asked, "--save", str(saved)]) == 0
    told = capsys.readouterr().out
    assert "| newest first, all projects |" in told
    assert "| count of all |" in told
    drawn = json.loads(saved.read_text())["measured"]["SQLite"]
    assert set(drawn["page of the table"]) == {"20", "40"}
    assert min(drawn["page of the table"].values()) > 0


def test_growth_is_told_where_something_is_asked_of_it():
    slow, stopped = Cost([30.0, 31.0, 32.0]), Cost(error="TakesTooLong: …")
    costs = {"newest first": {"SQLite": {10: Cost([10.0]), 20: slow}}, "NOT": {"SQLite": {10: slow, 20: stopped}}}
    lines = table(costs, "SQLite").splitlines()
    assert lines[2] == "| newest first | 10.0 ±0.0 | 31.0 ±1.0 | 3.1x | 1.5x |"
    assert lines[3] == "| NOT | 31.0 ±1.0 | stopped |  |  |"
    assert kept(costs, ["NOT", "newest first"])["measured"]["SQLite"]["NOT"] == {"10": 31.0}
