"""What administrators erase, signed in: what events say, and a person. Each tells first what it would do."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actions.erasing import BASIS_MAX, EVENTS_MAX, erase_everywhere
from accounts.actions.forgetting import forget
from accounts.models import User
from accounts.queries.erasing import person_to_forget, what_forgetting_does
from accounts.rest.door import RestView
from accounts.rest.projects import PersonJson
from kernel.errors import Invalid, NotFound


class ErasureWanted(serializers.Serializer[Any]):
    events = serializers.ListField(child=serializers.UUIDField(), min_length=1, max_length=EVENTS_MAX)
    reason = serializers.CharField(max_length=BASIS_MAX, help_text="The legal basis; it is kept in the log.")


class ErasedJson(serializers.Serializer[Any]):
    erased = serializers.IntegerField(help_text="How many payloads went. The entries stay in the log.")


class ForgettingWanted(serializers.Serializer[Any]):
    email = serializers.CharField(max_length=254, help_text="The person's address: this cannot be undone.")
    reason = serializers.CharField(max_length=BASIS_MAX, help_text="The legal basis; it is kept in the log.")


class ForgettingJson(serializers.Serializer[Any]):
    """What forgetting does, in numbers."""

    person = PersonJson(source="user")
    events = serializers.SerializerMethodField(help_text="Whose payloads are erased.")
    tokens = serializers.IntegerField(help_text="Revoked.")
    sessions = serializers.IntegerField(help_text="Ended.")
    notices = serializers.IntegerField(help_text="Removed.")
    settings = serializers.IntegerField(help_text="Removed.")
    past_rows = serializers.IntegerField(help_text="Earlier rows whose name and address go.")
    signatures = serializers.IntegerField(help_text="These stay, with the printed name.")
    roles = serializers.IntegerField(help_text="These stay, under a name that says nothing.")
    elsewhere = serializers.IntegerField(
        help_text="Events about the account that speak of other things, too: they stay."
    )
    reports = serializers.IntegerField(help_text="Reports that stay as they were issued.")

    def get_events(self, told: Any) -> int:
        return len(told.events)


class Erase(RestView):
    """Erase what events say."""

    needs = {"POST": "ledger.erase"}
    serializer_class = ErasedJson

    @extend_schema(request=ErasureWanted, responses={200: ErasedJson})
    def post(self, request: Request) -> Response:
        """That they happened, and the proofs over them, stay. It cannot be undone."""
        asked = self.parsed(ErasureWanted)
        return Response({"erased": erase_everywhere(self.actor, events=asked["events"], basis=asked["reason"])})


class Forget(RestView):
    """Forget a person."""

    needs = {"GET": "ledger.erase", "POST": "ledger.erase"}
    serializer_class = ForgettingJson

    @extend_schema(responses={200: ForgettingJson})
    def get(self, request: Request, person: UUID) -> Response:
        """What it would do; nothing is done."""
        return Response(ForgettingJson(what_forgetting_does(self.actor, self._found(person))).data)

    @extend_schema(request=ForgettingWanted, responses={200: PersonJson})
    def post(self, request: Request, person: UUID) -> Response:
        """Name and address go from everywhere but from under signatures. It cannot be undone."""
        user, asked = self._found(person), self.parsed(ForgettingWanted)
        if asked["email"].strip().lower() != user.email:
            raise Invalid("That is not the address of this person.", field="email")
        return Response(PersonJson(forget(self.actor, user=user, basis=asked["reason"])).data)

    def _found(self, person: UUID) -> User:
        found = person_to_forget(self.actor, person)
        if found is None:
            raise NotFound("No such person was found.")
        return found
