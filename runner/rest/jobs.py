"""Jobs: launched, listed, read while they go on, stopped and tried again."""

from functools import partial
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import find_project, require
from accounts.rest.door import RestView, actor_of
from experiments.rest.on_run import OnRun, Why
from experiments.rest.sent import own_tags_apart
from kernel.errors import NotFound
from runner.actions.jobs import launch, retry_job, stop_job
from runner.actions.placing import in_experiment
from runner.models import Job
from runner.queries.jobs import get_job, job_of, jobs_of
from runner.queries.launching import tries_of
from runner.queries.output import PIECE_MAX, output_of
from runner.queries.queue import standing
from runner.queries.rules import rules_of
from runner.rest.job_asked import asked_of
from runner.rest.job_fields import EXAMPLE, JobJson, JobWanted, OneJobJson

_STATES = [("open", "Not over"), *Job.State.choices]


class JobFilter(filters.FilterSet):
    state = filters.MultipleChoiceFilter(choices=_STATES, method="in_states", help_text="Several: any of them.")
    queue = filters.CharFilter(help_text="Its name.")
    sweep = filters.UUIDFilter(field_name="sweep_id", help_text="The id of a sweep.")
    mine = filters.BooleanFilter(method="of_oneself", help_text="Asked for by oneself.")

    class Meta:
        model = Job
        fields: list[str] = []

    def in_states(self, rows: QuerySet[Job], name: str, value: list[str]) -> QuerySet[Job]:
        wanted = {*value, *(Job.OPEN if "open" in value else ())} - {"open"}
        return rows.filter(state__in=sorted(wanted)) if wanted else rows

    def of_oneself(self, rows: QuerySet[Job], name: str, value: bool) -> QuerySet[Job]:
        own = {"created_by": actor_of(self.request).user_id}
        return rows.filter(**own) if value else rows.exclude(**own)


class JobsOfProject(ListAPIView[Job], RestView):
    """Jobs of a project, the newest first."""

    needs = {"GET": "experiments.see", "POST": "runner.launch"}
    serializer_class = JobJson
    queryset = Job.objects.none()
    filterset_class = JobFilter
    cursor_order = ("-created_at", "-id")

    def get_queryset(self) -> QuerySet[Job]:
        return jobs_of(self.actor, find_project(self.actor, self.kwargs["slug"]))

    @extend_schema(
        request=JobWanted,
        responses={201: JobJson},
        examples=[OpenApiExample("A built-in trainer on a dataset", EXAMPLE, request_only=True)],
    )
    def post(self, request: Request, slug: str) -> Response:
        """Launch one. Its run is there at once, queued; a worker takes it when it is its turn."""
        project = find_project(self.actor, slug)
        require(self.actor, "runner.launch", project)
        asked, experiment, draft = asked_of(self, request, project)
        shared = partial(
            launch,
            draft=draft,
            name=asked["name"],
            tags=own_tags_apart(asked["tags"]),
            queue=asked["queue"],
            priority=asked["priority"],
            retries=asked.get("retries", rules_of(project).retries),
        )
        made = in_experiment(self.actor, project, experiment, lambda place: shared(self.actor, place))
        return Response(JobJson(made, context={"request": request}).data, status=201)


class OneJob(RestView):
    """A job as it is now."""

    needs = {"GET": "experiments.see"}
    serializer_class = OneJobJson

    @extend_schema(responses=OneJobJson)
    def get(self, request: Request, job: UUID) -> Response:
        """With its command, and while it waits its place in the queue."""
        return Response(one_job_json(self, get_job(self.actor, job)))


class StopJob(RestView):
    """Stopping what waits or is under way."""

    needs = {"POST": "runner.stop"}
    serializer_class = JobJson

    @extend_schema(request=Why, responses={200: JobJson})
    def post(self, request: Request, job: UUID) -> Response:
        """One that waits is over at once, one under way as soon as its worker hears of it. 409 where it is over."""
        found, asked = get_job(self.actor, job), self.parsed(Why)
        stopped = stop_job(self.actor, found, reason=asked["reason"])
        return Response(JobJson(stopped, context={"request": request}).data)


class RetryJob(RestView):
    """Trying again what failed or was stopped."""

    needs = {"POST": "runner.launch"}
    serializer_class = JobJson

    @extend_schema(request=None, responses={201: JobJson})
    def post(self, request: Request, job: UUID) -> Response:
        """The same in a new job with a new run, once for each job; 409 where there is nothing to try again."""
        made = retry_job(self.actor, get_job(self.actor, job))
        return Response(JobJson(made, context={"request": request}).data, status=201)


class OutputAsked(serializers.Serializer[Any]):
    stream = serializers.ChoiceField(choices=["stdout", "stderr"], default="stdout")
    limit = serializers.IntegerField(min_value=16, max_value=PIECE_MAX, default=PIECE_MAX, help_text="Bytes at most.")

    def get_fields(self) -> dict[str, Any]:
        place = serializers.IntegerField(
            min_value=0, max_value=2**62, default=0, help_text="From this byte on: `next` of the piece before."
        )
        return {**super().get_fields(), "from": place}  # a word of the language, not to be had as a name


class OutputJson(serializers.Serializer[Any]):
    stream = serializers.CharField()
    text = serializers.CharField()
    start = serializers.IntegerField(help_text="Where it begins, in bytes; later than asked where that is not kept.")
    next = serializers.IntegerField(help_text="The place to ask from the next time.")
    is_end = serializers.BooleanField(help_text="There is nothing after it, and nothing will come.")
    state = serializers.CharField(help_text="Of the job.")


class JobOutputPieces(RestView):
    """What a job printed."""

    needs = {"GET": "experiments.download"}
    serializer_class = OutputJson

    @extend_schema(parameters=[OutputAsked], responses=OutputJson)
    def get(self, request: Request, job: UUID) -> Response:
        """A piece of it, while it goes on and afterwards: ask again from `next` until `is_end`."""
        found, asked = get_job(self.actor, job), self.asked(OutputAsked)
        is_errors = asked["stream"] == "stderr"
        piece = output_of(self.actor, found, is_errors=is_errors, start=asked["from"], limit=asked["limit"])
        told = {
            "stream": asked["stream"],
            "text": piece.text,
            "start": piece.start,
            "next": piece.following,
            "is_end": piece.is_end,
            "state": found.state,
        }
        return Response(OutputJson(told).data)


class JobOfRun(OnRun):
    """The job that made a run."""

    needs = {"GET": "experiments.see"}
    serializer_class = OneJobJson

    @extend_schema(responses=OneJobJson)
    def get(self, request: Request, run: str) -> Response:
        """As it is now; 404 for a run that was logged from elsewhere."""
        found = job_of(self.actor, self.run())
        if found is None:
            raise NotFound("This run was not launched here.", hint="It was logged from elsewhere.")
        return Response(one_job_json(self, found))


def one_job_json(view: RestView, job: Job) -> dict[str, Any]:
    """A job with its place in the queue, while it waits, and what became of it."""
    after = tries_of(view.actor, job).after
    job.next_try = after.pk if after else None  # type: ignore[attr-defined]
    job.place = standing(view.actor, job) if job.state == Job.State.QUEUED else None  # type: ignore[attr-defined]
    return dict(OneJobJson(job, context={"request": view.request}).data)
