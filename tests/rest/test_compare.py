"""Comparisons and what matters over REST, as JSON and CSV."""

import csv
import io

import pytest

from audit.ledger.models import AuditEvent
from experiments.actions.batches import log_batch
from experiments.actions.experiments import set_metric_direction
from experiments.actions.files import put_file
from experiments.actions.inputs import DatasetInput, log_inputs
from experiments.metrics.batch import Batch, MetricPoint
from tests import world


@pytest.fixture
def pair(ada, vision, run):
    """Two runs that differ in a param, a metric, their data, commit and packages."""
    other = world.run(ada, run.experiment, name="other")
    for at, one in enumerate((run, other)):
        points = [MetricPoint("loss", 1 / 3 - at, 1, 0), MetricPoint("loss", 0.5, 2, 1), MetricPoint("same", 1.0, 1)]
        tags = [("mlflow.source.git.commit", f"{at}" * 40), ("team", "red")]
        log_batch(ada, one, batch=Batch(points, params=[("lr", str(at)), ("seed", "3")], tags=tags))
        log_inputs(ada, one, inputs=[DatasetInput("icu", f"d{at}", tags={"mlflow.data.context": "train"})])
        put_file(ada, one, path="requirements.txt", stored=world.stored(b"numpy==1.2%d\ntorch==2.0\n" % at))
    put_file(ada, run, path="notes.txt", stored=world.stored(b"nothing"))
    return run, other


def rows(answer):
    return {(row["kind"], row["name"]): row["values"] for row in answer["rows"]}


def test_runs_stand_beside_each_other_field_by_field(api, ada, vision, pair):
    answer = api("mia").get("compare/", run="VIS-1,VIS-2")
    assert [run["readable_id"] for run in answer["runs"]] == ["VIS-1", "VIS-2"]
    said = rows(answer)
    assert said["metric", "loss"] == [0.5, 0.5]
    assert said["param", "lr"] == ["0", "1"]
    assert said["data", "train"] == ["icu v1", "icu v2"]
    assert said["code", "commit"] == ["0" * 40, "1" * 40]
    assert said["package", "numpy"] == ["1.20", "1.21"]
    assert said["tag", "team"] == ["red", "red"]
    assert said["run", "user"] == ["Ada", "Ada"]
    varying = api("mia").get("compare/", run=["VIS-2", "VIS-1"], differing=True, figure="min")
    assert set(rows(varying)) == {("metric", "loss"), ("param", "lr"), ("data", "train"), ("code", "commit"),
                                  ("package", "numpy")}  # fmt: skip
    assert rows(varying)["metric", "loss"] == [1 / 3 - 1, 1 / 3]
    set_metric_direction(ada, vision, key="loss", higher_is_better=True)
    best = api("mia").get("compare/", run="VIS-1,VIS-2", figure="best", kind="metric")
    assert rows(best) == {("metric", "loss"): [0.5, 0.5], ("metric", "same"): [1.0, 1.0]}


def test_a_comparison_as_csv_is_on_record(api, pair):
    answer = api("ada").client.get("/api/v1/compare/?run=VIS-1,VIS-2&figure=min&format=csv")
    lines = list(csv.reader(io.StringIO(b"".join(answer).decode())))
    assert lines[0] == ["kind", "field", "VIS-1", "VIS-2"]
    loss = next(line for line in lines if line[1] == "loss")
    assert [float(text) for text in loss[2:]] == [1 / 3, 1 / 3 - 1]
    assert AuditEvent.objects.filter(verb="experiments.note_export_of").count() == 1


@pytest.mark.parametrize(
    ("who", "asked", "status"),
    [
        ("eve", {"run": "VIS-1,VIS-2"}, 404),
        ("ada", {"run": "VIS-1,VIS-99"}, 404),
        ("ada", {"run": "VIS-1"}, 400),
        ("ada", {}, 400),
        ("ada", {"run": ",".join(f"VIS-{n}" for n in range(101))}, 400),
        ("ada", {"run": "VIS-1,VIS-2", "figure": "mean"}, 400),
        ("ada", {"run": "VIS-1,VIS-2", "kind": "colour"}, 400),
        ("ada", {"run": "VIS-1,VIS-2", "format": "xml"}, 400),
    ],
)
def test_a_comparison_that_makes_no_sense_is_told(api, pair, who, asked, status):
    assert api(who).get("compare/", expecting=status, **asked)["title"]


def test_what_matters_for_a_result(api, ada, run):
    for at in range(30):
        one = world.run(ada, run.experiment)
        params = [("lr", str(at / 10)), ("kind", "ab"[at % 2]), ("noise", str(at * 7 % 11))]
        log_batch(ada, one, batch=Batch([MetricPoint("acc", at / 10 + 0.01 * (at % 3), 1)], params=params))
    told = api("mia").get("projects/vision/what-matters/", result="acc")
    assert (told["n"], told["more"], told["too_few"]) == (30, False, 20)
    assert told["relations"][0]["param"] == "lr"
    assert told["relations"][0]["spearman"] == pytest.approx(1.0, abs=0.01)
    kind = next(one for one in told["relations"] if one["param"] == "kind")
    assert (kind["kind"], kind["pearson"]) == ("words", None)
    narrowed = api("mia").get("projects/vision/what-matters/", result="acc", q="params.kind = 'a'")
    assert narrowed["n"] == 15
    answer = api("mia").client.get("/api/v1/projects/vision/what-matters/?result=acc&format=csv")
    assert b"".join(answer).decode().startswith("param,kind,n,pearson,spearman,eta_squared,importance,importance_error")
    assert api("mia").get("projects/vision/what-matters/", result="nothing")["relations"] == []
    api("mia").get("projects/vision/what-matters/", expecting=400)
    api("mia").get("projects/vision/what-matters/", expecting=400, result="acc", q="acc >>> 1")
    api("eve").get("projects/vision/what-matters/", expecting=404, result="acc")
