"""Reading messages and writing histories, without a server."""

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.metrics.batch import Points
from kernel.errors import Invalid
from mlflow_api.messages import requests as ask
from mlflow_api.messages.decoding import from_json, from_query
from mlflow_api.messages.history import PIECE, points_json


def points(values: list[float], steps: list[int] | None = None, times: list[int] | None = None) -> Points:
    count = range(len(values))
    return Points(
        np.array(steps or list(count), np.int64), np.array(times or list(count), np.int64), np.array(values, np.float64)
    )


def written(of: Points, key: str = "loss", run_id: str = "") -> list[dict[str, object]]:
    return json.loads(b"[" + b"".join(points_json(key, of, run_id)) + b"]")


def test_whole_numbers_may_be_texts() -> None:
    asked = from_json(ask.LogMetric, b'{"run_id": "r", "key": "k", "value": "0.5", "timestamp": "12", "step": "-3"}')
    assert (asked.value, asked.timestamp, asked.step) == ("0.5", 12, -3)


def test_null_is_as_good_as_absent() -> None:
    asked = from_json(ask.CreateRun, b'{"experiment_id": "1", "run_name": null, "tags": null, "other": {"x": [1]}}')
    assert (asked.run_name, asked.tags) == (None, None)


def test_a_name_in_camel_case_is_the_fields_own() -> None:
    asked = from_json(ask.SearchLoggedModels, b'{"experimentIds": ["1"], "orderBy": [{"fieldName": "metrics.a"}]}')
    assert asked.experiment_ids == ["1"]
    assert [one.field_name for one in asked.order_by or ()] == ["metrics.a"]


def test_a_text_that_looks_like_a_name_stays_as_it_is() -> None:
    asked = from_json(ask.LogBatch, b'{"run_id": "r", "params": [{"key": "runId", "value": "run_uuid"}]}')
    assert [(one.key, one.value) for one in asked.params or ()] == [("runId", "run_uuid")]


@pytest.mark.parametrize("body", [b'{"run_id": "r", "runId": "s"}', b'{"runId": "s", "runId": "s"}', b'["runId"]'])
def test_a_field_under_two_names_and_a_list_of_names_are_refused(body: bytes) -> None:
    with pytest.raises(Invalid):
        from_json(ask.OfRun, body)


@given(batch=st.deferred(lambda: BATCH), tight=st.booleans())
def test_a_batch_says_the_same_in_camel_case(batch: dict[str, Any], tight: bool) -> None:
    renamed = {"run_id": "runId", "run_uuid": "runUuid", "model_id": "modelId", "dataset_name": "datasetName"}

    def camel(value: Any) -> Any:
        if isinstance(value, list):
            return [camel(one) for one in value]
        return {renamed.get(k, k): camel(v) for k, v in value.items()} if isinstance(value, dict) else value

    separators = (",", ":") if tight else (" , ", " : ")
    plain, humped = (json.dumps(one, separators=separators).encode() for one in (batch, camel(batch)))
    assert from_json(ask.LogBatch, humped) == from_json(ask.LogBatch, plain)


def test_a_list_in_a_query_is_a_repeated_key_and_one_is_a_list_too() -> None:
    asked = from_query(ask.SearchExperiments, {"order_by": ["name"], "max_results": ["5"], "more": ["x", "y"]})
    assert (asked.order_by, asked.max_results) == (["name"], 5)


def test_a_field_that_stands_twice_in_a_query_is_refused() -> None:
    with pytest.raises(Invalid, match="2 times"):
        from_query(ask.OfRun, {"run_id": ["a", "b"]})


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1, 10**4000, 1.5, "1.5", "x", "", True])
def test_what_does_not_fit_into_64_bits_is_refused(number: object) -> None:
    body = json.dumps({"run_id": "r", "key": "k", "value": 1, "timestamp": number}).encode()
    with pytest.raises(Invalid) as refused:
        from_json(ask.LogMetric, body)
    assert refused.value.field == "timestamp"


@pytest.mark.parametrize("number", [2**63 - 1, -(2**63), 0])
def test_all_64_bits_are_taken(number: int) -> None:
    body = json.dumps({"run_id": "r", "key": "k", "value": 1, "timestamp": 0, "step": number}).encode()
    assert from_json(ask.LogMetric, body).step == number


def test_the_place_of_a_mistake_is_named() -> None:
    body = b'{"run_id": "r", "metrics": [{"key": "a", "value": 1, "timestamp": 1}, {"key": "b", "value": 1}]}'
    with pytest.raises(Invalid) as refused:
        from_json(ask.LogBatch, body)
    assert refused.value.field == "metrics[1].timestamp"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text('":x\\ a', max_size=4), inner, max_size=4),
    max_leaves=12,
)


