"""Projects and who is in them."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import find_project, roles_in
from accounts.actions.projects import edit_project
from accounts.models import Membership, Project, User
from accounts.queries.projects import members_of, visible_projects
from accounts.rest.door import RestView, actor_of


class PersonJson(serializers.ModelSerializer[User]):
    class Meta:
        model = User
        fields = ["id", "name", "email"]
        read_only_fields = fields


class ProjectJson(serializers.ModelSerializer[Project]):
    my_roles = serializers.SerializerMethodField(help_text="One's own roles there, site-wide ones included.")

    class Meta:
        model = Project
        fields = [
            "id",
            "slug",
            "key",
            "name",
            "purpose",
            "risk_class",
            "visibility",
            "is_governed",
            "created_at",
            "my_roles",
        ]
        read_only_fields = fields

    def get_my_roles(self, project: Project) -> list[str]:
        return sorted(roles_in(actor_of(self.context["request"]), project.pk))


class ProjectEdits(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=120, required=False)
    purpose = serializers.CharField(allow_blank=True, max_length=20_000, required=False)
    risk_class = serializers.ChoiceField(choices=Project.RiskClass.choices, required=False)


class MemberJson(serializers.ModelSerializer[Membership]):
    user = PersonJson(allow_null=True)
    group = serializers.CharField(source="group.name", allow_null=True, default=None)
    people = serializers.SerializerMethodField(help_text="Who is in the group.")

    class Meta:
        model = Membership
        fields = ["id", "role", "user", "group", "people", "since_at"]
        read_only_fields = fields

    @extend_schema_field(PersonJson(many=True))
    def get_people(self, membership: Membership) -> Any:
        members = membership.group.members.all() if membership.group else ()
        return PersonJson([member.user for member in members], many=True).data


class Projects(ListAPIView[Project], RestView):
    """The projects that one may see, by slug."""

    needs = {"GET": "projects.see"}
    queryset = Project.objects.none()
    cursor_order = ("slug",)
    serializer_class = ProjectJson

    def get_queryset(self) -> QuerySet[Project]:
        return visible_projects(self.actor)


class OneProject(RestView):
    """One project."""

    needs = {"GET": "projects.see", "PATCH": "projects.edit"}
    serializer_class = ProjectJson

    def get(self, request: Request, slug: str) -> Response:
        return Response(self.get_serializer(find_project(self.actor, slug)).data)

    @extend_schema(request=ProjectEdits, responses={200: ProjectJson})
    def patch(self, request: Request, slug: str) -> Response:
        """Change its name or purpose; what is left out stays."""
        edited = edit_project(self.actor, find_project(self.actor, slug), **self.parsed(ProjectEdits))
        return Response(self.get_serializer(edited).data)


class Members(ListAPIView[Membership], RestView):
    """Who has which role in a project, by membership."""

    needs = {"GET": "projects.see"}
    queryset = Membership.objects.none()
    serializer_class = MemberJson

    def get_queryset(self) -> QuerySet[Membership]:
        return members_of(self.actor, find_project(self.actor, self.kwargs["slug"]))
