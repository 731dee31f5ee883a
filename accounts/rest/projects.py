"""Projects and who is in them."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import find_project, roles_in
from accounts.actions.projects import create_project, edit_project
from accounts.models import Membership, Project, User
from accounts.queries.projects import visible_projects
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


class ProjectWanted(serializers.Serializer[Any]):
    slug = serializers.CharField(max_length=50, help_text="In addresses: icu-vitals.")
    name = serializers.CharField(max_length=120, allow_blank=True, default="", help_text="Left out: the slug.")
    key = serializers.CharField(
        max_length=10,
        allow_blank=True,
        default="",
        help_text="In ids of runs: ICU makes ICU-123. Empty: a free one.",
    )
    purpose = serializers.CharField(max_length=20_000, allow_blank=True, default="")


class Projects(ListAPIView[Project], RestView):
    """The projects that one may see, by slug."""

    needs = {"GET": "projects.see", "POST": "projects.create"}
    queryset = Project.objects.none()
    cursor_order = ("slug",)
    serializer_class = ProjectJson

    def get_queryset(self) -> QuerySet[Project]:
        return visible_projects(self.actor)

    @extend_schema(request=ProjectWanted, responses={201: ProjectJson})
    def post(self, request: Request) -> Response:
        """Make a project; whoever makes it is its manager. For administrators, signed in."""
        made = create_project(self.actor, **self.parsed(ProjectWanted))
        self.actor.memo.clear()  # it now has a role that this call had not when it began
        return Response(self.get_serializer(made).data, status=201)


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
