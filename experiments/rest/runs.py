"""Runs: the list with its filters or a query line, and one run with what it holds."""

import math
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from accounts.access import find_project
from accounts.rest.door import Number, RestView, actor_of, said
from experiments.actions.notes import NOTE, NOTE_MAX, edit_notes, state_of
from experiments.models import MetricSeries, Run
from experiments.queries.experiments import experiments_named, wire_id
from experiments.queries.listing import runs_by_key, runs_to_list
from experiments.queries.runs import get_run, metric_history, params_of, parent_of, series_of, tags_of
from experiments.queries.search import View, search_runs
from experiments.rest.filters import RunFilter
from experiments.search.ordering import split_orders
from kernel.errors import Invalid

HISTORY_POINTS, HISTORY_MAX = 10_000, 100_000
LIST_MAX = 1000
_LINE = {"q", "order", "project", "experiment", "lifecycle", "limit", "cursor", "format"}
_VIEWS = {"": View.ACTIVE_ONLY, "active": View.ACTIVE_ONLY, "deleted": View.DELETED_ONLY, "all": View.ALL}


class RunJson(serializers.ModelSerializer[Run]):
    id = serializers.CharField(source="uid.hex", help_text="32 hex digits, as on the MLflow wire.")
    readable_id = serializers.CharField(help_text="As people say it, such as VIS-123.")
    project = serializers.CharField(source="project.slug")
    experiment = serializers.SerializerMethodField(help_text="The experiment's id as on the MLflow wire.")
    experiment_name = serializers.CharField(source="experiment.name")
    user = serializers.CharField(source="created_by.name", allow_null=True, default=None)
    parent = serializers.SerializerMethodField(  # type: ignore[assignment]  # the metaclass takes it from the class
        help_text="The run that it is part of, where one may see that."
    )

    class Meta:
        model = Run
        fields = [
            "id", "readable_id", "project", "experiment", "experiment_name", "name", "status", "lifecycle",
            "review_state", "started_ms", "ended_ms", "created_at", "user", "claimed_user", "parent", "source_name",
            "source_type", "git_commit", "is_locked", "sealed_at", "seal",
        ]  # fmt: skip
        read_only_fields = fields

    def get_experiment(self, run: Run) -> str:
        return wire_id(run.experiment)

    def get_parent(self, run: Run) -> str | None:
        parent = parent_of(actor_of(self.context["request"]), run)
        return parent.uid.hex if parent else None


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


class RunDetailJson(RunJson):
    params = serializers.DictField(child=serializers.CharField())
    tags = serializers.DictField(child=serializers.CharField())
    metrics = MetricJson(many=True)
    notes_version = serializers.CharField(help_text="Another one when name or note changed: send it as If-Match.")

    class Meta(RunJson.Meta):
        fields = [*RunJson.Meta.fields, "params", "tags", "metrics", "notes_version"]
        read_only_fields = fields


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


class LineAsked(serializers.Serializer[Any]):
    q = serializers.CharField(allow_blank=True, default="", max_length=10_000)
    order = serializers.ListField(child=serializers.CharField(allow_blank=True, max_length=1000), default=list)
    project = serializers.SlugField(allow_blank=True, default="")
    experiment = serializers.ListField(child=serializers.CharField(max_length=20), default=list)
    lifecycle = serializers.ChoiceField(choices=list(_VIEWS), default="")
    limit = serializers.IntegerField(min_value=1, max_value=LIST_MAX, default=100)
    cursor = serializers.CharField(allow_blank=True, default="", max_length=2000)


