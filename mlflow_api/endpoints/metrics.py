"""Metrics: points in, histories out. Logging is the path that everything waits for."""

import re
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import Any, Final, cast

import msgspec
from django.http import HttpResponse, StreamingHttpResponse

from accounts.authentication import Presumed
from experiments.actions import batches, straight
from experiments.actions.straight_params import log_params
from experiments.metrics.batch import Batch, MetricPoint, Points
from experiments.queries.runs import get_run_to_log, metric_history, metric_pieces, metric_samples
from kernel.errors import Invalid
from mlflow_api.calls import Call, Reply
from mlflow_api.cutting import cut_for_run
from mlflow_api.messages import requests as ask
from mlflow_api.messages.history import PIECE, points_json

BULK_RUNS_MAX: Final = 100  # MLflow protocol
BULK_POINTS_MAX: Final = 25_000
INTERVAL_DEFAULT: Final = 320
INTERVAL_MAX: Final = 2_500
_NUMBER: Final = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_NO_NUMBERS: Final = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}


def log_metric(call: Call, asked: ask.LogMetric) -> Reply:
    run = get_run_to_log(call.actor, asked.uid, project=call.project)
    batches.log_batch(call.actor, run, batch=Batch(metrics=_point(asked)))
    return None


def log_metric_straight(presumed: Presumed, project: Any, asked: ask.LogMetric) -> bool:
    return straight.log_points(presumed, project, asked.uid, _point(asked))


def log_batch(call: Call, asked: ask.LogBatch) -> Reply:
    run = get_run_to_log(call.actor, asked.uid, project=call.project)
    params, tags = ask.pairs(asked.params), ask.pairs(asked.tags)
    if params or tags:
        params, tags = cut_for_run(call.actor, run, params, tags)  # type: ignore[assignment]
    batches.log_batch(call.actor, run, batch=Batch(_points(asked.metrics or []), params, tags))
    return None


def log_batch_straight(presumed: Presumed, project: Any, asked: ask.LogBatch) -> bool:
    if asked.tags or (asked.params and asked.metrics):
        return False
    if asked.params:
        return log_params(presumed, project, asked.uid, ask.pairs(asked.params))
    return straight.log_points(presumed, project, asked.uid, _points(asked.metrics or []))


def _point(asked: ask.LogMetric) -> list[MetricPoint]:
    return [
        MetricPoint(
            asked.key,
            _value(asked.value, "value"),
            asked.timestamp,
            asked.step or 0,
            asked.model_id or "",
            asked.dataset_name or "",
            asked.dataset_digest or "",
        )
    ]


def _points(sent: list[ask.MetricPoint]) -> list[MetricPoint]:
    """The points as they came, with numbers where texts stood."""
    if str in {type(point.value) for point in sent} or None in {point.step for point in sent}:
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
    run = get_run_to_log(call.actor, asked.uid, project=call.project)
    if asked.max_results is None and not asked.page_token:
        return _streamed(asked.metric_key, metric_pieces(call.actor, run, asked.metric_key))
    page = metric_history(call.actor, run, asked.metric_key, limit=asked.max_results, after=asked.page_token)
    return _history([(asked.metric_key, page.points, "")], page.next_token)


def get_history_bulk(call: Call, asked: ask.GetHistoryBulk) -> Reply:
    """Histories of one metric in several runs, at most 25,000 points in all."""
    left = min(asked.max_results or BULK_POINTS_MAX, BULK_POINTS_MAX)
    if left <= 0:
        raise Invalid("max_results must be at least 1.", field="max_results")
    found = []
    for run in _runs(call, asked.run_id, "run_id"):
        page = metric_history(call.actor, run, asked.metric_key, limit=left)
        found.append((asked.metric_key, page.points, run.uid.hex))
        left -= len(page.points)
        if not left:
            break
    return _history(found)


def get_history_interval(call: Call, asked: ask.GetHistoryInterval) -> Reply:
    """Histories of one metric in several runs, each thinned by itself."""
    limit = INTERVAL_DEFAULT if asked.max_results is None else asked.max_results
    if not 1 <= limit <= INTERVAL_MAX:
        raise Invalid(f"max_results is from 1 to {INTERVAL_MAX:,}.", field="max_results")
    if (asked.start_step is None) != (asked.end_step is None):
        raise Invalid("start_step and end_step come together.", field="start_step")
    if asked.start_step is not None and asked.end_step is not None and asked.start_step > asked.end_step:
        raise Invalid("start_step lies behind end_step.", field="start_step")
    window = None if asked.start_step is None or asked.end_step is None else (asked.start_step, asked.end_step)
    runs = _runs(call, asked.run_ids, "run_ids")
    found = metric_samples(call.actor, runs, asked.metric_key, most=limit, steps=window)
    return _history([(asked.metric_key, points, run.uid.hex) for run, points in zip(runs, found, strict=True)])


def _runs(call: Call, run_ids: list[str] | None, field: str) -> list[Any]:
    if not run_ids:
        raise Invalid(f"Missing value for required parameter '{field}'.", field=field)
    if len(run_ids) > BULK_RUNS_MAX:
        raise Invalid(f"At most {BULK_RUNS_MAX} runs at once, not {len(run_ids)}.", field=field)
    return [get_run_to_log(call.actor, run_id, project=call.project) for run_id in dict.fromkeys(run_ids)]


def _history(found: list[tuple[str, Points, str]], next_token: str = "") -> HttpResponse | StreamingHttpResponse:
    """One body for a short history; a long one goes out piece by piece."""
    end = b',"next_page_token":' + msgspec.json.encode(next_token) + b"}" if next_token else b"}"
    texts = (points_json(key, points, run_id) for key, points, run_id in found if len(points))
    body = _body(texts, end)
    if sum(len(points) for _, points, _ in found) <= PIECE:
        return HttpResponse(b"".join(body), content_type="application/json")
    return StreamingHttpResponse(body, content_type="application/json")


def _streamed(key: str, pieces: Iterator[Points]) -> HttpResponse | StreamingHttpResponse:
    """A whole history, read while it goes out; what goes wrong at its beginning is still an answer of its own."""
    begun = list(islice(pieces, 2))
    if not begun or (len(begun) == 1 and len(begun[0]) <= PIECE):
        return _history([(key, points, "") for points in begun])
    body = _body((points_json(key, points) for points in chain(begun, pieces)), b"}")
    return StreamingHttpResponse(body, content_type="application/json")


def _body(texts: Iterable[Iterator[bytes]], end: bytes) -> Iterator[bytes]:
    yield b'{"metrics":['
    for at, text in enumerate(texts):
        if at:
            yield b","
        yield from text
    yield b"]" + end
