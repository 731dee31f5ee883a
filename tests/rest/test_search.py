"""Searches over REST: chosen columns, counts, groups, files of all that matches, the query line explained."""

import csv
import io
import json
import math

import pytest

from audit.ledger.models import AuditEvent
from experiments.actions.batches import log_batch
from experiments.actions.experiments import create_experiment, set_metric_direction
from experiments.metrics.batch import Batch, MetricPoint
from tests import world

ACCURACIES = [0.1, 1 / 3, 0.9, math.nan]


@pytest.fixture
def found(ada, vision, run):
    """Four runs in two experiments with odd figures, and another team's run that says the same."""
    other = create_experiment(ada, vision, name="other place")
    runs = [run, *(world.run(ada, other, name=f"=try {at}", started_ms=2000 + at) for at in range(3))]
    for at, (one, value) in enumerate(zip(runs, ACCURACIES, strict=True)):
        points = [MetricPoint("acc", 0.05, 1, 0), MetricPoint("acc", value, 2, 1)]
        log_batch(ada, one, batch=Batch(points, params=[("lr", f"1e-{at % 2}")], tags=[("team", "+red")]))
    return runs


def answered(api, asked, *, who="ada", expecting=200):
    return api(who).post("search/", asked, expecting=expecting)


def body_of(answer):
    assert answer.status_code == 200, answer.getvalue()
    return b"".join(answer) if answer.streaming else answer.content


def test_a_search_gives_the_chosen_columns_in_pages(api, ada, vision, found):
    set_metric_direction(ada, vision, key="acc", higher_is_better=True)
    asked = {"q": "metrics.acc > 0", "order": ["metrics.acc DESC"], "limit": 2,
             "columns": ["metrics.acc", "best(metrics.acc)", "params.lr", "experiment", "duration_ms"]}  # fmt: skip
    page = answered(api, asked)
    assert page["columns"] == ["run_id", "id", "name", "status", "experiment", "duration_ms", "metrics.acc",
                               "best(metrics.acc)", "params.lr"]  # fmt: skip
    assert [(row["id"], row["metrics.acc"], row["params.lr"]) for row in page["results"]] == [
        ("VIS-3", 0.9, "1e-0"), ("VIS-2", 1 / 3, "1e-1")]  # fmt: skip
    rest = answered(api, asked | {"cursor": page["next"]})
    assert ([row["id"] for row in rest["results"]], rest["next"]) == (["VIS-1"], None)
    by_place = answered(api, {"project": "vision", "experiment": ["0"]})
    (row,) = by_place["results"]
    assert (row["params"], row["tags"]["team"], row["metrics"]) == ({"lr": "1e-0"}, "+red", {"acc": 0.1})
    odd = answered(api, {"q": "id = 'VIS-4'"})
    assert odd["results"][0]["metrics"] == {"acc": "NaN"}


@pytest.mark.parametrize(
    ("who", "asked", "status", "field"),
    [
        ("eve", {"project": "vision"}, 404, ""),
        ("ada", {"q": "metrics.acc >>> 1"}, 400, "filter"),
        ("ada", {"order": ["metrics.acc SIDEWAYS"]}, 400, "order_by"),
        ("ada", {"columns": ["nothing"]}, 400, "columns"),
        ("ada", {"limit": 0}, 400, "limit"),
        ("ada", {"cursor": "garbage"}, 400, ""),
        ("ada", {"lifecycle": "gone"}, 400, "lifecycle"),
        ("ada", {"experiment": "0"}, 400, "experiment"),
    ],
)
def test_a_search_that_makes_no_sense_is_told_where(api, found, who, asked, status, field):
    told = answered(api, asked, who=who, expecting=status)
    assert told["title"]
    assert told.get("field", "") == field or not field, told


def test_another_team_finds_and_counts_nothing(api, found):
    assert answered(api, {"q": "metrics.acc > 0"}, who="eve")["results"] == []
    assert api("eve").get("search/count/", q="params.lr = '1e-0'") == {"number": 0, "at_least": False}
    assert api("eve").post("search/groups/", {"by": ["params.lr"]})["groups"] == []
    assert api("eve").get("search/complete/", q="params.")["items"] == []
    assert body_of(api("eve").client.get("/api/v1/search/export/?format=jsonl")) == b""
    api("eve").get("search/export/", expecting=404, project="vision", format="csv")
    assert not AuditEvent.objects.filter(verb="experiments.note_export").exists()


