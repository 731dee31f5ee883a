"""Curves as bytes: the layout that static/src/charts/payload.ts reads."""

import math
import struct

import numpy as np
import pytest

from experiments.actions.batches import log_batch
from experiments.metrics.batch import Batch
from experiments.models import Run
from tests.factories import STARTED_MS, Team, a_run, points
from tests.pages.conftest import Browser


class Payload:
    """A curve read as a browser reads it."""

    def __init__(self, raw: bytes) -> None:
        self.magic, self.n, self.total, self.odd, self.thinned, _ = struct.unpack_from("<4sIdIId", raw)
        self.x = np.frombuffer(raw, "<f8", self.n, 32)
        self.y = np.frombuffer(raw, "<f8", self.n, 32 + 8 * self.n)
        assert len(raw) == 32 + 16 * self.n


def curve(browser: Browser, run: Run, **asked: object) -> Payload:
    page = browser.client.get(f"/r/{run.uid.hex}/curves.bin", asked)
    assert page.status_code == 200, page.content[:300]
    assert page["Content-Type"] == "application/octet-stream"
    return Payload(page.content)


@pytest.fixture
def spiky(team: Team) -> Run:
    """10,000 points of a flat curve with one spike and one NaN."""
    run = a_run(team.scientist)
    values = [0.5] * 10_000
    values[7_777], values[5_000] = 99.0, math.nan
    for start in range(0, 10_000, 1000):
        part = points("loss", values[start : start + 1000], step=start, at_ms=STARTED_MS + 1000 * start)
        log_batch(team.scientist, run, batch=Batch(metrics=part))
    return run


def test_a_short_curve_comes_whole(ada: Browser, trained: Run):
    came = curve(ada, trained, key="val/loss")
    assert came.magic == b"MLC1"
    assert came.x.tolist() == [0, 1, 2]
    assert came.y.tolist() == [0.9, 0.5, 0.25]
    assert (came.total, came.odd, came.thinned) == (3, 0, 0)


def test_time_comes_in_milliseconds(ada: Browser, trained: Run):
    assert curve(ada, trained, key="val/loss", x="time").x.tolist() == [
        STARTED_MS,
        STARTED_MS + 1000,
        STARTED_MS + 2000,
    ]


def test_a_long_curve_is_thinned_and_hides_no_spike_and_no_gap(ada: Browser, spiky: Run):
    came = curve(ada, spiky, key="loss", buckets=50)
    assert came.n <= 4 * 50 + 50
    assert (came.total, came.odd, came.thinned) == (10_000, 1, 1)
    assert np.nanmax(came.y) == 99.0
    assert came.x[came.y == 99.0].tolist() == [7_777]
    assert came.x[np.isnan(came.y)].tolist() == [5_000]
    assert (came.x[0], came.x[-1]) == (0, 9_999)


def test_zooming_reads_the_window_again_in_full(ada: Browser, spiky: Run):
    came = curve(ada, spiky, key="loss", buckets=50, **{"from": 7_700, "to": 7_799.5})
    assert came.x.tolist() == list(range(7_700, 7_800))
    assert (came.total, came.thinned) == (100, 0)
    by_time = curve(ada, spiky, key="loss", x="time", **{"from": STARTED_MS, "to": STARTED_MS + 4000})
    assert by_time.total == 5


@pytest.mark.parametrize(
    "asked",
    [{"buckets": "many"}, {"buckets": 0}, {"buckets": 10**9}, {"from": "nan", "to": 3}, {"from": 1, "to": "inf"}],
)
def test_nonsense_is_refused_with_a_reason(ada: Browser, trained: Run, asked):
    ada.get(f"/r/{trained.uid.hex}/curves.bin", expecting=400, key="val/loss", **asked)


def test_a_metric_that_is_not_there_is_not_found(ada: Browser, trained: Run):
    assert "no metric" in ada.get(f"/r/{trained.uid.hex}/curves.bin", expecting=404, key="nonsense")


def test_every_point_comes_as_a_table(ada: Browser, trained: Run):
    page = ada.get(f"/r/{trained.uid.hex}/curves.csv", key="val/loss")
    assert page.source.splitlines() == [
        "step,time_ms,value",
        f"0,{STARTED_MS},0.9",
        f"1,{STARTED_MS + 1000},0.5",
        f"2,{STARTED_MS + 2000},0.25",
    ]
    assert "attachment" in page.response["Content-Disposition"]


def test_the_page_names_each_curve_in_words_and_its_prefix(ada: Browser, trained: Run):
    page = ada.get(f"/r/{trained.uid.hex}/curves/")
    assert "val/loss: last 0.2500 at step 2, lowest 0.2500, highest 0.9000" in page.source
    assert "train/ 1 chart" in page
    assert "val/ 1 chart" in page


def test_the_state_of_the_bar_is_in_the_address(ada: Browser, trained: Run):
    source = ada.get(f"/r/{trained.uid.hex}/curves/", x="time", log=1, smooth="0.9").source
    assert 'data-look="x=time" aria-pressed="true"' in source
    assert 'data-look="log=1" aria-pressed="true"' in source
    assert 'value="0.90"' in source
    assert 'data-look="x=step" aria-pressed="true"' in ada.get(f"/r/{trained.uid.hex}/curves/", smooth="x").source
