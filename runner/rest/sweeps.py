"""Sweeps: begun, looked at while they go on, and stopped."""

from functools import partial
from typing import Any, Final
from uuid import UUID

from django.db.models import QuerySet
from django.urls import reverse
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import find_project, require
from accounts.rest.door import Number, RestView
from experiments.queries.experiments import wire_id
from experiments.rest.on_run import Why
from experiments.rest.sent import int64, own_tags_apart
from runner.actions.placing import in_experiment
from runner.actions.sweeps import begin_sweep, stop_sweep
from runner.models import Sweep
from runner.queries.rules import rules_of
from runner.queries.sweeps import best_of, children_of, get_sweep, goal_of, progress_of, sweeps_of
from runner.rest.job_fields import JobWanted, experiment_in, wanted_in
from runner.sweep_checking import checked_sweep
from runner.sweeping import AT_ONCE, AT_ONCE_MAX, POINTS_MAX, plan_of


class SweepJson(serializers.ModelSerializer[Sweep]):
    project = serializers.CharField(source="project.slug")
    experiment = serializers.SerializerMethodField(help_text="The experiment's id as on the MLflow wire.")
    run_id = serializers.CharField(source="parent.uid.hex", help_text="The parent run, which its runs are nested in.")
    readable_id = serializers.CharField(source="parent.readable_id", help_text="Of the parent run.")
    name = serializers.CharField(source="parent.name", help_text="Of the parent run.")
    link = serializers.SerializerMethodField(help_text="The page of the parent run.")
    space = serializers.DictField(help_text="By parameter its values, or its range.")
    created_by = serializers.CharField(source="created_by.name", allow_null=True, default=None)
    ended_because = serializers.CharField(help_text="In words.")

    class Meta:
        model = Sweep
        fields = [
            "id", "project", "experiment", "run_id", "readable_id", "name", "link", "method", "space", "seed", "queue",
            "at_once", "jobs_max", "seconds_max", "retries", "metric", "higher_is_better", "state", "ended_because",
            "created_at", "created_by",
        ]  # fmt: skip
        read_only_fields = fields

    def get_experiment(self, sweep: Sweep) -> str:
        return wire_id(sweep.parent.experiment)

    def get_link(self, sweep: Sweep) -> str:
        path = reverse("experiments:run", args=[sweep.parent.readable_id])
        request = self.context.get("request")
        return path if request is None else str(request.build_absolute_uri(path))


class ChildJson(serializers.Serializer[Any]):
    job = serializers.UUIDField(source="job.pk")
    run_id = serializers.CharField(source="job.run.uid.hex")
    readable_id = serializers.CharField(source="job.run.readable_id")
    state = serializers.CharField(source="job.state")
    why = serializers.CharField(source="job.why")
    point = serializers.DictField(help_text="The values that it took.")
    value = Number(allow_null=True, help_text="Of the metric by which the best is told.")


class OneSweepJson(SweepJson):
    counts = serializers.DictField(child=serializers.IntegerField(), help_text="Runs by the state of their job.")
    begun = serializers.IntegerField(help_text="Of jobs_max.")
    seconds = serializers.FloatField(help_text="That its runs took so far, together.")
    goal = serializers.CharField(allow_null=True, help_text="The metric by which the best is told.")
    best = ChildJson(allow_null=True, help_text="Of those that finished.")
    children = ChildJson(many=True)

    class Meta(SweepJson.Meta):
        fields = [*SweepJson.Meta.fields, "counts", "begun", "seconds", "goal", "best", "children"]
        read_only_fields = fields


