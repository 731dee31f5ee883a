"""Runs: the list with its filters or a query line, and one run with what it holds."""

from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from accounts.access import find_project
from accounts.models import Project
from accounts.rest.door import RestView, actor_of
from experiments.actions.notes import NOTE, NOTE_MAX, edit_notes, state_of
from experiments.actions.runs import PARENT, create_run, update_run
from experiments.models import Experiment, Run
from experiments.queries.archives import archive_of
from experiments.queries.experiments import (
    DEFAULT_WIRE_ID,
    experiments_named,
    get_experiment,
    get_experiment_by_name,
    wire_id,
)
from experiments.queries.listing import runs_by_key, runs_to_list
from experiments.queries.runs import get_run, params_of, parent_of, series_of, tags_of
from experiments.queries.search import View, search_runs
from experiments.rest.archives import MetricArchiveJson
from experiments.rest.filters import RunFilter
from experiments.rest.metrics import MetricJson
from experiments.rest.sent import int64, own_tags_apart, texts
from experiments.search.ordering import split_orders
from experiments.values import ENDED, EXPERIMENT_NAME_MAX, RunStatus
from kernel.actor import Actor
from kernel.clock import now_ms
from kernel.errors import Invalid

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
            "source_type", "git_commit", "is_locked", "sealed_at", "seal", "lost_at",
        ]  # fmt: skip
        read_only_fields = fields

    def get_experiment(self, run: Run) -> str:
        return wire_id(run.experiment)

    def get_parent(self, run: Run) -> str | None:
        parent = parent_of(actor_of(self.context["request"]), run)
        return parent.uid.hex if parent else None


class RunDetailJson(RunJson):
    params = serializers.DictField(child=serializers.CharField())
    tags = serializers.DictField(child=serializers.CharField())
    metrics = MetricJson(many=True)
    metric_archive = MetricArchiveJson(
        allow_null=True, help_text="Where its points lie, some time after it ended; null where not or not to be had."
    )
    notes_version = serializers.CharField(help_text="Another one when name or note changed: send it as If-Match.")

    class Meta(RunJson.Meta):
        fields = [*RunJson.Meta.fields, "params", "tags", "metrics", "metric_archive", "notes_version"]
        read_only_fields = fields


class NewRun(serializers.Serializer[Any]):
    project = serializers.SlugField()
    experiment = serializers.CharField(
        max_length=20, default=DEFAULT_WIRE_ID, help_text="Its id; without it the project's Default."
    )
    experiment_name = serializers.CharField(
        max_length=EXPERIMENT_NAME_MAX, allow_blank=True, default="", trim_whitespace=False, help_text="In its stead."
    )
    name = serializers.CharField(
        max_length=500, allow_blank=True, default="", trim_whitespace=False, help_text="Without one it gets one."
    )
    started_ms = int64(required=False, help_text="Milliseconds since 1970; without it, now.")
    tags = texts(default=dict)
    parent = serializers.CharField(  # type: ignore[assignment]  # the metaclass takes it from the class
        max_length=80, allow_blank=True, default="", help_text="The run of the same project that it is part of."
    )


NEW_RUN = {
    "project": "pump-alarms",
    "experiment_name": "baseline",
    "name": "svm-rbf-w24",
    "tags": {"ward": "icu-2"},
}


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

    needs = {"GET": "experiments.see", "POST": "experiments.log_run"}
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

    @extend_schema(
        request=NewRun, responses={201: RunJson}, examples=[OpenApiExample("A run", NEW_RUN, request_only=True)]
    )
    def post(self, request: Request) -> Response:
        """Begin a run. What it logs goes to `runs/<id>/batch/`; `PATCH` with a status ends it."""
        asked = self.parsed(NewRun)
        project = find_project(self.actor, asked["project"])
        made = create_run(
            self.actor,
            _experiment_of(self.actor, project, asked),
            name=asked["name"],
            started_ms=asked.get("started_ms", now_ms()),
            tags=_tags_of_new(self.actor, project, asked),
        )
        run = get_run(self.actor, made.uid.hex)
        address = request.build_absolute_uri(f"/api/v1/runs/{run.uid.hex}/")
        return Response(self.get_serializer(run).data, status=201, headers={"Location": address})

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


