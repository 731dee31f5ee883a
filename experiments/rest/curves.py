"""Curves: several metrics of one or many runs, whole or thinned so that no extreme is lost; as JSON or CSV."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.http.response import HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request

from accounts.rest.door import Number, RestView
from experiments.actions.exports import note_csv
from experiments.exporting.fields import Field, Value
from experiments.exporting.texts import as_csv
from experiments.metrics.batch import Points
from experiments.metrics.downsample import picked
from experiments.models import Run
from experiments.queries.comparison import COMPARED_MAX, runs_named
from experiments.queries.curves import whole_curves
from experiments.rest.metrics import POINT_FIELDS, columns_of, rows_of
from experiments.rest.on_run import OnRun
from experiments.rest.tables import Anything, also_as, format_parameter, kind_of, streamed
from kernel.actor import Actor
from kernel.errors import Invalid

POINTS_MAX = 10_000
KEYS_MAX = 100
CSV_FIELDS = (Field("run"), Field("metric"), *POINT_FIELDS)


class CurveJson(serializers.Serializer[Any]):
    """Columns of equal length, in the order of x where they are thinned, else of time, step and value."""

    run = serializers.CharField(help_text="32 hex digits.")
    readable_id = serializers.CharField()
    key = serializers.CharField()
    total = serializers.IntegerField(help_text="Points that there are.")
    steps = serializers.ListField(child=serializers.IntegerField())
    times_ms = serializers.ListField(child=serializers.IntegerField())
    values = serializers.ListField(child=Number())


class CurvesJson(serializers.Serializer[Any]):
    curves = CurveJson(many=True)


class CurvesAsked(serializers.Serializer[Any]):
    key = serializers.ListField(
        child=serializers.CharField(max_length=250, trim_whitespace=False),
        max_length=KEYS_MAX,
        default=list,
        help_text="Metrics, several times for several; without any, all that the run logged itself.",
    )
    points = serializers.IntegerField(
        required=False,
        min_value=4,
        max_value=POINTS_MAX,
        help_text="Thin each curve to so many points, its extremes kept; without it every point comes.",
    )
    x = serializers.ChoiceField(
        choices=["step", "time"], default="step", help_text="What thinned points are sorted by."
    )


class CurvesOfRunsAsked(CurvesAsked):
    run = serializers.ListField(
        child=serializers.CharField(max_length=4_000),
        default=list,
        help_text=f"Runs by id, several times or with commas: at most {COMPARED_MAX}.",
    )


@dataclass(frozen=True, slots=True)
class _Asked:
    viewer: Actor
    runs: Sequence[Run]
    keys: Sequence[str]
    points: int | None
    by_time: bool

    def curves(self) -> Iterator[tuple[Run, str, int, Points]]:
        """One run after another is read, so that memory does not grow with their number."""
        for run in self.runs:
            for key, points in whole_curves(self.viewer, run, self.keys):
                shown = points if self.points is None else picked(points, self.points, by_time=self.by_time)
                yield run, key, len(points), shown


class _Curves(RestView):
    needs = {"GET": "experiments.see"}
    serializer_class = CurvesJson
    content_negotiation_class = Anything

    def answer(self, runs: Sequence[Run], asked: dict[str, Any]) -> HttpResponseBase:
        """The curves, streamed; as CSV on record, as every export is."""
        kind = kind_of(self.request, "json", "csv")
        wanted = _Asked(self.actor, runs, asked["key"], asked.get("points"), asked["x"] == "time")
        if kind == "csv":
            note_csv(self.actor, runs, "curves")
            return streamed(as_csv(CSV_FIELDS, _rows(wanted)), kind, "curves")
        return streamed(_json(wanted), kind, "curves")


class RunCurves(_Curves, OnRun):
    """Curves of a run."""

    @extend_schema(parameters=[CurvesAsked, format_parameter("json", "csv")], responses=also_as(CurvesJson, "csv"))
    def get(self, request: Request, run: str) -> HttpResponseBase:
        """Each metric as columns of steps, times and values."""
        return self.answer([self.run()], self.asked(CurvesAsked))


class Curves(_Curves):
    """Curves of several runs."""

    @extend_schema(
        parameters=[CurvesOfRunsAsked, format_parameter("json", "csv")], responses=also_as(CurvesJson, "csv")
    )
    def get(self, request: Request) -> HttpResponseBase:
        """Each metric of each run as columns of steps, times and values."""
        asked = self.asked(CurvesOfRunsAsked)
        runs = runs_named(self.actor, [ref for text in asked["run"] for ref in text.split(",")])
        if not runs:
            raise Invalid("Say which runs.", hint="Give run=VIS-1, several times for several.", field="run")
        return self.answer(runs, asked)


def _rows(wanted: _Asked) -> Iterator[list[Value]]:
    for run, key, _, points in wanted.curves():
        for row in rows_of(points):
            yield [run.readable_id, key, *row]


def _json(wanted: _Asked) -> Iterator[bytes]:
    yield b'{"curves":['
    for at, (run, key, total, points) in enumerate(wanted.curves()):
        head = {"run": run.uid.hex, "readable_id": run.readable_id, "key": key, "total": total}
        text = json.dumps(head | columns_of(points), ensure_ascii=False, allow_nan=False)
        yield (b"," if at else b"") + text.encode()
    yield b"]}\n"
