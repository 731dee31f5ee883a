"""Metrics of a run: their figures, single points, whole histories."""

import math
from typing import Any

from django.http.response import HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.rest.door import Number, said
from experiments.actions.batches import log_batch
from experiments.actions.exports import note_csv
from experiments.exporting.fields import Field, Kind
from experiments.exporting.texts import as_csv
from experiments.metrics.batch import Batch, Points
from experiments.models import MetricSeries, Run
from experiments.queries.experiments import metric_directions
from experiments.queries.runs import metric_history, require_metric, series_of
from experiments.rest.batches import PointWanted, is_timed, point_of
from experiments.rest.on_run import OnRun
from experiments.rest.tables import Anything, also_as, format_parameter, kind_of, streamed

HISTORY_POINTS, HISTORY_MAX = 10_000, 100_000
POINT_FIELDS = (Field("step", Kind.INTEGER), Field("time_ms", Kind.INTEGER), Field("value", Kind.NUMBER))


class MetricJson(serializers.ModelSerializer[MetricSeries]):
    last_value = Number(source="last")
    min_value = Number(allow_null=True)
    max_value = Number(allow_null=True)

    class Meta:
        model = MetricSeries
        fields = ["key", "last_value", "last_step", "last_ms", "min_value", "min_step", "max_value", "max_step"]
        read_only_fields = fields

    def to_representation(self, series: MetricSeries) -> dict[str, Any]:
        series.last = math.nan if series.last_is_nan else series.last_value  # type: ignore[attr-defined]
        return super().to_representation(series)


class FiguresJson(MetricJson):
    higher_is_better = serializers.SerializerMethodField(help_text="As the project says; null where it does not.")
    best_value = serializers.SerializerMethodField(help_text="Null where nobody said which way is better.")
    best_step = serializers.SerializerMethodField()

    class Meta(MetricJson.Meta):
        fields = [*MetricJson.Meta.fields, "first_step", "higher_is_better", "best_value", "best_step"]
        read_only_fields = fields

    def get_higher_is_better(self, series: MetricSeries) -> bool | None:
        directions: dict[str, bool] = self.context["directions"]
        return directions.get(series.key)

    def get_best_value(self, series: MetricSeries) -> float | None:
        value: float | None = self._best(series, "value")
        return value

    def get_best_step(self, series: MetricSeries) -> int | None:
        step: int | None = self._best(series, "step")
        return step

    def _best(self, series: MetricSeries, what: str) -> Any:
        higher = self.get_higher_is_better(series)
        return None if higher is None else getattr(series, f"{'max' if higher else 'min'}_{what}")


class HistoryJson(serializers.Serializer[Any]):
    """Columns of equal length, in the order of time, step and value."""

    key = serializers.CharField()
    steps = serializers.ListField(child=serializers.IntegerField())
    times_ms = serializers.ListField(child=serializers.IntegerField())
    values = serializers.ListField(child=Number())
    next_page_token = serializers.CharField(allow_blank=True, help_text="Empty at the end.")


class HistoryAsked(serializers.Serializer[Any]):
    key = serializers.CharField(max_length=250, trim_whitespace=False)
    limit = serializers.IntegerField(min_value=1, max_value=HISTORY_MAX, default=HISTORY_POINTS)
    page_token = serializers.CharField(allow_blank=True, default="", max_length=1000)


class RunMetrics(OnRun):
    """The metrics of a run."""

    needs = {"GET": "experiments.see", "POST": "experiments.log_run"}
    serializer_class = FiguresJson
    pagination_class = None
    filter_backends = ()

    def takes_key(self) -> bool:
        return not is_timed([self.request.data])

    @extend_schema(responses={200: FiguresJson(many=True)})
    def get(self, request: Request, run: str) -> Response:
        """The last, lowest, highest and best value of each, by name."""
        found = self.run()
        return Response(self._figures(found, series_of(self.actor, found)))

    @extend_schema(request=PointWanted, responses={200: FiguresJson})
    def post(self, request: Request, run: str) -> Response:
        """Log one point; the same point again changes nothing. For many points use `batch/`."""
        found, sent = self.run(), self.parsed(PointWanted)
        log_batch(self.actor, found, batch=Batch(metrics=[point_of(sent)]))
        return Response(self._figures(found, series_of(self.actor, found, [sent["key"]]))[0])

    def _figures(self, run: Run, series: list[MetricSeries]) -> Any:
        directions = metric_directions(self.actor, run.project)
        return FiguresJson(series, many=True, context={"directions": directions}).data


class MetricHistory(OnRun):
    """Every point of one metric."""

    needs = {"GET": "experiments.see"}
    serializer_class = HistoryJson
    content_negotiation_class = Anything

    @extend_schema(parameters=[HistoryAsked, format_parameter("json", "csv")], responses=also_as(HistoryJson, "csv"))
    def get(self, request: Request, run: str) -> HttpResponseBase:
        """As columns in pages; or as CSV, then all points at once (`limit` and `page_token` are for JSON);
        that is on record, as every export is.

        404 for a metric that the run has not.
        """
        found, asked = self.run(), self.asked(HistoryAsked)
        kind = kind_of(request, "json", "csv")
        if kind == "csv":
            points = metric_history(self.actor, found, asked["key"]).points
            self._sure_of(points, found, asked["key"])
            note_csv(self.actor, [found], f"the metric '{asked['key'][:200]}'")
            return streamed(as_csv(POINT_FIELDS, rows_of(points)), kind, f"{found.readable_id}-metric")
        page = metric_history(self.actor, found, asked["key"], limit=asked["limit"], after=asked["page_token"])
        self._sure_of(page.points, found, asked["key"])
        return Response({"key": asked["key"], **columns_of(page.points), "next_page_token": page.next_token})

    def _sure_of(self, points: Points, run: Run, key: str) -> None:
        """A slip in a name is no empty curve: raise NotFound for a metric that the run has not."""
        if not len(points.steps):
            require_metric(self.actor, run, key)


def columns_of(points: Points) -> dict[str, Any]:
    """Points as JSON carries them, each float with all its digits."""
    return {
        "steps": points.steps.tolist(),
        "times_ms": points.times.tolist(),
        "values": [said(value) for value in points.values.tolist()],
    }


def rows_of(points: Points) -> Any:
    """Points as rows: step, time, value."""
    return zip(points.steps.tolist(), points.times.tolist(), points.values.tolist(), strict=True)
