"""Curves of many runs over one another: what the page offers, and what its data hold."""

import csv
import io
import json
import math
import struct
from urllib.parse import parse_qsl, urlsplit

import numpy as np
import pytest

from experiments.actions.batches import log_batch
from experiments.metrics.batch import Batch, MetricPoint
from tests.factories import STARTED_MS, a_batch, a_person, a_run, a_team, events_since
from tests.pages.conftest import Browser
from tests.pages.test_run_table import queries_of


def a_trained_run(team, lr="0.1", values=(3.0, 2.0, 1.0), key="loss"):
    run = a_run(team.scientist)
    points = [MetricPoint(key, value, STARTED_MS + 1_000 * step, step=step) for step, value in enumerate(values)]
    log_batch(team.scientist, run, batch=Batch(metrics=points, params={"lr": lr}))
    return run


def blocks(content: bytes):
    """The blocks of the binary form: dicts with their columns as arrays."""
    assert content[:4] == b"MLM2"
    (count,) = struct.unpack_from("<I", content, 4)
    at, found = 8, []
    for _ in range(count):
        kind, place, n, thinned, total, odd = struct.unpack_from("<IIIIdd", content, at)
        width = 5 if kind == 1 else 2
        columns = np.frombuffer(content, "<f8", n * width, at + 32).reshape(width, n)
        if kind == 2:
            found[-1]["means"] = columns
        else:
            found.append(
                {"kind": kind, "place": place, "thinned": thinned, "total": total, "odd": odd, "columns": columns}
            )
        at += 32 + 8 * n * width
    (length,) = struct.unpack_from("<I", content, at)
    assert at + 4 + length == len(content)
    return found


def data(who, runs, **query):
    answer = Browser(who).client.get("/charts/data.bin", {"runs": ",".join(r.readable_id for r in runs), **query})
    assert answer.status_code == 200, answer.content[:200]
    return blocks(answer.content)


def shown(team, who, **query):
    """The runs of the project as charts."""
    return who.get(f"/p/{team.project.slug}/runs/", view="charts", **query)


def test_the_page_draws_the_newest_runs_that_match_with_a_section_for_each_prefix(team, ada):
    first, second = a_trained_run(team), a_trained_run(team, key="val/loss")
    page = shown(team, ada)
    assert all(f'data-ref="{run.readable_id}"' in page.source for run in (first, second))
    assert [prefix for prefix, _ in page.response.context["sections"]] == ["val/", "Metrics"]
    found = shown(team, ada, q=f"run_id = '{first.uid.hex}'")
    assert second.readable_id not in found.text


def test_each_curve_has_its_points_at_its_place(team):
    runs = [a_trained_run(team, values=(3, 2, 1)), a_trained_run(team, values=(9, 8))]
    first, second = data(team.scientist, runs, key="loss")
    assert (first["place"], second["place"]) == (0, 1)
    assert first["columns"].tolist() == [[0, 1, 2], [3, 2, 1]]
    assert second["columns"].tolist() == [[0, 1], [9, 8]]


def test_a_run_without_the_metric_is_left_out(team):
    runs = [a_run(team.scientist), a_trained_run(team)]
    [only] = data(team.scientist, runs, key="loss")
    assert only["place"] == 1


def test_time_is_in_milliseconds_and_relative_time_begins_at_nought(team):
    run = a_trained_run(team)
    [by_time] = data(team.scientist, [run], key="loss", x="time")
    [relative] = data(team.scientist, [run], key="loss", x="relative")
    assert by_time["columns"][0].tolist() == [STARTED_MS, STARTED_MS + 1_000, STARTED_MS + 2_000]
    assert relative["columns"][0].tolist() == [0, 1_000, 2_000]


def test_a_window_reads_again_what_lies_in_it(team):
    run = a_trained_run(team, values=range(900))
    [whole] = data(team.scientist, [run], key="loss", buckets=10)
    [part] = data(team.scientist, [run], key="loss", buckets=10, **{"from": 100, "to": 110})
    assert whole["thinned"] == 1
    assert whole["total"] == 900
    assert part["columns"][0].tolist() == list(range(100, 111))


