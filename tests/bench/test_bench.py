"""The bench measures a live server, compares fairly, and says when a target is missed."""

import json
import time
from pathlib import Path

import pytest

from bench import limits, load, report
from bench.connection import Connection, NotServed, Server
from bench.figures import FIGURES
from bench.run import Contender, measure, parse
from bench.work import WORK
from bench.writing import Size

TINY = Size(seconds=0.1, runs=24, points=2_000, many_points=3_000, files=3, mebibytes=1)
ONLY_WHEN_STARTED = {"memory.idle", "memory.processes", "start.new", "start.again", "bytes.point", "bytes.run"}


@pytest.fixture(scope="module")
def server(live_mled) -> Server:
    live_mled.create_user("bench@example.org")
    live_mled.create_project("bench")
    live_mled.add_member("bench", "bench@example.org", "data_scientist")
    token = live_mled.issue_token("bench@example.org", project="bench")
    return Server("MLED", live_mled.tracking_uri("bench"), token)


def test_every_figure_is_measured(server: Server) -> None:
    contender = Contender(server)
    for work in WORK:
        measure([contender], work, TINY, times=2)
    assert set(contender.values) == set(FIGURES) - ONLY_WHEN_STARTED
    assert all(len(values) == 2 and min(values) > 0 for values in contender.values.values())


def test_an_answer_that_is_no_success_stops_the_measurement(server: Server) -> None:
    def call_nobody(connection: Connection, number: int) -> load.Call:
        return lambda n: connection.post("runs/log-metric", run_id="0" * 32, key="m", value=1, timestamp=1)

    with pytest.raises((RuntimeError, NotServed), match="404"):
        load.run_load(server, call_nobody, seconds=0.1)


def test_clients_work_at_the_same_time(server: Server) -> None:
    def sleeper(connection: Connection, number: int) -> load.Call:
        return lambda n: time.sleep(0.02)

    done = load.run_load(server, sleeper, clients=4, seconds=0.4)
    assert 60 < done.per_second < 201
    assert 19 < done.percentile_ms(50) < 60


@pytest.mark.parametrize(
    ("figure", "ours", "peers", "ratio", "reached"),
    [
        ("log_metric.c1", 800.0, 200.0, 4.0, True),
        ("log_metric.c1", 700.0, 200.0, 3.5, False),
        ("search.plain.p50", 5.0, 50.0, 10.0, True),
        ("search.plain.p50", 10.0, 50.0, 5.0, False),
        ("memory.idle", 300.0, 2400.0, 8.0, True),
        ("memory.idle", 400.0, 2400.0, 6.0, False),
        ("memory.processes", 7.0, 14.0, 2.0, None),
    ],
)
def test_a_ratio_above_one_is_better_whatever_the_unit(
    figure: str, ours: float, peers: float, ratio: float, reached: bool | None
) -> None:
    assert FIGURES[figure].ratio(ours, peers) == ratio
    assert FIGURES[figure].is_met(ours, peers) is reached


def test_the_table_has_a_line_for_each_figure_with_medians_and_how_far_the_rest_lies_from_them() -> None:
    text = report.table(
        {"log_metric.c1": [1000.0, 1234.5, 1300.0], "history.whole": [0.05]}, {"log_metric.c1": [200.0]},
        {"log_metric.c1": 9000},
    )  # fmt: skip
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()]
    assert lines[2] == ["log-metric, 1 client", "/s", "1,234", "19%", "200", "", "6.17x", "4x", "yes", "9,000"]
    assert lines[3] == ["whole history of 100,000 points", "s", "0.05", "", "", "", "", "30x", "", ""]
    assert len(lines) == 4


def test_a_kept_result_is_what_a_later_one_is_compared_with(tmp_path: Path) -> None:
    path = report.keep(tmp_path, "sqlite", TINY, {"log_metric.c1": [2.0]}, {}, {})
    text = report.table({"log_metric.c1": [3.0]}, report.kept(path), {}, beside="before")
    assert "| before |" in text
    assert "| 1.5x " in text
    path.write_text("{}")
    with pytest.raises(RuntimeError, match="no kept result"):
        report.kept(path)


def test_work_that_there_is_not_is_refused_with_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse(["--start", "--only", "log_metrics"])
    assert "there is no 'log_metrics'; there is create_run, log_metric" in capsys.readouterr().err


def test_the_limit_of_the_database_is_measured(tmp_path: Path) -> None:
    found = limits.sqlite_limits(tmp_path, TINY)
    assert set(found) == {"log_metric.c1", "log_batch.1000.c1", "bytes.point", "artifact.up", "artifact.down"}
    assert found["log_batch.1000.c1"] > found["log_metric.c1"] > 0
    assert list(tmp_path.iterdir()) == []


def test_what_was_measured_can_be_kept(tmp_path: Path) -> None:
    path = report.keep(tmp_path, "sqlite", TINY, {"log_metric.c1": [2.0]}, {}, {})
    kept = json.loads(path.read_text())
    assert kept["mled"] == {"log_metric.c1": [2.0]}
    assert kept["size"]["points"] == 2_000
    assert kept["machine"]["cores"] >= 1
