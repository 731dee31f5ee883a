"""Texts longer than MLED keeps: cut, noted, and still immutable."""

import hashlib
import json

import pytest

from experiments.values import VALUE_MAX
from tests.factories import Everything
from tests.mlflow_api.speaking import Mlflow, error_of

LONG = "ü" * (VALUE_MAX + 5)


def note(text: str) -> dict[str, object]:
    return {"length": len(text), "sha256": hashlib.sha256(text.encode()).hexdigest()}


def notes(client: Mlflow, run: str) -> dict[str, object]:
    tags = client.get("runs/get", run_id=run)["run"]["data"]["tags"]
    return json.loads(next((tag["value"] for tag in tags if tag["key"] == "mled.truncated"), "{}"))


@pytest.fixture
def run(things: Everything) -> str:
    return things.run.uid.hex


def test_each_long_value_is_noted_beside_the_others(engineer: Mlflow, run: str) -> None:
    engineer.post("runs/log-parameter", run_id=run, key="p", value=LONG)
    engineer.post(
        "runs/log-batch", run_id=run, params=[{"key": "q", "value": LONG + "!"}], tags=[{"key": "t", "value": LONG}]
    )
    assert notes(engineer, run) == {"params.p": note(LONG), "params.q": note(LONG + "!"), "tags.t": note(LONG)}


def test_the_note_of_a_tag_goes_when_a_short_value_comes(engineer: Mlflow, run: str) -> None:
    engineer.post("runs/set-tag", run_id=run, key="t", value=LONG)
    engineer.post("runs/set-tag", run_id=run, key="t", value="short")
    assert notes(engineer, run) == {}


def test_a_value_that_is_kept_whole_is_not_the_beginning_of_another(engineer: Mlflow, run: str) -> None:
    whole = "x" * VALUE_MAX
    engineer.post("runs/log-parameter", run_id=run, key="p", value=whole)
    answer = engineer.send("POST", "2.0/mlflow/runs/log-parameter", {"run_id": run, "key": "p", "value": whole + "y"})
    assert error_of(answer) == (400, "INVALID_PARAMETER_VALUE")
    engineer.post("runs/log-parameter", run_id=run, key="p", value=whole)
    assert notes(engineer, run) == {}


def test_a_refused_batch_notes_nothing(engineer: Mlflow, run: str) -> None:
    batch = {"run_id": run, "params": [{"key": "p", "value": LONG}, {"key": "a//b", "value": "1"}]}
    assert engineer.send("POST", "2.0/mlflow/runs/log-batch", batch).status_code == 400
    assert notes(engineer, run) == {}


def test_nobody_writes_the_notes_but_the_door(engineer: Mlflow, run: str) -> None:
    asked = {"run_id": run, "key": "mled.truncated", "value": "{}"}
    assert engineer.send("POST", "2.0/mlflow/runs/set-tag", asked).status_code == 400
    assert engineer.send("POST", "2.0/mlflow/runs/delete-tag", asked).status_code == 400
    created = {"experiment_id": "0", "tags": [{"key": "mled.truncated", "value": "x"}]}
    assert engineer.send("POST", "2.0/mlflow/runs/create", created).status_code == 400


def test_tags_of_a_new_run_and_texts_of_a_model_are_cut_alike(engineer: Mlflow) -> None:
    tags = [{"key": "t", "value": LONG}]
    made = engineer.post("runs/create", experiment_id="0", tags=tags)["run"]["info"]["run_id"]
    assert notes(engineer, made) == {"tags.t": note(LONG)}
    model = engineer.post("logged-models", experiment_id="0", params=[{"key": "p", "value": LONG}])["model"]
    assert model["data"]["params"] == [{"key": "p", "value": LONG[:VALUE_MAX]}]
    path = f"logged-models/{model['info']['model_id']}"
    engineer.ask("PATCH", f"{path}/tags", tags=tags)
    told = {tag["key"]: tag["value"] for tag in engineer.get(path)["model"]["info"]["tags"]}
    assert json.loads(told["mled.truncated"]) == {"params.p": note(LONG), "tags.t": note(LONG)}
    same = {"params": [{"key": "p", "value": LONG}]}
    assert engineer.send("POST", f"2.0/mlflow/{path}/params", same).status_code == 200
    other = {"params": [{"key": "p", "value": LONG[:VALUE_MAX]}]}
    assert engineer.send("POST", f"2.0/mlflow/{path}/params", other).status_code == 400
