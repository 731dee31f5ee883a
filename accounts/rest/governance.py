"""Whether a project is open or governed, and which aliases and stages move by promotion only."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import find_project
from accounts.actions.governance import NAME_MAX, NAMES_MAX, govern_project
from accounts.models import Project
from accounts.rest.door import RestView


class GovernanceJson(serializers.ModelSerializer[Project]):
    protected_names = serializers.ListField(
        child=serializers.CharField(), help_text="Aliases and stages; case makes no difference."
    )

    class Meta:
        model = Project
        fields = ["is_governed", "protected_names"]
        read_only_fields = fields


class GovernanceWanted(serializers.Serializer[Any]):
    is_governed = serializers.BooleanField(required=False)
    protected_names = serializers.ListField(
        child=serializers.CharField(max_length=NAME_MAX), max_length=NAMES_MAX, required=False
    )
    reason = serializers.CharField(
        allow_blank=True, default="", max_length=1000, help_text="Needed where the rules get looser; it is kept."
    )


class Governance(RestView):
    """The rules of a project for aliases and stages."""

    needs = {"GET": "projects.see", "PATCH": "projects.edit"}
    serializer_class = GovernanceJson

    def get(self, request: Request, slug: str) -> Response:
        return Response(self.get_serializer(find_project(self.actor, slug)).data)

    @extend_schema(request=GovernanceWanted, responses={200: GovernanceJson})
    def patch(self, request: Request, slug: str) -> Response:
        """Change them; what is left out stays."""
        asked, project = self.parsed(GovernanceWanted), find_project(self.actor, slug)
        kept = govern_project(
            self.actor,
            project,
            is_governed=asked.get("is_governed", project.is_governed),
            protected_names=asked.get("protected_names", project.protected_names),
            reason=asked["reason"],
        )
        return Response(self.get_serializer(kept).data)
