"""People who see one experiment without a role in its project."""

from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actions.users import find_user
from accounts.models import User
from accounts.rest.guests import GuestWanted
from accounts.rest.projects import PersonJson
from experiments.actions.experiments import grant_access, withdraw_access
from experiments.queries.guests import find_guest, guests_of
from experiments.rest.experiments import InProject


class Guests(ListAPIView[User], InProject):
    """Who sees the experiment as a guest, by e-mail."""

    needs = {"GET": "experiments.grant_access", "POST": "experiments.grant_access"}
    queryset = User.objects.none()
    cursor_order = ("email",)
    serializer_class = PersonJson

    def get_queryset(self) -> QuerySet[User]:
        return guests_of(self.actor, self.experiment())

    @extend_schema(request=GuestWanted, responses={201: PersonJson})
    def post(self, request: Request, slug: str, experiment: str) -> Response:
        """Let one person see the experiment; doing it again changes nothing."""
        asked, found = self.parsed(GuestWanted), self.experiment()
        guests_of(self.actor, found)  # whoever may not manage them learns nothing of who has an account
        user = find_user(asked["email"])
        grant_access(self.actor, found, user=user, reason=asked["reason"])
        return Response(PersonJson(user).data, status=201)


class OneGuest(InProject):
    """One guest of an experiment."""

    needs = {"DELETE": "experiments.grant_access"}
    serializer_class = PersonJson

    @extend_schema(responses={204: None})
    def delete(self, request: Request, slug: str, experiment: str, person: UUID) -> Response:
        """The experiment is out of their sight at once."""
        found = self.experiment()
        withdraw_access(self.actor, found, user=find_guest(self.actor, found, person))
        return Response(status=204)
