"""Runs beside each other: what each says of every metric, param, tag, dataset, its code and its packages."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from django.http.response import HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.rest.door import RestView, said
from experiments.actions.exports import note_csv
from experiments.compare.figures import figure_of
from experiments.compare.matrix import Figure
from experiments.compare.packages import packages_of
from experiments.exporting.fields import Field, Value
from experiments.exporting.texts import as_csv
from experiments.models import Run
from experiments.queries.comparison import COMPARED_MAX, Compared, compared, runs_named
from experiments.queries.packages import package_lists
from experiments.rest.tables import Anything, also_as, format_parameter, kind_of, streamed
from experiments.values import RunStatus
from kernel.errors import Invalid

CODE_TAGS: Final = {
    "repository": "mlflow.source.git.repoURL",
    "branch": "mlflow.source.git.branch",
    "dirty": "mlflow.source.git.dirty",
    "entry_point": "mlflow.project.entryPoint",
    "image": "mlflow.docker.image.name",
}
KINDS: Final = ("metric", "param", "tag", "data", "code", "package", "run")
Row = tuple[str, str, list[Value]]


class CompareAsked(serializers.Serializer[Any]):
    run = serializers.ListField(
        child=serializers.CharField(max_length=4_000),
        default=list,
        help_text=f"Runs by id, several times or with commas: 2 to {COMPARED_MAX}.",
    )
    figure = serializers.ChoiceField(
        choices=[one.value for one in Figure], default=Figure.LAST.value, help_text="Which value of each metric."
    )
    kind = serializers.MultipleChoiceField(choices=KINDS, required=False, help_text="Only these rows.")
    differing = serializers.BooleanField(default=False, help_text="Only rows in which the runs differ.")


class ComparedRunJson(serializers.Serializer[Any]):
    id = serializers.CharField(source="uid.hex")
    readable_id = serializers.CharField()
    name = serializers.CharField()
    project = serializers.CharField(source="project.slug")


class ComparedRowJson(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(choices=KINDS)
    name = serializers.CharField()
    values = serializers.ListField(
        child=serializers.JSONField(allow_null=True), help_text="One for each run: a number of metrics, else a text."
    )
    varies = serializers.BooleanField(help_text="Whether not all say the same.")


class ComparisonJson(serializers.Serializer[Any]):
    runs = ComparedRunJson(many=True)
    rows = ComparedRowJson(many=True)


class Compare(RestView):
    """A comparison of runs, of one project or of several."""

    needs = {"GET": "experiments.see"}
    serializer_class = ComparisonJson
    content_negotiation_class = Anything

    @extend_schema(parameters=[CompareAsked, format_parameter("json", "csv")], responses=also_as(ComparisonJson, "csv"))
    def get(self, request: Request) -> HttpResponseBase:
        """A row for each field, a value for each run. Packages only of runs whose files one may download."""
        asked = self.asked(CompareAsked)
        runs = runs_named(self.actor, [ref for text in asked["run"] for ref in text.split(",")])
        if len(runs) < 2:
            raise Invalid("There are two runs or more to compare.", hint="Give run=VIS-1&run=VIS-2.", field="run")
        kinds = [kind for kind in KINDS if kind in asked.get("kind", KINDS)] or list(KINDS)
        held = compared(self.actor, runs)
        rows = [row for kind in kinds for row in self._rows(kind, held, Figure(asked["figure"]))]
        if asked["differing"]:
            rows = [row for row in rows if varies(row[2])]
        if kind_of(request, "json", "csv") == "csv":
            note_csv(self.actor, runs, "a comparison")
            lines = ([kind, name, *map(_cell, values)] for kind, name, values in rows)
            return streamed(as_csv(_head(runs), lines), "csv", "comparison")
        shown = [
            {"kind": kind, "name": name, "values": [_number(one) for one in values], "varies": varies(values)}
            for kind, name, values in rows
        ]
        return Response({"runs": ComparedRunJson(runs, many=True).data, "rows": shown})

    def _rows(self, kind: str, held: Compared, figure: Figure) -> list[Row]:
        if kind == "metric":
            return _metrics(held, figure)
        if kind == "package":
            lists = package_lists(self.actor, held.runs)
            mine = {run.pk: packages_of(lists[run.pk]) if run.pk in lists else {} for run in held.runs}
            return _texts(kind, held, _turned(mine))
        return _texts(kind, held, _TEXTS[kind](held))


def varies(values: Sequence[Value]) -> bool:
    """Whether not all are the same; NaN is like NaN."""
    return len({repr(one) for one in values}) > 1


def _head(runs: Sequence[Run]) -> list[Field]:
    return [Field("kind"), Field("field"), *(Field(run.readable_id) for run in runs)]


def _cell(value: Value) -> Value:
    return repr(value) if isinstance(value, float) else value


def _number(value: Value) -> Value:
    return said(value) if isinstance(value, float) else value


def _metrics(held: Compared, figure: Figure) -> list[Row]:
    return [
        ("metric", key, [figure_of(series.get(run.pk), figure, held.directions.get(key)) for run in held.runs])
        for key, series in held.series.items()
    ]


Said = Mapping[str, Mapping[int, str]]  # by field, then by run


def _texts(kind: str, held: Compared, fields: Said) -> list[Row]:
    rows: list[Row] = [(kind, name, [by_run.get(run.pk) for run in held.runs]) for name, by_run in fields.items()]
    return [row for row in rows if any(value is not None for value in row[2])]


def _turned(by_run: Mapping[int, Mapping[str, str]]) -> Said:
    fields: dict[str, dict[int, str]] = {}
    for run, mine in by_run.items():
        for name, value in mine.items():
            fields.setdefault(name, {})[run] = value
    return dict(sorted(fields.items()))


def _tags(held: Compared) -> Said:
    """Tags that people set: those of MLflow's clients tell runs apart, not together."""
    said = _turned(held.tags)
    return {key: by_run for key, by_run in said.items() if not key.startswith("mlflow.")}


def _data(held: Compared) -> Said:
    found: dict[int, dict[str, str]] = {}
    for run, inputs in held.inputs.items():
        for one in inputs:
            roles, name = found.setdefault(run, {}), one.context or "input"
            roles[name] = f"{roles[name]}, {one.dataset_version}" if name in roles else str(one.dataset_version)
    return _turned(found)


def _code(held: Compared) -> Said:
    found: dict[int, dict[str, str]] = {}
    for run in held.runs:
        tags = held.tags.get(run.pk, {})
        told = {"commit": run.git_commit, "script": run.source_name}
        told |= {name: tags.get(tag, "") for name, tag in CODE_TAGS.items()}
        found[run.pk] = {name: text for name, text in told.items() if text}
    return _turned(found)


def _run(held: Compared) -> Said:
    return _turned(
        {
            run.pk: {
                "status": RunStatus(run.status).value,
                "user": str(run.created_by) if run.created_by else "",
                "project": run.project.slug,
                "experiment": run.experiment.name,
            }
            for run in held.runs
        }
    )


_TEXTS: Final[Mapping[str, Callable[[Compared], Said]]] = {
    "param": lambda held: held.params,
    "tag": _tags,
    "data": _data,
    "code": _code,
    "run": _run,
}
