"""The picture of cost against size."""

import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from bench.chart import main

pytestmark = pytest.mark.once
KEPT = {
    "title": "Search",
    "unit": "runs",
    "machine": "two cores",
    "measured": {
        "SQLite": {"first page": {"1000": 4.0, "10000": 4.4}, "a < b & c": {"1000": 5.0, "10000": 500.0}},
        "PostgreSQL": {"first page": {"1000": 6.0, "1000000": 6.5}},
    },
}


def test_each_database_is_a_panel_with_a_line_and_a_name_for_each_work(tmp_path: Path) -> None:
    kept, drawn = tmp_path / "kept.json", tmp_path / "growth.svg"
    kept.write_text(json.dumps(KEPT))
    assert main([str(kept), str(drawn)]) == 0
    picture = ElementTree.parse(drawn).getroot()  # noqa: S314 - our own
    lines = [one.get("points", "").split() for one in picture.iter() if one.tag.endswith("polyline")]
    words = [one.text for one in picture.iter() if one.tag.endswith("text")]
    assert [len(line) for line in lines] == [2, 2, 2]
    assert {"Search, SQLite", "Search, PostgreSQL", "a < b & c", "1M", "two cores"} <= set(words)
    ends = {name: [float(line[at].split(",")[1]) for at in (0, -1)] for name, line in zip("abc", lines, strict=True)}
    assert ends["b"][1] < ends["a"][1]  # dearer is higher
    assert lines[0][0].split(",")[0] == lines[2][0].split(",")[0]  # the same size stands at the same place
