"""People who see one project without a role in it."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import find_project
from accounts.actions.projects import grant_sight, withdraw_sight
from accounts.actions.users import find_user
from accounts.models import User
from accounts.queries.people import find_guest, guests_of
from accounts.rest.door import RestView
from accounts.rest.projects import PersonJson


class GuestWanted(serializers.Serializer[Any]):
    email = serializers.EmailField(max_length=254, help_text="Of somebody who has an account here.")
    reason = serializers.CharField(allow_blank=True, default="", max_length=2000)


class Guests(ListAPIView[User], RestView):
    """Who sees the project as a guest, by e-mail."""

    needs = {"GET": "members.manage", "POST": "members.manage"}
    queryset = User.objects.none()
    cursor_order = ("email",)
    serializer_class = PersonJson

    def get_queryset(self) -> QuerySet[User]:
        return guests_of(self.actor, find_project(self.actor, self.kwargs["slug"]))

    @extend_schema(request=GuestWanted, responses={201: PersonJson})
    def post(self, request: Request, slug: str) -> Response:
        """Let one person see the project; doing it again changes nothing."""
        asked, project = self.parsed(GuestWanted), find_project(self.actor, slug)
        guests_of(self.actor, project)  # whoever may not manage them learns nothing of who has an account
        user = find_user(asked["email"])
        grant_sight(self.actor, project, user=user, reason=asked["reason"])
        return Response(PersonJson(user).data, status=201)


class OneGuest(RestView):
    """One guest of a project."""

    needs = {"DELETE": "members.manage"}
    serializer_class = PersonJson

    @extend_schema(responses={204: None})
    def delete(self, request: Request, slug: str, person: UUID) -> Response:
        """The project is out of their sight at once."""
        project = find_project(self.actor, slug)
        withdraw_sight(self.actor, project, user=find_guest(self.actor, project, person))
        return Response(status=204)
