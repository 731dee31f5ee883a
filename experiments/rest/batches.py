"""What a run logs: many points, params and tags in one call, all of them or none."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from experiments.actions.batches import log_batch
from experiments.metrics.batch import Batch, MetricPoint
from experiments.rest.on_run import OnRun
from experiments.rest.sent import SentNumber, int64, key, own_tags_apart, texts
from experiments.values import BATCH_ITEMS_MAX, BATCH_METRICS_MAX, BATCH_PARAMS_MAX, BATCH_TAGS_MAX
from kernel.clock import now_ms

EXAMPLE = {
    "metrics": [
        {"key": "train/loss", "value": 0.6931471805599453, "step": 0, "at_ms": 1772456400000},
        {"key": "train/loss", "value": "NaN", "step": 1, "at_ms": 1772456401000},
    ],
    "params": {"lr": "0.001"},
    "tags": {"ward": "icu-2"},
}


class PointWanted(serializers.Serializer[Any]):
    key = key()
    value = SentNumber()
    step = int64(default=0)
    at_ms = int64(required=False, help_text="When, in milliseconds since 1970; without it, now.")
    model_id = serializers.CharField(
        allow_blank=True, default="", max_length=100, help_text="The logged model that was measured."
    )
    dataset_name = serializers.CharField(allow_blank=True, default="", max_length=500, trim_whitespace=False)
    dataset_digest = serializers.CharField(
        allow_blank=True, default="", max_length=100, help_text="The data on which it was measured."
    )


class BatchWanted(serializers.Serializer[Any]):
    metrics = PointWanted(many=True, required=False, help_text=f"At most {BATCH_METRICS_MAX:,} points.")
    params = texts(required=False, help_text=f"At most {BATCH_PARAMS_MAX}; a param is set once.")
    tags = texts(required=False, help_text=f"At most {BATCH_TAGS_MAX}; {BATCH_ITEMS_MAX:,} items in all.")


class BatchJson(serializers.Serializer[Any]):
    """How many of each were taken; what was there already counts as well."""

    metrics = serializers.IntegerField()
    params = serializers.IntegerField()
    tags = serializers.IntegerField()


class RunBatch(OnRun):
    """Points, params and tags of a run in one call."""

    needs = {"POST": "experiments.log_run"}
    serializer_class = BatchJson

    def takes_key(self) -> bool:
        sent = self.request.data
        return not (isinstance(sent, dict) and is_timed(sent.get("metrics") or ()))

    @extend_schema(
        request=BatchWanted,
        responses={200: BatchJson},
        examples=[OpenApiExample("Two points, a param and a tag", EXAMPLE, request_only=True)],
    )
    def post(self, request: Request, run: str) -> Response:
        """Log all of it, or nothing where one item is wrong. Sent again, it changes nothing."""
        found, sent = self.run(), self.parsed(BatchWanted)
        batch = Batch(
            [point_of(one) for one in sent.get("metrics", ())],
            list(sent.get("params", {}).items()),
            list(own_tags_apart(sent.get("tags", {})).items()),
        )
        log_batch(self.actor, found, batch=batch)
        counts = {"metrics": len(batch.metrics), "params": len(batch.params), "tags": len(batch.tags)}
        return Response(counts)


def is_timed(points: Any) -> bool:
    """Whether every point says when it was: such points are the same when they come again, whatever key comes along."""
    if not isinstance(points, list):
        return False
    return all(isinstance(one, dict) and one.get("at_ms") is not None for one in points)


def point_of(sent: dict[str, Any]) -> MetricPoint:
    """One point as it was sent, at the server's time where it says none."""
    at_ms = sent.get("at_ms")
    return MetricPoint(**{**sent, "at_ms": now_ms() if at_ms is None else at_ms})
