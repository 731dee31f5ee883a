"""Runs that are over, entered in one call: the same fields, checks and event as the form on the pages."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import find_project
from accounts.rest.door import RestView
from experiments.actions.recorded import KEY_MAX, Rehearsal, record_run_once
from experiments.queries.runs import get_run
from experiments.recording.typed import as_typed
from experiments.recording.wanted import NewDataset, Pair, Wanted
from experiments.recording.whole import refuse_unknown
from experiments.rest.runs import RunJson

TEXT_MAX = 100_000
EXAMPLE = {
    "experiment": "icu/by-hand",
    "name": "svm-rbf-w24",
    "architecture": "SVM, RBF kernel, Platt scaling",
    "dataset": "icu-vitals v7",
    "started": "2026-03-02T14:00+01:00",
    "duration": "1h 20m",
    "params": {"kernel": "rbf", "C": 10, "seed": 3},
    "results": {"val/auroc": 0.8127},
    "tags": {"ward": "icu-2"},
    "note": "Done on the old cluster.",
    "email": "ada@example.org",
}


class NewDatasetWanted(serializers.Serializer[Any]):
    name = serializers.CharField(allow_blank=True, default="", max_length=1000)
    digest = serializers.CharField(allow_blank=True, default="", max_length=1000, help_text="What names its content.")
    source = serializers.CharField(  # type: ignore[assignment]  # the field is named as people read it
        allow_blank=True, default="", max_length=4000, help_text="Where it lies."
    )


class SentFile(serializers.Serializer[Any]):
    path = serializers.CharField(max_length=1000, trim_whitespace=False)
    upload = serializers.CharField(max_length=60, help_text="The id of a finished upload of yours.")


class Scalar(serializers.JSONField):
    """A text, number, truth or list: kept as the text that a form would hold."""


class RunWanted(serializers.Serializer[Any]):
    """What the form asks for. What is missing or wrong is told by the record itself, all of it at once."""

    experiment = serializers.CharField(
        allow_blank=True, default="", max_length=TEXT_MAX, help_text="Its name; a new name makes one."
    )
    name = serializers.CharField(allow_blank=True, default="", max_length=TEXT_MAX)
    architecture = serializers.CharField(
        allow_blank=True, default="", max_length=TEXT_MAX, help_text="Kept as the param `architecture`."
    )
    dataset = serializers.CharField(
        allow_blank=True, default="", max_length=TEXT_MAX, help_text="A version of the catalogue: `icu-vitals v7`."
    )
    new_dataset = NewDatasetWanted(required=False, help_text="In its stead: data that is not in the catalogue yet.")
    started = serializers.CharField(
        allow_blank=True, default="", max_length=200, help_text="ISO 8601; without an offset it is UTC."
    )
    ended = serializers.CharField(allow_blank=True, default="", max_length=200)
    duration = serializers.CharField(allow_blank=True, default="", max_length=200, help_text="`1h 20m`, `1:20:00`.")
    status = serializers.CharField(max_length=200, default="FINISHED", help_text="FINISHED, FAILED or KILLED.")
    params = serializers.DictField(child=Scalar(allow_null=True), default=dict)
    results = serializers.DictField(child=Scalar(allow_null=True), default=dict, help_text="A number for each name.")
    tags = serializers.DictField(child=Scalar(allow_null=True), default=dict)
    note = serializers.CharField(allow_blank=True, default="", max_length=TEXT_MAX, trim_whitespace=False)
    commit = serializers.CharField(allow_blank=True, default="", max_length=1000)
    command = serializers.CharField(allow_blank=True, default="", max_length=TEXT_MAX)
    container = serializers.CharField(allow_blank=True, default="", max_length=TEXT_MAX, help_text="Its image.")
    email = serializers.CharField(
        allow_blank=True, default="", max_length=1000, help_text="Whose work it is: a label, kept as tag `mled.email`."
    )
    files = SentFile(many=True, required=False)


class RecordedRuns(RestView):
    """Runs that were entered by hand."""

    needs = {"POST": "experiments.log_run"}
    serializer_class = RunJson

    @extend_schema(
        request=RunWanted,
        responses={201: RunJson},
        parameters=[
            OpenApiParameter(
                "Idempotency-Key", str, OpenApiParameter.HEADER, description="The same key again gives the same run."
            )
        ],
        examples=[OpenApiExample("A run of last spring", EXAMPLE, request_only=True)],
    )
    def post(self, request: Request, slug: str) -> Response:
        """Enter a run that is over: all of it or nothing.

        What is wrong is told field by field in `problems`. With an `Idempotency-Key` a call may be sent again: the same
        content gives the run of the first time, other content 409.
        """
        wanted = _sent(self)
        key = request.headers.get("Idempotency-Key", "")
        made = record_run_once(self.actor, find_project(self.actor, slug), wanted=wanted, key=_own(key))
        run = get_run(self.actor, made.uid.hex)
        return Response(
            RunJson(run, context=self.get_serializer_context()).data,
            status=201,
            headers={"Location": request.build_absolute_uri(f"/api/v1/runs/{run.uid.hex}/")},
        )


class SlipJson(serializers.Serializer[Any]):
    field = serializers.CharField(help_text="Where, such as `results[0].value`.")  # type: ignore[assignment]
    title = serializers.CharField(help_text="What is wrong.")
    hint = serializers.CharField(help_text="What to do.")


class RehearsedJson(serializers.Serializer[Any]):
    problems = SlipJson(many=True, help_text="Empty where all of it is right.")


class CheckRecord(RestView):
    """A record before it is sent."""

    needs = {"POST": "experiments.log_run"}
    serializer_class = RehearsedJson

    @extend_schema(
        request=RunWanted,
        responses={200: RehearsedJson},
        examples=[OpenApiExample("A run of last spring", EXAMPLE, request_only=True)],
    )
    def post(self, request: Request, slug: str) -> Response:
        """What would be wrong with it, by the same rule. Nothing is written; uploads are not looked at."""
        project, wanted = find_project(self.actor, slug), _sent(self)
        found = Rehearsal(self.actor, project).problems(wanted)
        told = [{"field": one.field, "title": one.message, "hint": one.hint} for one in found]
        return Response({"problems": told})


def _sent(view: RestView) -> Wanted:
    """The record of a call. Raises Invalid for fields that no record has."""
    if isinstance(view.request.data, dict):
        refuse_unknown(view.request.data)
    return _wanted(view.parsed(RunWanted))


def _own(key: str) -> str:
    """The key apart from those of forms; one that is too long stays so and is refused."""
    return f"rest:{key}"[: KEY_MAX + 1] if key else ""


def _wanted(asked: dict[str, Any]) -> Wanted:
    new = asked.pop("new_dataset", None) or {}
    files = tuple((one["path"], one["upload"]) for one in asked.pop("files", None) or ())
    rows: dict[str, list[Pair]] = {name: _pairs(asked.pop(name)) for name in ("params", "results", "tags")}
    return Wanted(
        **asked, params=rows["params"], results=rows["results"], tags=rows["tags"], files=files,
        new_dataset=NewDataset(**new),
    )  # fmt: skip


def _pairs(values: dict[str, Any]) -> list[Pair]:
    return [(str(key), as_typed(value)) for key, value in values.items()]