def test_runs_are_counted_and_grouped_with_statistics(api, found):
    assert api("ada").get("search/count/", project="vision", q="metrics.acc > 0.2")["number"] == 2
    asked = {
        "project": "vision",
        "by": ["params.lr"],
        "metrics": [{"metric": "acc"}, {"metric": "acc", "figure": "max"}],
    }
    groups = api("ada").post("search/groups/", asked)
    assert not groups["more"]
    by_value = {group["values"][0]: group for group in groups["groups"]}
    assert {value: group["n"] for value, group in by_value.items()} == {"1e-0": 2, "1e-1": 2}
    last = by_value["1e-0"]["metrics"][0]
    assert (last["n"], last["mean"], last["low"], last["high"]) == (2, 0.5, 0.1, 0.9)
    assert by_value["1e-1"]["metrics"][0] == {
        "metric": "acc", "figure": "last", "n": 1, "mean": 1 / 3, "deviation": None, "low": 1 / 3, "high": 1 / 3
    }  # fmt: skip
    assert api("ada").post("search/groups/", {"by": ["colour"]}, expecting=400)["field"] == "by"


def test_everything_that_matches_goes_out_as_a_file_and_on_record(api, ada, people, vision, found):
    mine = api("ada").client
    address = "/api/v1/search/export/?project=vision&q=metrics.acc IS NOT NULL&order=metrics.acc"
    whole = list(csv.DictReader(io.StringIO(body_of(mine.get(f"{address}&format=csv")).decode())))
    assert [row["id"] for row in whole] == ["VIS-1", "VIS-2", "VIS-3", "VIS-4"]
    assert [repr(float(row["metrics.acc"])) for row in whole] == [repr(value) for value in ACCURACIES]
    assert (whole[1]["name"], whole[1]["tags.team"]) == ("'=try 0", "'+red")  # no cell begins a formula
    lines = body_of(
        mine.get(f"{address}&columns=metrics.acc&columns=tags.team", headers={"accept": "application/jsonl"})
    )
    rows = [json.loads(line) for line in lines.decode().splitlines()]
    assert [row["metrics.acc"] for row in rows] == [0.1, 1 / 3, 0.9, "NaN"]
    assert list(rows[0]) == ["run_id", "id", "name", "status", "metrics.acc", "tags.team"]
    asked = {"project": "vision", "order": ["metrics.acc"], "columns": ["metrics.acc", "created"]}
    sent = mine.post("/api/v1/search/export/?format=parquet", json.dumps(asked), content_type="application/json")
    import pyarrow.parquet as pq

    table = pq.read_table(io.BytesIO(body_of(sent)))
    assert [repr(value) for value in table["metrics.acc"].to_pylist()] == [repr(value) for value in ACCURACIES]
    book = body_of(mine.get(f"{address}&format=xlsx"))
    import openpyxl

    sheet = openpyxl.load_workbook(io.BytesIO(book)).active
    assert [cell.value for cell in sheet["B"]] == ["id", "VIS-1", "VIS-2", "VIS-3", "VIS-4"]
    assert len(json.loads(body_of(mine.get(f"{address}&format=json")))) == 4
    said = AuditEvent.objects.filter(verb="experiments.note_export", project_id=vision.pk, actor_id=people["ada"].id)
    assert said.count() == 5
    api("ada").get("search/export/", expecting=400, format="xml")
    api("ada").get("search/export/", expecting=400, format="csv", order="nothing such")


def test_a_query_line_is_checked_and_read_back(api, found):
    told = api("ada").get("search/check/", q='metrics.acc>0.5 and params.lr="1"')
    assert told["good"]
    assert told["conditions"] == ["metrics.acc > 0.5", "params.lr = '1'"]
    assert told["reads"] == "metrics.acc > 0.5 AND params.lr = '1'"
    wrong = api("ada").get("search/check/", q="statu = 'FINISHED'")
    assert not wrong["good"]
    assert (wrong["mistake"]["start"], wrong["mistake"]["length"], wrong["mistake"]["suggestion"]) == (0, 5, "status")


def test_what_may_be_written_next_is_offered(api, found):
    offered = api("ada").get("search/complete/", project="vision", q="params.l")
    assert (offered["start"], offered["end"]) == (0, 8)
    assert [item["text"] for item in offered["items"]] == ["params.lr "]
    values = api("ada").get("search/complete/", q="", of="params.lr")["items"]
    assert {item["text"] for item in values} == {"1e-0", "1e-1"}
    api("eve").get("search/complete/", expecting=404, project="vision")