class Runs(ListAPIView[Run], RestView):
    """The runs that one may see.

    Narrowed by simple filters, newest first; or, with `q` or `order`, by a query line such as
    `metrics.accuracy > 0.9 AND params.model = "vit"`, sorted as `order` says (`metrics.accuracy DESC`).
    """

    needs = {"GET": "experiments.see"}
    queryset = Run.objects.none()
    serializer_class = RunJson
    filterset_class = RunFilter

    def get_queryset(self) -> QuerySet[Run]:
        return runs_to_list(self.actor)

    @extend_schema(
        parameters=[
            OpenApiParameter("q", str, description="A query line."),
            OpenApiParameter("order", str, many=True, description="Keys of a query's order, also several by commas."),
        ]
    )
    def get(self, request: Request) -> Response:
        if request.query_params.get("q") or request.query_params.get("order"):
            return self._searched(request)
        return self.list(request)

    def _searched(self, request: Request) -> Response:
        asked = _line_asked(request)
        project = find_project(self.actor, asked["project"]) if asked["project"] else None
        page = search_runs(
            self.actor,
            project=project,
            experiments=experiments_named(self.actor, project, asked["experiment"]),
            text=asked["q"],
            order=[key for text in asked["order"] for key in split_orders(text)],
            view=_VIEWS[asked["lifecycle"]],
            limit=asked["limit"],
            after=asked["cursor"],
        )
        following = None
        if page.next_token:
            following = replace_query_param(request.build_absolute_uri(), "cursor", page.next_token)
        runs = runs_by_key(self.actor, [row.id for row in page.rows])
        return Response({"next": following, "previous": None, "results": self.get_serializer(runs, many=True).data})


def _line_asked(request: Request) -> dict[str, Any]:
    for name in request.query_params:
        if name not in _LINE:
            raise Invalid(f"'{name[:40]}' does not go with a query line.", hint="Say it in q.", field=name[:40])
    given: dict[str, Any] = request.query_params.dict()
    given |= {name: request.query_params.getlist(name) for name in ("order", "experiment")}
    asked = LineAsked(data=given)
    asked.is_valid(raise_exception=True)
    return dict(asked.validated_data)


class NotesWanted(serializers.Serializer[Any]):
    name = serializers.CharField(required=False, max_length=500, trim_whitespace=False)
    note = serializers.CharField(required=False, allow_blank=True, max_length=NOTE_MAX, trim_whitespace=False)
    expected = serializers.CharField(
        required=False,
        max_length=64,
        help_text="The `notes_version` that you read, or * for any; the header If-Match says the same.",
    )


class OneRun(RestView):
    """One run with its params, tags and metrics."""

    needs = {"GET": "experiments.see", "PATCH": "experiments.edit_notes"}
    serializer_class = RunDetailJson

    def get(self, request: Request, run: str) -> Response:
        return self._shown(get_run(self.actor, run))

    @extend_schema(
        request=NotesWanted,
        responses={200: RunDetailJson},
        parameters=[OpenApiParameter("If-Match", str, OpenApiParameter.HEADER, description="A `notes_version`, or *.")],
    )
    def patch(self, request: Request, run: str) -> Response:
        """Change its name or its note (the tag mlflow.note.content), if nobody else did since you read them (409)."""
        wanted = self.parsed(NotesWanted)
        expected = wanted.pop("expected", "") or request.headers.get("If-Match", "").strip().strip('"')
        if not expected:
            raise Invalid(
                "Say which name and note you change.",
                hint="Send the run's notes_version as If-Match or as expected, or * for any.",
                field="expected",
            )
        edit_notes(self.actor, get_run(self.actor, run), expected=expected, **wanted)
        return self._shown(get_run(self.actor, run))

    def _shown(self, run: Run) -> Response:
        tags = tags_of(self.actor, run)
        version = state_of(run.name, tags.get(NOTE, ""))
        held = {
            "params": params_of(self.actor, run),
            "tags": tags,
            "metrics": MetricJson(series_of(self.actor, run), many=True).data,
            "notes_version": version,
        }
        shown = RunJson(run, context=self.get_serializer_context()).data | held
        return Response(shown, headers={"ETag": f'"{version}"'})


class MetricHistory(RestView):
    """Every point of one metric, in pages."""

    needs = {"GET": "experiments.see"}
    serializer_class = HistoryJson

    @extend_schema(parameters=[HistoryAsked], responses=HistoryJson)
    def get(self, request: Request, run: str) -> Response:
        asked = HistoryAsked(data=request.query_params.dict())
        asked.is_valid(raise_exception=True)
        key, limit, token = (asked.validated_data[name] for name in ("key", "limit", "page_token"))
        page = metric_history(self.actor, get_run(self.actor, run), key, limit=limit, after=token)
        points = page.points
        return Response(
            {
                "key": key,
                "steps": points.steps.tolist(),
                "times_ms": points.times.tolist(),
                "values": [said(value) for value in points.values.tolist()],
                "next_page_token": page.next_token,
            }
        )