class SweepWanted(JobWanted):
    priority = None  # type: ignore[assignment]  # the oldest goes first
    space = serializers.DictField(
        help_text='By parameter: `[0.1, 0.01]`, `{"low": 1e-4, "high": 0.1, "log": true}`, or as text, `1e-4..0.1 log`.'
    )
    method = serializers.ChoiceField(choices=Sweep.Method.choices, default=Sweep.Method.GRID)
    sweep_seed = int64(default=0, help_text="Of what is drawn at random.")
    jobs_max = serializers.IntegerField(
        required=False,
        min_value=1,
        max_value=POINTS_MAX,
        help_text="The budget: a grid of more runs is refused; of a random sweep, how many are drawn.",
    )
    seconds_max = serializers.IntegerField(
        required=False, min_value=1, max_value=2**40, help_text="Of all its runs together; none begins after that."
    )
    at_once = serializers.IntegerField(min_value=1, max_value=AT_ONCE_MAX, default=AT_ONCE)
    metric = serializers.CharField(max_length=250, default="", allow_blank=True, help_text="Tells the best run.")
    higher_is_better = serializers.BooleanField(
        required=False, allow_null=True, default=None, help_text="Of that metric; without it as the project says."
    )


EXAMPLE: Final = {
    "trainer": "tabular",
    "params": {"target": "outcome"},
    "inputs": {"train": "icu-vitals v7"},
    "space": {"model": ["random_forest", "logistic"], "depth": "2..12"},
    "method": "random",
    "jobs_max": 20,
    "at_once": 4,
    "metric": "accuracy",
    "higher_is_better": True,
}
_PLAN: Final = ("space", "method", "jobs_max", "seconds_max", "at_once", "metric", "higher_is_better")


class SweepsOfProject(ListAPIView[Sweep], RestView):
    """Sweeps of a project, the newest first."""

    needs = {"GET": "experiments.see", "POST": "runner.launch"}
    serializer_class = SweepJson
    queryset = Sweep.objects.none()
    cursor_order = ("-created_at", "-id")

    def get_queryset(self) -> QuerySet[Sweep]:
        return sweeps_of(self.actor, find_project(self.actor, self.kwargs["slug"]))

    @extend_schema(
        request=SweepWanted,
        responses={201: SweepJson},
        examples=[OpenApiExample("Twenty runs drawn at random", EXAMPLE, request_only=True)],
    )
    def post(self, request: Request, slug: str) -> Response:
        """Begin one: a parent run at once, and its runs as others end, never more than `at_once` under way."""
        project = find_project(self.actor, slug)
        require(self.actor, "runner.launch", project)
        asked = self.parsed(SweepWanted)
        experiment = experiment_in(self.actor, project, asked)
        plan = plan_of(**{name: asked[name] for name in _PLAN if name in asked}, seed=asked["sweep_seed"])
        draft, plan = checked_sweep(self.actor, project, wanted_in(asked), plan)
        begin = partial(
            begin_sweep,
            draft=draft,
            plan=plan,
            name=asked["name"],
            tags=own_tags_apart(asked["tags"]),
            queue=asked["queue"],
            retries=asked.get("retries", rules_of(project).retries),
        )
        made = in_experiment(self.actor, project, experiment, lambda place: begin(self.actor, place))
        return Response(SweepJson(made, context={"request": request}).data, status=201)


class OneSweep(RestView):
    """A sweep and its runs."""

    needs = {"GET": "experiments.see"}
    serializer_class = OneSweepJson

    @extend_schema(responses=OneSweepJson)
    def get(self, request: Request, sweep: UUID) -> Response:
        """How far it is, and the best of its runs so far."""
        found = get_sweep(self.actor, sweep)
        progress, goal = progress_of(self.actor, found), goal_of(self.actor, found)
        best = best_of(self.actor, found)
        told = {
            **SweepJson(found, context={"request": request}).data,
            "counts": dict(progress.counts),
            "begun": progress.begun,
            "seconds": round(progress.seconds, 3),
            "goal": goal.metric if goal else None,
            "best": ChildJson(best).data if best else None,
            "children": ChildJson(children_of(self.actor, found, goal), many=True).data,
        }
        return Response(told)


class StopSweep(RestView):
    """Stopping a sweep."""

    needs = {"POST": "runner.stop"}
    serializer_class = SweepJson

    @extend_schema(request=Why, responses={200: SweepJson})
    def post(self, request: Request, sweep: UUID) -> Response:
        """What waits is over at once, what is under way as soon as its worker hears of it. 409 where it is over."""
        found, asked = get_sweep(self.actor, sweep), self.parsed(Why)
        stopped = stop_sweep(self.actor, found, reason=asked["reason"])
        return Response(SweepJson(stopped, context={"request": request}).data)