def test_groups_are_drawn_as_numpy_would_reckon_them(team):
    runs = [
        a_trained_run(team, "0.1", (1.0, 2.0)),
        a_trained_run(team, "0.1", (3.0, 6.0)),
        a_trained_run(team, "0.2", (5.0,)),
    ]
    narrow, wide = data(team.scientist, runs, key="loss", group="params.lr", spread="std")
    assert narrow["kind"] == 1
    x, middle, low, high, n = narrow["columns"]
    assert x.tolist() == [0, 1]
    assert middle.tolist() == [2, 4]
    assert np.allclose(high - middle, np.std([[1, 2], [3, 6]], axis=0, ddof=1))
    assert np.allclose(middle - low, high - middle)
    assert n.tolist() == [2, 2]
    assert wide["columns"][4].tolist() == [1]


def test_runs_without_the_field_form_a_group_of_their_own_at_the_end(team, ada):
    a_trained_run(team, "10")
    a_trained_run(team, "9")
    plain = a_run(team.scientist)
    log_batch(team.scientist, plain, batch=a_batch(loss=[2.0, 1.0]))
    lines = shown(team, ada, group="params.lr").response.context["lines"]
    assert [(line.name, line.words) for line in lines] == [("9", "1 run"), ("10", "1 run"), ("none", "1 run")]


def test_hiding_a_run_is_no_part_of_the_data_so_that_no_mean_changes(team, ada):
    a_trained_run(team)
    page = shown(team, ada, off="whatever", hide="A-1", group="params.lr")
    assert "off" not in page.response.context["model"]["data"]
    assert "hide" not in page.response.context["model"]["data"]


def test_nan_and_infinity_are_sent_and_counted(team):
    run = a_trained_run(team, values=(1.0, float("nan"), float("inf")))
    [curve] = data(team.scientist, [run], key="loss")
    assert curve["odd"] == 2
    assert np.isnan(curve["columns"][1][1])


def test_no_two_of_twelve_shown_runs_share_a_colour(team, ada):
    for _ in range(12):
        a_trained_run(team)
    lines = shown(team, ada, count=20).response.context["lines"]
    assert len({line.slot for line in lines}) == 12


def test_the_csv_holds_what_the_chart_shows(team, ada):
    run = a_trained_run(team)
    answer = ada.client.get("/charts/data.csv", {"runs": run.readable_id, "key": "loss"})
    rows = list(csv.reader(io.StringIO(answer.content.decode())))
    assert rows == [["run", "x", "value"], *[[run.readable_id, str(float(s)), str(3.0 - s)] for s in range(3)]]


def test_a_wrong_query_is_shown_where_it_is_wrong(team, ada):
    page = shown(team, ada, q="metrics.loss <")
    assert 'aria-invalid="true"' in page.source


@pytest.mark.parametrize(("name", "value"), [("buckets", "0"), ("buckets", "x"), ("buckets", "1e9"), ("from", "nan")])
def test_a_window_or_bucket_count_that_is_none_is_a_clear_mistake(team, name, value):
    run = a_trained_run(team)
    query = {"runs": run.readable_id, "key": "loss", "from": "0", "to": "1", name: value}
    assert Browser(team.scientist).client.get("/charts/data.bin", query).status_code == 400


def test_an_empty_project_says_what_draws_a_curve(team, ada):
    assert "No run yet" in shown(team, ada)
    assert "MLFLOW_TRACKING_URI" in shown(team, ada)
    a_run(team.scientist)
    assert "Nothing fits this question" in shown(team, ada, q="params.lr = 'none'")
    assert "No curve among these runs" in shown(team, ada)


def test_strangers_and_other_teams_get_no_page_and_no_data(team):
    run = a_trained_run(team)
    for who in (a_person(), a_team().scientist):
        Browser(who).get(f"/p/{team.project.slug}/charts/", expecting=404)
        Browser(who).get("/charts/data.bin", expecting=404, runs=run.readable_id, key="loss")
        Browser(who).get("/charts/data.csv", expecting=404, runs=run.uid.hex, key="loss")
        Browser(who).get("/compare/curves/", expecting=404, runs=run.uid.hex)


def test_data_of_many_runs_take_as_many_queries_as_of_two(team):
    runs = [a_trained_run(team) for _ in range(8)]
    client = Browser(team.scientist)

    def asked(of):
        refs = ",".join(run.readable_id for run in of)
        return queries_of(lambda: client.client.get("/charts/data.bin", {"runs": refs, "key": "loss"}))

    asked(runs[:1])
    assert asked(runs[:2]) == asked(runs)


def test_compared_runs_have_their_curves_on_a_tab(team, ada):
    runs = [a_trained_run(team), a_trained_run(team)]
    refs = ",".join(run.readable_id for run in runs)
    page = ada.get(ada.get("/compare/", runs=refs).links("/compare/curves/")[0])
    assert "Compare 2 runs" in page
    assert 'data-metric="loss"' in page.source


