"""Metrics: points in, histories out. Logging is the path that everything waits for."""

import re
from collections.abc import Iterator
from typing import Final, cast

import msgspec
from django.http import HttpResponse, StreamingHttpResponse

from experiments.actions import batches
from experiments.metrics.batch import Batch, MetricPoint, Points
from experiments.queries.runs import get_run, get_run_to_log, metric_history
from kernel.errors import Invalid
from mlflow_api.calls import Call, Reply
from mlflow_api.cutting import cut_for_run
from mlflow_api.messages import requests as ask
from mlflow_api.messages.history import PIECE, points_json, thinned

BULK_RUNS_MAX: Final = 100  # MLflow protocol
BULK_POINTS_MAX: Final = 25_000
INTERVAL_DEFAULT: Final = 320
INTERVAL_MAX: Final = 2_500
_NUMBER: Final = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_NO_NUMBERS: Final = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}


def log_metric(call: Call, asked: ask.LogMetric) -> Reply:
    run = get_run_to_log(call.actor, asked.uid, project=call.project)
    point = MetricPoint(
        asked.key,
        _value(asked.value, "value"),
        asked.timestamp,
        asked.step or 0,
        asked.model_id or "",
        asked.dataset_name or "",
        asked.dataset_digest or "",
    )
    batches.log_batch(call.actor, run, batch=Batch(metrics=(point,)))
    return None


def log_batch(call: Call, asked: ask.LogBatch) -> Reply:
    run = get_run_to_log(call.actor, asked.uid, project=call.project)
    params, tags = ask.pairs(asked.params), ask.pairs(asked.tags)
    if params or tags:
        params, tags = cut_for_run(call.actor, run, params, tags)  # type: ignore[assignment]
    batches.log_batch(call.actor, run, batch=Batch(_points(asked.metrics or []), params, tags))
    return None


def _points(sent: list[ask.MetricPoint]) -> list[MetricPoint]:
    """The points as they came, with numbers where texts stood."""
    for index, point in enumerate(sent):
        if type(point.value) is str:
            point.value = _value(point.value, f"metrics[{index}].value")
        if point.step is None:
            point.step = 0
    return cast("list[MetricPoint]", sent)


def _value(sent: float | str, field: str) -> float:
    """A metric's value: a number, or a text that is one as protobuf writes it."""
    if not isinstance(sent, str):
        return float(sent)
    if sent in _NO_NUMBERS:
        return _NO_NUMBERS[sent]
    if len(sent) > 400 or not _NUMBER.fullmatch(sent):
        raise Invalid(f"'{sent[:60]}' is not a number.", hint="Send a number, 'NaN' or 'Infinity'.", field=field)
    return float(sent)


def get_history(call: Call, asked: ask.GetHistory) -> Reply:
    run = get_run(call.actor, asked.uid, project=call.project)
    page = metric_history(call.actor, run, asked.metric_key, limit=asked.max_results, after=asked.page_token)
    return _history([(asked.metric_key, page.points, "")], page.next_token)


def get_history_bulk(call: Call, asked: ask.GetHistoryBulk) -> Reply:
    """Histories of one metric in several runs, at most 25,000 points in all."""
    left = min(asked.max_results or BULK_POINTS_MAX, BULK_POINTS_MAX)
    if left <= 0:
        raise Invalid("max_results must be at least 1.", field="max_results")
    found = []
    for run_id, points in _histories(call, asked.metric_key, asked.run_id, "run_id"):
        found.append((asked.metric_key, points.take(slice(0, left)), run_id))
        left -= len(found[-1][1])
    return _history(found)


def get_history_interval(call: Call, asked: ask.GetHistoryInterval) -> Reply:
    """Histories of one metric in several runs, thinned to the same steps."""
    limit = INTERVAL_DEFAULT if asked.max_results is None else asked.max_results
    if not 1 <= limit <= INTERVAL_MAX:
        raise Invalid(f"max_results is from 1 to {INTERVAL_MAX:,}.", field="max_results")
    if (asked.start_step is None) != (asked.end_step is None):
        raise Invalid("start_step and end_step come together.", field="start_step")
    if asked.start_step is not None and asked.end_step is not None and asked.start_step > asked.end_step:
        raise Invalid("start_step lies behind end_step.", field="start_step")
    found = _histories(call, asked.metric_key, asked.run_ids, "run_ids")
    parts = thinned([points for _, points in found], asked.start_step, asked.end_step, limit)
    return _history([(asked.metric_key, part, run_id) for (run_id, _), part in zip(found, parts, strict=True)])


def _histories(call: Call, key: str, run_ids: list[str] | None, field: str) -> list[tuple[str, Points]]:
    if not run_ids:
        raise Invalid(f"Missing value for required parameter '{field}'.", field=field)
    if len(run_ids) > BULK_RUNS_MAX:
        raise Invalid(f"At most {BULK_RUNS_MAX} runs at once, not {len(run_ids)}.", field=field)
    runs = [get_run(call.actor, run_id, project=call.project) for run_id in dict.fromkeys(run_ids)]
    return [(run.uid.hex, metric_history(call.actor, run, key).points) for run in runs]


def _history(found: list[tuple[str, Points, str]], next_token: str = "") -> HttpResponse | StreamingHttpResponse:
    """One body for a short history; a long one goes out piece by piece."""
    end = b',"next_page_token":' + msgspec.json.encode(next_token) + b"}" if next_token else b"}"
    body = _body([(key, points, run_id) for key, points, run_id in found if len(points)], end)
    if sum(len(points) for _, points, _ in found) <= PIECE:
        return HttpResponse(b"".join(body), content_type="application/json")
    return StreamingHttpResponse(body, content_type="application/json")


def _body(found: list[tuple[str, Points, str]], end: bytes) -> Iterator[bytes]:
    yield b'{"metrics":['
    for at, (key, points, run_id) in enumerate(found):
        if at:
            yield b","
        yield from points_json(key, points, run_id)
    yield b"]" + end
