"""Metrics over REST: figures, histories and curves, as JSON and CSV, every float as it was logged."""

import csv
import io
import math

import numpy as np
import pytest

from audit.ledger.models import AuditEvent
from experiments.actions.batches import log_batch
from experiments.actions.experiments import set_metric_direction
from experiments.metrics.batch import Batch, MetricPoint, Points
from experiments.metrics.downsample import picked
from experiments.rest.tables import streamed
from tests import world
from tests.factories import events
from tests.rest.reaching import reached_from
from tests.rest.test_door import VIEWS

ODD = [0.1, 1 / 3, math.nan, math.inf, -math.inf, 5e-324, -0.0]


def logged(actor, run, key, values):
    log_batch(actor, run, batch=Batch([MetricPoint(key, value, 100 + at, at) for at, value in enumerate(values)]))


def table(answer):
    assert answer["Content-Type"].startswith("text/csv")
    return list(csv.reader(io.StringIO(b"".join(answer).decode())))


def test_figures_tell_the_best_where_the_project_says_which_way(api, ada, vision, run):
    logged(ada, run, "loss", [0.5, 0.1, 0.3])
    logged(ada, run, "acc", [0.5, 0.9])
    set_metric_direction(ada, vision, key="loss", higher_is_better=False)
    acc, loss = api("mia").get("runs/VIS-1/metrics/")
    assert (loss["key"], loss["last_value"], loss["best_value"], loss["best_step"]) == ("loss", 0.3, 0.1, 1)
    assert (acc["higher_is_better"], acc["best_value"], acc["max_value"], acc["first_step"]) == (None, None, 0.9, 0)
    one = api("ada").post("runs/VIS-1/metrics/", {"key": "loss", "value": 0.05, "step": 9})
    assert (one["last_value"], one["best_value"], one["last_step"]) == (0.05, 0.05, 9)


def test_a_history_as_csv_has_every_point_with_all_its_digits(api, ada, run):
    logged(ada, run, "odd", ODD)
    for asked in ({"format": "csv"}, {}):
        headers = {} if asked else {"accept": "text/csv"}
        rows = table(
            api("ada").client.get("/api/v1/runs/VIS-1/metric-history/", {"key": "odd", **asked}, headers=headers)
        )
        assert rows[0] == ["step", "time_ms", "value"]
        values = [float(row[2]) for row in rows[1:]]
        assert [repr(value) for value in values] == [repr(value) for value in ODD]
    api("ada").get("runs/VIS-1/metric-history/", expecting=400, key="odd", format="xml")


def test_curves_of_many_runs_and_metrics_come_as_columns_or_csv(api, ada, run):
    other = world.run(ada, run.experiment, name="other")
    logged(ada, run, "a", ODD)
    logged(ada, run, "b", [1.0, 2.0])
    logged(ada, run, "system/cpu", [1.0, 2.0])
    logged(ada, other, "a", [3.0])
    found = api("ada").get("curves/", run=["VIS-1", other.uid.hex], key=["a", "b"])["curves"]
    assert [(one["readable_id"], one["key"], one["total"]) for one in found] == [
        ("VIS-1", "a", 7), ("VIS-1", "b", 2), ("VIS-2", "a", 1)]  # fmt: skip
    assert found[0]["values"] == [0.1, 1 / 3, "NaN", "Infinity", "-Infinity", 5e-324, -0.0]
    assert (found[1]["steps"], found[1]["times_ms"]) == ([0, 1], [100, 101])
    alone = api("ada").get("runs/VIS-1/curves/")["curves"]
    assert [one["key"] for one in alone] == ["a", "b"]
    rows = table(api("ada").client.get("/api/v1/curves/?run=VIS-1,VIS-2&key=a&key=b&format=csv"))
    assert rows[0] == ["run", "metric", "step", "time_ms", "value"]
    assert len(rows) == 1 + 7 + 2 + 1
    assert [repr(float(row[4])) for row in rows[1:8]] == [repr(value) for value in ODD]
    event = AuditEvent.objects.filter(verb="experiments.note_export_of").get()
    assert event.project_id == run.project_id


@pytest.mark.parametrize(
    ("who", "asked", "status"),
    [
        ("eve", {"run": "VIS-1"}, 404),
        ("ada", {"run": "VIS-99"}, 404),
        ("ada", {}, 400),
        ("ada", {"run": "VIS-1", "points": 3}, 400),
        ("ada", {"run": "VIS-1", "points": 10**6}, 400),
        ("ada", {"run": "VIS-1", "x": "walltime"}, 400),
        ("ada", {"run": "VIS-1", "format": "xml"}, 400),
        ("ada", {"run": ",".join(f"VIS-{n}" for n in range(1, 102))}, 400),
    ],
)
def test_curves_that_make_no_sense_are_told(api, run, who, asked, status):
    assert api(who).get("curves/", expecting=status, **asked)["title"]


def test_a_thinned_curve_keeps_its_extremes(api, ada, run):
    values = [math.sin(at / 50) for at in range(900)]
    values[333], values[777] = 40.0, -40.0
    logged(ada, run, "wave", values)
    (one,) = api("ada").get("runs/VIS-1/curves/", key="wave", points=100)["curves"]
    assert one["total"] == 900
    assert len(one["values"]) <= 100
    assert {40.0, -40.0} <= set(one["values"])
    assert (one["steps"][0], one["steps"][-1]) == (0, 899)
    assert one["values"] == [values[step] for step in one["steps"]]


@pytest.mark.once
def test_picked_points_are_points_that_were_logged_in_order_of_x():
    rng = np.random.default_rng(5)
    steps = rng.permutation(5000).astype(np.int64)
    values = rng.normal(size=5000)
    values[::100] = np.nan
    points = Points(steps, np.arange(5000, dtype=np.int64), values)
    known = dict(zip(steps.tolist(), values.tolist(), strict=True))
    for most in (4, 17, 400, 5000):
        kept = picked(points, most)
        finite = kept.values[np.isfinite(kept.values)]
        assert len(finite) <= most
        assert (np.diff(kept.steps) > 0).all()
        assert repr([known[step] for step in kept.steps.tolist()]) == repr(kept.values.tolist())
        assert {np.nanmin(values), np.nanmax(values)} <= set(finite.tolist())
    assert len(picked(points, 10_000)) == 5000
    by_time = picked(points, 100, by_time=True)
    assert (np.diff(by_time.times) > 0).all()
    assert len(picked(Points.none(), 10)) == 0


def test_a_curve_taken_out_as_csv_is_on_record(api, ada, run):
    logged(ada, run, "odd", ODD)
    api("mia").get("runs/VIS-1/metric-history/", key="odd")
    assert not events(verb="experiments.note_export_of")
    table(api("mia").client.get("/api/v1/runs/VIS-1/metric-history/", {"key": "odd", "format": "csv"}))
    (event,) = events(verb="experiments.note_export_of")
    assert event.reason == "Exported the metric 'odd' of run as CSV: VIS-1"


@pytest.mark.once
def test_every_table_that_is_given_out_as_a_file_leaves_an_event():
    views = [view for _, view in VIEWS if "GET" in view.needs and hasattr(view, "get")]
    reached = {view.__name__: reached_from(view, "get") for view in views}
    giving = {name: {one.__name__ for one in found} for name, found in reached.items() if streamed in found}
    assert {"MetricHistory", "Curves", "Compare", "WhatMatters"} <= set(giving)
    assert [name for name, names in giving.items() if not any(one.startswith("note_") for one in names)] == []