def test_the_address_that_charts_had_leads_to_the_view_with_its_question(team, ada):
    answer = ada.client.get(f"/p/{team.project.slug}/charts/?q=metrics.loss+%3C+1&group=params.lr&x=time")
    assert answer.status_code == 302
    assert answer["Location"] == f"/p/{team.project.slug}/runs/?q=metrics.loss+%3C+1&group=params.lr&x=time&view=charts"


def log_points(team, run, key, points):
    """Points as (step, value)."""
    metrics = [MetricPoint(key, value, STARTED_MS + 1_000 * step, step=step) for step, value in points]
    log_batch(team.scientist, run, batch=Batch(metrics=metrics))


def test_another_metric_is_the_x_axis_joined_by_step_as_numpy_would(team):
    random = np.random.default_rng(3)
    steps, values = np.arange(60), random.normal(size=60)
    run = a_run(team.scientist)
    log_points(team, run, "loss", zip(steps.tolist(), values.tolist(), strict=True))
    epochs = {int(step): float(step // 7) for step in steps if step % 3}
    log_points(team, run, "epoch", [*epochs.items(), (4, math.nan)])
    log_batch(  # of one step, the value logged last counts
        team.scientist, run, batch=Batch(metrics=[MetricPoint("epoch", 99.0, STARTED_MS + 90_000, step=8)])
    )
    epochs |= {8: 99.0}
    del epochs[4]  # its last value is none
    [curve] = data(team.scientist, [run], key="loss", x="metrics.epoch")
    there = np.array([int(step) in epochs for step in steps])
    order = np.argsort([epochs[int(step)] for step in steps[there]], kind="stable")
    assert curve["columns"][0].tolist() == [epochs[int(step)] for step in steps[there][order]]
    assert curve["columns"][1].tolist() == values[there][order].tolist()
    assert told(team.scientist, [run], key="loss", x="metrics.epoch")["left_out"] == 60 - int(there.sum())
    [part] = data(team.scientist, [run], key="loss", x="metrics.epoch", **{"from": 2, "to": 3})
    assert set(part["columns"][0]) == {2.0, 3.0}


def test_a_run_without_the_metric_of_the_axis_draws_nothing_and_says_how_much_is_left_out(team):
    run = a_trained_run(team)
    [curve] = data(team.scientist, [run], key="loss", x="metrics.epoch")
    assert curve["columns"].shape == (2, 0)
    assert told(team.scientist, [run], key="loss", x="metrics.epoch")["left_out"] == 3


def told(who, runs, **query):
    """The words at the end of the binary form."""
    answer = Browser(who).client.get("/charts/data.bin", {"runs": ",".join(r.readable_id for r in runs), **query})
    at = answer.content.rindex(b'{"groups"')
    return json.loads(answer.content[at:])


def test_epoch_is_an_axis_where_it_is_a_metric(team, ada):
    run = a_trained_run(team)
    axes = [value for value, _ in shown(team, ada).response.context["look"].axes]
    assert axes == ["step", "relative", "time"]
    log_points(team, run, "train/epoch", [(0, 0.0), (1, 1.0)])
    look = shown(team, ada, x="metrics.loss").response.context["look"]
    assert [label for _, label in look.axes] == ["Step", "Epoch", "Relative", "Wall", "loss"]
    assert look.x == "metrics.loss"


def test_groups_of_several_fields_and_every_run_of_them(team):
    runs = [a_trained_run(team, lr, values) for lr, values in (("1", (1.0, 2.0)), ("1", (3.0, 4.0)), ("2", (5.0, 6.0)))]
    found = data(team.scientist, runs, key="loss", group=["params.lr", "status"], spread="members")
    assert [(block["kind"], block["place"]) for block in found] == [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1)]
    assert found[3]["columns"][1].tolist() == [2, 3]
    said = told(team.scientist, runs, key="loss", group=["params.lr", "status"], spread="members")
    assert said["groups"] == [{"name": "1, Running", "runs": [0, 1]}, {"name": "2, Running", "runs": [2]}]


def test_groups_whose_names_are_cut_alike_stay_apart(team):
    runs = [a_trained_run(team, "x" * 200 + end, (1.0, 2.0)) for end in ("a", "b")]
    log_batch(team.scientist, runs[0], batch=a_batch(params={"data": "one"}))
    log_batch(team.scientist, runs[1], batch=a_batch(params={"data": "two"}))
    said = told(team.scientist, runs, key="loss", group=["params.lr", "params.data"])
    assert [group["runs"] for group in said["groups"]] == [[0], [1]]
    assert said["groups"][1]["name"].endswith(" (2)")


def test_a_thinned_curve_brings_the_means_of_its_spans(team):
    values = np.sin(np.arange(900) / 40)
    run = a_trained_run(team, values=values.tolist())
    [curve] = data(team.scientist, [run], key="loss", buckets=9)
    x, y = curve["means"]
    spans = np.minimum(np.arange(900) / 899 * 9, 8).astype(int)
    assert x.tolist() == pytest.approx([np.arange(900)[spans == span].mean() for span in range(9)])
    assert y.tolist() == pytest.approx([values[spans == span].mean() for span in range(9)])
    [whole] = data(team.scientist, [run], key="loss", buckets=225)
    assert "means" not in whole


def test_with_many_metrics_the_reader_picks_and_nothing_is_drawn_before(team, ada, monkeypatch):
    monkeypatch.setattr("experiments.pages.charts.BY_HAND_FROM", 2)
    run = a_trained_run(team)
    for key in ("val/a", "val/b"):
        log_points(team, run, key, [(0, 1.0), (1, 2.0)])
    page = shown(team, ada)
    assert page.response.context["sections"] == []
    assert 'id="metric-choice" open' in page.source
    picked = shown(team, ada, metric=["val/b", "nonsense"])
    assert picked.response.context["sections"] == [("val/", [("val/b", "")])]
    assert 'value="val/b" checked' in picked.source


def test_panels_and_looks_stay_in_every_link_and_in_kept_views(team, ada):
    a_trained_run(team)
    panel = "line;metrics=loss;group=params.lr;spread=ci95;w=2"
    page = shown(team, ada, panel=panel, set="chart;title=loss;logy=1", tip="params.lr", x="time", q="metrics.loss > 0")
    table = dict(parse_qsl(urlsplit(page.response.context["shown_as"][0][2]).query))
    assert (table["panel"], table["set"], table["x"], table["tip"]) == (
        panel,
        "chart;title=loss;logy=1",
        "time",
        "params.lr",
    )
    kept = dict(parse_qsl(page.response.context["views"].query))
    assert (kept["panel"], kept["view"], kept["set"]) == (panel, "charts", "chart;title=loss;logy=1")


def test_the_list_says_the_result_and_what_is_hidden(team, ada):
    first, second = a_trained_run(team, values=(3.0, 1.0)), a_trained_run(team, values=(2.0, 0.5))
    lines = shown(team, ada, hide=first.readable_id).response.context["lines"]
    assert {(line.ref, line.words, line.is_drawn) for line in lines} == {
        (second.readable_id, "0.5000", True),
        (first.readable_id, "1", False),
    }


def test_the_figures_of_what_matters_are_read_without_a_record(team, ada):
    for number in range(4):
        a_trained_run(team, lr=str(number), values=(9.0, float(number)))
    address = f"/p/{team.project.slug}/what-matters/figures.json"
    made = events_since(lambda: ada.client.get(address, {"result": "loss", "figure": "last"}))
    told = json.loads(ada.client.get(address, {"result": "loss", "figure": "last"}).content)
    assert list(made) == []
    assert told["n"] == 4
    assert [(one["name"], one["n"], round(one["spearman"], 6)) for one in told["relations"]] == [("lr", 4, 1.0)]
    assert ada.client.get(address).status_code == 400
    assert ada.client.get(address, {"result": "loss", "q": "nonsense <"}).status_code == 400
    assert Browser(a_person()).client.get(address, {"result": "loss"}).status_code == 404


def test_numbers_that_are_shown_leave_only_on_record(team, ada):
    runs = [a_trained_run(team), a_trained_run(team)]
    refs = ",".join(run.readable_id for run in runs)
    asked = {"runs": refs, "what": "val/loss by lr"}
    [event] = events_since(lambda: ada.client.post("/charts/noted/", asked))
    assert event.reason == f"Exported what is shown of val/loss by lr of 2 runs as CSV: {', '.join(refs.split(','))}"
    assert ada.client.post("/charts/noted/", {"runs": "", "what": "x"}).status_code == 400
    assert ada.client.post("/charts/noted/", {"runs": refs, "what": ""}).status_code == 400
    assert Browser(a_person()).client.post("/charts/noted/", {"runs": refs, "what": "x"}).status_code == 404
    assert ada.client.get("/charts/noted/").status_code == 405
