"""What can be run: templates of a project, built-in trainers, and the recipes and environments that were kept."""

from dataclasses import asdict
from uuid import UUID

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import find_project, require
from accounts.rest.door import RestView
from runner.actions.environments import keep_environment
from runner.actions.templates import change_template, keep_template, retire_template
from runner.checking_secrets import require_secret
from runner.models import Environment, Template
from runner.packages import read_packages
from runner.queries.recipes import find_environment, find_recipe, visible_environments
from runner.queries.templates import find_template, templates_of
from runner.rest.template_fields import (
    DRAFT_EXAMPLE,
    EnvironmentJson,
    EnvironmentSent,
    OneEnvironmentJson,
    RecipeJson,
    TemplateChanged,
    TemplateJson,
    TemplateSent,
    TrainerJson,
    TrainersJson,
)
from runner.trainers import trainer, trainers


class TemplateFilter(filters.FilterSet):
    retired = filters.BooleanFilter(method="with_retired", help_text="With those that were taken off the list.")

    class Meta:
        model = Template
        fields: list[str] = []

    def with_retired(self, rows: QuerySet[Template], name: str, value: bool) -> QuerySet[Template]:
        return rows if value else rows.filter(retired_at=None)


class TemplatesOfProject(ListAPIView[Template], RestView):
    """Ways to start runs that a project keeps, by name."""

    needs = {"GET": "experiments.see", "POST": "runner.keep_templates"}
    serializer_class = TemplateJson
    queryset = Template.objects.none()
    filterset_class = TemplateFilter
    cursor_order = ("name", "id")

    def get_queryset(self) -> QuerySet[Template]:
        retired = self.request.query_params.get("retired", "").lower() in ("true", "1")
        return templates_of(self.actor, find_project(self.actor, self.kwargs["slug"]), retired=retired)

    @extend_schema(
        request=TemplateSent,
        responses={201: TemplateJson},
        examples=[OpenApiExample("A script of a repository", DRAFT_EXAMPLE, request_only=True)],
    )
    def post(self, request: Request, slug: str) -> Response:
        """Keep one. What it says is checked; data and parameters may be left for whoever starts it."""
        project = find_project(self.actor, slug)
        require(self.actor, "runner.keep_templates", project)
        asked = self.parsed(TemplateSent)
        made = keep_template(
            self.actor,
            project,
            name=asked["name"],
            description=asked["description"],
            draft=asked["draft"],
            schema=asked.get("schema"),
        )
        return Response(self.get_serializer(made).data, status=201)


class OneTemplate(RestView):
    """A template."""

    needs = {"GET": "experiments.see", "PATCH": "runner.keep_templates", "DELETE": "runner.keep_templates"}
    serializer_class = TemplateJson

    @extend_schema(responses=TemplateJson)
    def get(self, request: Request, template: UUID) -> Response:
        """What it says; also where it was taken off the list."""
        return Response(self.get_serializer(find_template(self.actor, template)).data)

    @extend_schema(request=TemplateChanged, responses={200: TemplateJson})
    def patch(self, request: Request, template: UUID) -> Response:
        """Change what is given; runs that were started from it stay as they are."""
        found, asked = find_template(self.actor, template), self.parsed(TemplateChanged)
        return Response(self.get_serializer(change_template(self.actor, found, **asked)).data)

    @extend_schema(responses={200: TemplateJson})
    def delete(self, request: Request, template: UUID) -> Response:
        """Take it off the list. It stays readable by its id."""
        return Response(self.get_serializer(retire_template(self.actor, find_template(self.actor, template))).data)


class Trainers(RestView):
    """What MLED can train by itself."""

    needs = {"GET": "projects.see"}
    serializer_class = TrainersJson

    @extend_schema(operation_id="trainers_list", responses=TrainersJson)
    def get(self, request: Request) -> Response:
        """The built-in trainers, with their parameters and the data that they take."""
        return Response(TrainersJson({"results": trainers()}).data)


class OneTrainer(RestView):
    """A built-in trainer."""

    needs = {"GET": "projects.see"}
    serializer_class = TrainerJson

    @extend_schema(responses=TrainerJson)
    def get(self, request: Request, trainer_name: str) -> Response:
        """One by its name."""
        return Response(TrainerJson(trainer(trainer_name)).data)


class OneRecipe(RestView):
    """A recipe: everything that a job was asked to do."""

    needs = {"GET": "experiments.see"}
    serializer_class = RecipeJson

    @extend_schema(responses=RecipeJson)
    def get(self, request: Request, recipe: UUID) -> Response:
        """As it was kept. It never changes."""
        return Response(self.get_serializer(find_recipe(self.actor, recipe)).data)


class EnvironmentsOfProject(ListAPIView[Environment], RestView):
    """Packages that things were run with in a project, the newest first."""

    needs = {"GET": "experiments.see", "POST": "runner.launch"}
    serializer_class = EnvironmentJson
    queryset = Environment.objects.none()
    cursor_order = ("-created_at", "-id")

    def get_queryset(self) -> QuerySet[Environment]:
        return visible_environments(self.actor, find_project(self.actor, self.kwargs["slug"]))

    @extend_schema(request=EnvironmentSent, responses={201: EnvironmentJson})
    def post(self, request: Request, slug: str) -> Response:
        """Keep one, to be named by its id. The same content gives the one that is there."""
        project = find_project(self.actor, slug)
        require(self.actor, "runner.launch", project)
        packages = read_packages(self.parsed(EnvironmentSent), field="")
        require_secret(project, packages.secret, "secret")
        made = keep_environment(self.actor, project, **asdict(packages))
        return Response(self.get_serializer(made).data, status=201)


class OneEnvironment(RestView):
    """Packages that something was run with."""

    needs = {"GET": "experiments.see"}
    serializer_class = OneEnvironmentJson

    @extend_schema(responses=OneEnvironmentJson)
    def get(self, request: Request, environment: UUID) -> Response:
        """With the text of its files."""
        return Response(self.get_serializer(find_environment(self.actor, environment)).data)
