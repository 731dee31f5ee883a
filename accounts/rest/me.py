"""Who one is here: the account, the roles, and what the credential of this call is good for."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.access import roles_in
from accounts.actions.users import NAME_MAX, THEMES, choose_theme, rename_me
from accounts.models import ApiToken, Project, User
from accounts.queries.people import my_account, my_groups
from accounts.queries.projects import find_my_token, my_projects
from accounts.rest.door import RestView, ScopeAllows
from accounts.rest.role_choices import ANY_ROLE
from accounts.rest.tokens import TokenJson
from kernel.actor import Actor


class MyProjectJson(serializers.ModelSerializer[Project]):
    my_roles = serializers.ListField(
        child=serializers.ChoiceField(ANY_ROLE), help_text="One's own roles there, site-wide ones included."
    )

    class Meta:
        model = Project
        fields = ["slug", "key", "name", "my_roles"]
        read_only_fields = fields


class MeJson(serializers.ModelSerializer[User]):
    groups = serializers.ListField(child=serializers.CharField())
    site_roles = serializers.ListField(child=serializers.ChoiceField(ANY_ROLE), help_text="Roles on the whole site.")
    projects = MyProjectJson(many=True, help_text="Projects that one sees by this credential.")
    token = TokenJson(allow_null=True, help_text="The token of this call; null: the session of a browser.")

    class Meta:
        model = User
        fields = [
            "id",
            "email",
            "name",
            "is_service",
            "joined_at",
            "theme",
            "groups",
            "site_roles",
            "projects",
            "token",
        ]
        read_only_fields = fields


class MyEdits(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=NAME_MAX, required=False)
    theme = serializers.ChoiceField(choices=sorted(THEMES), required=False)


class OwnScope(ScopeAllows):
    """Any credential may ask whose it is and what it is good for; to change something it needs the scope."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        return request.method in ("GET", "HEAD") or super().has_permission(request, view)


class Me(RestView):
    """One's own account."""

    needs = {"GET": "settings.keep", "PATCH": "account.edit"}
    permission_classes = (IsAuthenticated, OwnScope)
    serializer_class = MeJson

    def get(self, request: Request) -> Response:
        """Who one is, in which roles where, and what the token of this call may do until when."""
        return Response(self._told())

    @extend_schema(request=MyEdits, responses={200: MeJson})
    def patch(self, request: Request) -> Response:
        """Change one's name, or how one's pages look; what is left out stays."""
        asked = self.parsed(MyEdits)
        if "name" in asked:
            rename_me(self.actor, name=asked["name"])
        if "theme" in asked:
            choose_theme(self.actor, theme=asked["theme"])
        return Response(self._told())

    def _told(self) -> dict[str, Any]:
        """The account with everything beside it."""
        told: Any = beside(self.actor, my_account(self.actor))
        return dict(MeJson(told).data)


def beside(actor: Actor, user: User) -> dict[str, Any]:
    """The account with groups, roles, projects and the token of this call."""
    return {
        **{name: getattr(user, name) for name in ("id", "email", "name", "is_service", "joined_at", "theme")},
        "groups": my_groups(actor),
        "site_roles": sorted(roles_in(actor, None)),
        "projects": [_project(one.project, one.roles) for one in my_projects(actor)],
        "token": _token(actor),
    }


def _project(project: Project, roles: Any) -> dict[str, Any]:
    return {"slug": project.slug, "key": project.key, "name": project.name, "my_roles": roles}


def _token(actor: Actor) -> ApiToken | None:
    return find_my_token(actor, actor.token.id) if actor.token is not None else None
