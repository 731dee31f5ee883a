"""The bench of pages fills a database, asks for every page and says when a target is missed."""

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from bench import pages
from bench.pages import Measured
from bench.visited import Visitor, addresses, curve_runs, experiment_ids
from tests.services.browser import chromium
from tests.services.fixtures import running_mled
from tests.services.live import LiveMled
from tests.services.processes import ROOT

RUNS = 40


@pytest.fixture(scope="module")
def server(
    databases: Any,
    collected_static: Path,
    tmp_path_factory: pytest.TempPathFactory,
    valkey_url: str,
    django_db_blocker: Any,
) -> Iterator[LiveMled]:
    """A server of its own: what the bench puts in has no events, and no other test's log should hold it."""
    place = tmp_path_factory.mktemp("bench")
    yield from running_mled(databases, collected_static, place, valkey_url, django_db_blocker)


@pytest.fixture(scope="module")
def filled(server: LiveMled) -> LiveMled:
    """Few runs and short curves, put in as the bench does it, twice: the second time there is nothing to do."""
    short = "import bench.fill as f; f.begin(); f.WIDE_RUNS = 5; [f.fill({runs}, points=2_000) for _ in range(2)]"
    command = [sys.executable, "-c", short.format(runs=RUNS)]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **server.environment}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return server


@pytest.fixture(scope="module")
def visitor(filled: LiveMled) -> Visitor:
    return Visitor(filled.url)


def test_every_page_is_asked_for_and_measured(filled: LiveMled, visitor: Visitor, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(pages, "REPEATS", 1)
    found = {one.page: one for one in pages.measure(filled.url, [], RUNS)}
    assert set(found) == set(addresses(visitor))
    assert all(one.times[0] > 0 for one in found.values())
    assert found["table: 200 columns"].kilobytes > found["table: nothing"].kilobytes > 1
    assert found["table: first rows"].at_most == pages.FIRST_ROWS_MS


def test_the_data_is_what_the_pages_are_about(filled: LiveMled, visitor: Visitor):
    experiments = experiment_ids(visitor)
    assert set(experiments) >= {"sweep", "wide", "curves"}
    assert len(curve_runs(visitor, experiments["curves"])) == 20
    with filled.in_database():
        from experiments.models import MetricSeries, Run, RunInput

        made = Run.objects.filter(project__slug="bench").exclude(experiment__name="curves")
        assert made.count() == RUNS
        assert made.filter(parent=None).count() == RUNS // 10
        assert RunInput.objects.filter(run__in=made).count() == RUNS // 2
        assert MetricSeries.objects.filter(key="layer/199/norm", run__in=made).count() == 5
        assert max(made.values_list("number", flat=True)) < Run.objects.get(name="curve-00").number


@pytest.mark.skipif(chromium() is None, reason="Chromium is missing (apt install chromium)")
@pytest.mark.once
def test_the_browser_waits_until_rows_stand(filled: LiveMled):
    with ThreadPoolExecutor(1) as aside:  # where another test's browser has its loop, there is no second one
        name, times, kilobytes, at_most = aside.submit(lambda: next(pages.in_chromium(filled.url, repeats=1))).result()
    assert name == "Chromium: first rows"
    assert len(times) == 1
    assert times[0] > 0
    assert kilobytes > 1
    assert at_most == 1000


def test_a_target_that_is_missed_is_said():
    slow, quick, free = Measured("a", [300, 700, 900], 2, 500), Measured("b", [300], 2, 500), Measured("c", [1])
    assert slow.line == ["a", "700", "900", "2", "under 500 ms", "no"]
    assert quick.line[-1] == "yes"
    assert free.line[-2:] == ["", ""]
    assert pages.table([slow, free]).count("\n") == 3