@given(value=st.dictionaries(st.text('":x\\ a', max_size=4), JSON, max_size=5), tight=st.booleans())
def test_no_good_body_is_taken_for_one_with_repeated_keys(value: dict[str, object], tight: bool) -> None:
    separators = (",", ":") if tight else (" , ", " : ")
    body = json.dumps(value, separators=separators).encode()
    if b"\\u0000" not in body:
        from_json(ask.Nothing, body)


@given(
    key=st.text('ab:"\\ ', min_size=1, max_size=5),
    space=st.sampled_from(["", " ", "\n", "\t "]),
    filler=st.text('":a, ', max_size=8),
)
def test_a_repeated_key_is_found_however_it_is_written(key: str, space: str, filler: str) -> None:
    name, text = json.dumps(key), json.dumps(filler)
    body = f'{{{name}{space}:{text}, "z": [{{"y": 1}}], {name} :{space}{text}}}'.encode()
    with pytest.raises(Invalid, match="stands twice"):
        from_json(ask.Nothing, body)


KEY = st.text('ab:"\\ ', max_size=4)
NUMBER = st.floats(allow_nan=False, allow_infinity=False) | st.just("NaN")
MORE = {"model_id": st.just("m"), "dataset_name": st.none(), "else": st.just([1])}
POINT = st.fixed_dictionaries(
    {"key": KEY, "value": NUMBER, "timestamp": st.just(1)}, optional={"step": st.none() | st.just(7), **MORE}
)
PAIR = st.fixed_dictionaries({"key": KEY}, optional={"value": st.none() | st.text(":", max_size=2)})
REPEATED = st.sampled_from(["key", "value", "timestamp", "step"])
BATCH = st.fixed_dictionaries(
    {"run_id": st.just("r"), "metrics": st.lists(POINT, min_size=1, max_size=4)},
    optional={"run_uuid": st.just("r"), "params": st.lists(PAIR, max_size=2), "tags": st.none()},
)


@given(batch=BATCH, tight=st.booleans())
def test_a_batch_is_taken_however_it_is_written(batch: dict[str, Any], tight: bool) -> None:
    body = json.dumps(batch, separators=(",", ":") if tight else (" , ", " : ")).encode()
    assert [point.key for point in from_json(ask.LogBatch, body).metrics or ()] == [p["key"] for p in batch["metrics"]]


@given(batch=BATCH, repeated=REPEATED, tight=st.booleans(), data=st.data())
def test_a_key_that_stands_twice_in_a_point_is_found(
    batch: dict[str, Any], repeated: str, tight: bool, data: st.DataObject
) -> None:
    point = data.draw(st.sampled_from(batch["metrics"]))
    point |= {"step": point.get("step", 3)}
    first, again = point[repeated], f"again:{len(repeated)}"
    point[again] = first
    body = json.dumps(batch, separators=(",", ":") if tight else (", ", ": ")).replace(again, repeated).encode()
    with pytest.raises(Invalid, match="stands twice"):
        from_json(ask.LogBatch, body)


def test_histories_are_written_as_clients_read_them() -> None:
    assert written(points([0.1, 1e300, -0.0], [5, -6, 2**62], [1, 2, 3])) == [
        {"key": "loss", "value": 0.1, "timestamp": 1, "step": 5},
        {"key": "loss", "value": 1e300, "timestamp": 2, "step": -6},
        {"key": "loss", "value": -0.0, "timestamp": 3, "step": 2**62},
    ]


def test_what_json_has_no_number_for_is_a_text() -> None:
    assert [one["value"] for one in written(points([math.nan, math.inf, -math.inf, 1.0]))] == [
        "NaN", "Infinity", "-Infinity", 1.0,
    ]  # fmt: skip


def test_any_key_and_run_id_can_stand_in_a_history() -> None:
    key = 'größe "x" \\ 🧪'
    assert written(points([1.0]), key, "ab")[0] == {
        "key": key, "run_id": "ab", "value": 1.0, "timestamp": 0, "step": 0,
    }  # fmt: skip


@pytest.mark.parametrize("count", [0, 1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE + 7])
def test_long_histories_come_in_pieces_that_fit_together(count: int) -> None:
    values = [float(at) for at in range(count)]
    assert [one["value"] for one in written(points(values))] == values


@given(st.lists(st.floats(), max_size=50))
def test_every_value_survives(values: list[float]) -> None:
    back = [float(one["value"]) for one in written(points(values))]  # type: ignore[arg-type]
    assert [math.nan if math.isnan(v) else v for v in back] == pytest.approx(values, rel=0, abs=0, nan_ok=True)
