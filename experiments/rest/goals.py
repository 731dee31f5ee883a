"""A project's goal, and how far its runs have come."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Project
from experiments.actions.goals import SET, clear_goal, set_goal
from experiments.queries.goals import GoalState, Improvement, goal_of, progress_of
from experiments.rest.experiments import InProject
from kernel.errors import NotFound


class GoalJson(serializers.Serializer[Any]):
    metric = serializers.CharField(allow_null=True, help_text="null: the project has no goal.")
    higher_is_better = serializers.BooleanField(allow_null=True)
    target = serializers.FloatField(allow_null=True)
    by_date = serializers.DateField(allow_null=True, help_text="The last day that is in time, in UTC.")


class GoalWanted(serializers.Serializer[Any]):
    metric = serializers.CharField(max_length=250)
    higher_is_better = serializers.BooleanField(help_text="It holds for this metric in all of the project.")
    target = serializers.FloatField()
    by_date = serializers.DateField(allow_null=True, default=None)
    reason = serializers.CharField(allow_blank=True, default="", max_length=1000, help_text="Kept in the log.")


class ImprovementJson(serializers.Serializer[Any]):
    run = serializers.CharField(source="run.uid.hex")
    readable_id = serializers.CharField(source="run.readable_id")
    name = serializers.CharField(source="run.name")
    value = serializers.FloatField()
    ended_ms = serializers.IntegerField(source="at_ms")


class GoalProgressJson(serializers.Serializer[Any]):
    state = serializers.ChoiceField(choices=[state.value for state in GoalState])
    runs = serializers.IntegerField(help_text="Finished runs that measured it.")
    is_whole = serializers.BooleanField(help_text="False: older runs than the newest 10,000 were left out.")
    best = ImprovementJson(allow_null=True)
    improvements = ImprovementJson(many=True, help_text="Runs better than all before, the last hundred.")


class OneGoal(InProject):
    """What a project is after."""

    needs = {"GET": "experiments.see", "PUT": SET, "DELETE": SET}
    serializer_class = GoalJson

    @extend_schema(responses={200: GoalJson})
    def get(self, request: Request, slug: str) -> Response:
        """The goal; each field is null where there is none."""
        return Response(self._shown(self.project()))

    @extend_schema(request=GoalWanted, responses={200: GoalJson})
    def put(self, request: Request, slug: str) -> Response:
        """Set it, in place of what stands there; If-Match keeps somebody else's change."""
        return Response(self._shown(set_goal(self.actor, self.project(), **self.parsed(GoalWanted))))

    @extend_schema(responses={204: None})
    def delete(self, request: Request, slug: str) -> Response:
        """Let the project have none."""
        clear_goal(self.actor, self.project())
        return Response(status=204)

    def _shown(self, project: Project) -> Any:
        goal = goal_of(self.actor, project)
        return GoalJson(goal).data if goal else dict.fromkeys(GoalJson().fields)


class GoalProgress(InProject):
    """How far the runs have come."""

    needs = {"GET": "experiments.see"}
    serializer_class = GoalProgressJson

    @extend_schema(responses={200: GoalProgressJson})
    def get(self, request: Request, slug: str) -> Response:
        """The best result over time, of finished runs by the best value of each. 404 where there is no goal."""
        project = self.project()
        goal = goal_of(self.actor, project)
        if goal is None:
            raise NotFound(f"The project '{project.slug}' has no goal.", hint="A manager sets it with PUT on goal/.")
        progress = progress_of(self.actor, project, goal)
        best: Improvement | None = progress.best
        told = {
            "state": progress.state.value,
            "runs": len(progress.measured),
            "is_whole": progress.is_whole,
            "best": best,
            "improvements": progress.improvements,
        }
        return Response(GoalProgressJson(told).data)
