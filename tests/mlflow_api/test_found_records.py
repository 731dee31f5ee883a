"""What a client's search says of its runs is what each of them says of itself."""

import math
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext

from experiments.actions.batches import log_batch
from experiments.actions.inputs import DatasetInput
from experiments.metrics.batch import Batch, MetricPoint
from experiments.queries.experiments import wire_id
from registry.actions.links import log_outputs, log_run_inputs
from registry.actions.logged_models import create_logged_model, delete_logged_model
from tests.factories import Team, a_batch, a_run, a_team, a_token, an_experiment
from tests.mlflow_api.speaking import Mlflow

TEXTS = {
    "quotes": 'a "quoted" \\ text',
    "lines": "one\ntwo\r\n\tthree\b\f",
    "control": "\x01\x1f\x7f",
    "beyond": "é \u2028 \U0001f600 ﷽",
    "like JSON": '{"key": "%s", "value": null}',
    "Upper": "%",
    "lower": "",
}
NUMBERS = [0.0, -0.0, 1.0, -2.0, 0.1 + 0.2, 5e-324, 1e-320, 1.7976931348623157e308, 1e22, 123456789012345680.0]
NUMBERS += [999999999999999.0, -1e15, 1e15, 1e14, 100.5, 2.0**52 + 0.5]
BEYOND_JSON = {"nan": math.nan, "up": math.inf, "down": -math.inf}


def a_client(team: Team) -> Mlflow:
    return Mlflow(a_token(team.scientist)[1], f"/mlflow/{team.project.slug}")


def exactly(run: dict[str, Any]) -> dict[str, Any]:
    """A run with the values of its metrics as their JSON reads: a float has its point, or an exponent."""
    values = {metric["key"]: repr(metric["value"]) for metric in run["data"]["metrics"]}
    return run | {
        "values": values,
        "data": run["data"] | {"metrics": [m | {"value": 0} for m in run["data"]["metrics"]]},
    }


def test_a_run_of_a_search_is_the_run_itself_to_the_last_bit(committed_db: str) -> None:
    team = a_team()
    client, place = a_client(team), an_experiment(team.scientist)
    run, bare = (a_run(team.scientist, experiment=place) for _ in range(2))
    log_batch(team.scientist, run, batch=a_batch(params=TEXTS, tags=TEXTS))
    points = [MetricPoint(f"m{at}", value, 1_000 + at, at) for at, value in enumerate(NUMBERS)]
    points += [MetricPoint(key, value, 1) for key, value in BEYOND_JSON.items()]
    points += [MetricPoint("a/b", 0.5, 1, -3), MetricPoint("é", 2.0**53, 2**53 + 1, 2**62 + 1)]
    log_batch(team.scientist, run, batch=Batch(metrics=points))
    model, gone = (create_logged_model(team.scientist, place, name=name) for name in ("net", "old"))
    leaves = DatasetInput("leaves", "d1", "local", "/data", tags={"mlflow.data.context": "train"})
    log_run_inputs(team.scientist, run, datasets=[leaves], models=[model])
    log_outputs(team.scientist, run, outputs=[(model, 4), (gone, 5)])
    delete_logged_model(team.scientist, gone)

    found = {one["info"]["run_id"]: one for one in client.post("runs/search", experiment_ids=[wire_id(place)])["runs"]}
    for one in (run, bare):
        assert exactly(found[one.uid.hex]) == exactly(client.get("runs/get", run_id=one.uid.hex)["run"])
    said = exactly(found[run.uid.hex])
    assert [said["values"][f"m{at}"] for at in range(len(NUMBERS))] == [
        repr(value + 0.0) for value in NUMBERS
    ]  # -0.0 is kept as 0.0
    assert [said["values"][key] for key in BEYOND_JSON] == ["'NaN'", "'Infinity'", "'-Infinity'"]
    assert {pair["key"]: pair["value"] for pair in said["data"]["params"]} == TEXTS
    assert [one["model_id"] for one in said["outputs"]["model_outputs"]] == [model.model_id]
    assert [one["dataset"]["name"] for one in said["inputs"]["dataset_inputs"]] == ["leaves"]
    assert found[bare.uid.hex]["data"]["metrics"] == found[bare.uid.hex]["data"]["params"] == []


def test_inputs_and_models_are_asked_for_where_some_run_of_the_page_has_them(committed_db: str) -> None:
    team = a_team()
    client, place = a_client(team), an_experiment(team.scientist)
    runs = [a_run(team.scientist, experiment=place) for _ in range(3)]
    client.post("runs/search", experiment_ids=[wire_id(place)])
    counts = []
    for datasets in ([], [DatasetInput("leaves", "d1")]):
        log_run_inputs(team.scientist, runs[1], datasets=datasets)
        with CaptureQueriesContext(connection) as sent:
            found = client.post("runs/search", experiment_ids=[wire_id(place)])["runs"]
        counts.append(len(sent))
        assert [len(one["inputs"]["dataset_inputs"]) for one in found] == [0, len(datasets), 0]
    assert counts[1] - counts[0] == (1 if connection.vendor == "postgresql" else 2)