def _experiment_of(viewer: Actor, project: Project, asked: dict[str, Any]) -> Experiment:
    """The experiment by its id or its name; the project's Default where none is named."""
    if asked["experiment_name"]:
        return get_experiment_by_name(viewer, asked["experiment_name"], project=project)
    return get_experiment(viewer, asked["experiment"], project=project)


def _tags_of_new(viewer: Actor, project: Project, asked: dict[str, Any]) -> dict[str, str]:
    tags: dict[str, str] = own_tags_apart(asked["tags"])
    if not asked["parent"]:
        return tags
    return tags | {PARENT: get_run(viewer, asked["parent"], project=project).uid.hex}


def _line_asked(request: Request) -> dict[str, Any]:
    for name in request.query_params:
        if name not in _LINE:
            raise Invalid(f"'{name[:40]}' does not go with a query line.", hint="Say it in q.", field=name[:40])
    given: dict[str, Any] = request.query_params.dict()
    given |= {name: request.query_params.getlist(name) for name in ("order", "experiment")}
    asked = LineAsked(data=given)
    asked.is_valid(raise_exception=True)
    return dict(asked.validated_data)


class RunChange(serializers.Serializer[Any]):
    name = serializers.CharField(required=False, max_length=500, trim_whitespace=False)
    note = serializers.CharField(required=False, allow_blank=True, max_length=NOTE_MAX, trim_whitespace=False)
    status = serializers.ChoiceField(
        required=False,
        choices=RunStatus.choices,
        help_text="Any may follow any; with FINISHED, FAILED or KILLED it ends.",
    )
    ended_ms = int64(
        required=False, help_text="Milliseconds since 1970; without it, now where the status ends the run."
    )
    expected = serializers.CharField(
        required=False,
        max_length=64,
        help_text="For name and note: the `notes_version` that you read, or * for any; If-Match says the same.",
    )


class OneRun(RestView):
    """One run with its params, tags and metrics."""

    needs = {"GET": "experiments.see", "PATCH": "experiments.edit_notes"}
    serializer_class = RunDetailJson
    also_tags = ("notes_version",)

    def get(self, request: Request, run: str) -> Response:
        return self._shown(get_run(self.actor, run))

    @extend_schema(
        request=RunChange,
        responses={200: RunDetailJson},
        parameters=[OpenApiParameter("If-Match", str, OpenApiParameter.HEADER, description="A `notes_version`, or *.")],
    )
    def patch(self, request: Request, run: str) -> Response:
        """Change name, note (the tag mlflow.note.content), status or end.

        Name and note change only if nobody else changed them since you read them (409).
        """
        found, wanted = get_run(self.actor, run), self.parsed(RunChange)
        expected = wanted.pop("expected", "") or ("*" if "If-Match" in request.headers else "")  # compared by the door
        notes = {name: wanted[name] for name in ("name", "note") if name in wanted}
        if notes and not expected:
            raise Invalid(
                "Say which name and note you change.",
                hint="Send the run's notes_version as If-Match or as expected, or * for any.",
                field="expected",
            )
        with transaction.atomic():
            if notes:
                edit_notes(self.actor, found, expected=expected, **notes)
            if "status" in wanted or "ended_ms" in wanted:
                update_run(self.actor, found, status=_status(wanted), ended_ms=_end(wanted))
        return self._shown(get_run(self.actor, run))

    def _shown(self, run: Run) -> Response:
        tags = tags_of(self.actor, run)
        version = state_of(run.name, tags.get(NOTE, ""))
        archive = archive_of(self.actor, run)
        held = {
            "params": params_of(self.actor, run),
            "tags": tags,
            "metrics": MetricJson(series_of(self.actor, run), many=True).data,
            "metric_archive": archive and MetricArchiveJson(archive).data,
            "notes_version": version,
        }
        shown = RunJson(run, context=self.get_serializer_context()).data | held
        return Response(shown)


def _status(wanted: dict[str, Any]) -> RunStatus | None:
    return RunStatus(wanted["status"]) if "status" in wanted else None


def _end(wanted: dict[str, Any]) -> int | None:
    """When it ended: as it was sent; now, where only a status says that it did."""
    return wanted.get("ended_ms", now_ms() if wanted.get("status") in ENDED else None)
