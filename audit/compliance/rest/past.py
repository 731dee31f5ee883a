"""How things were: the state on a date, the difference between two, and what happened to one object."""

import datetime as dt
from typing import Any
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import find_project
from accounts.rest.door import RestView
from audit.compliance.queries.as_of import MEMBERS, moment_of, states_of
from audit.compliance.queries.log_as_of import State
from audit.compliance.queries.past import PastPage, past_of, past_of_token
from audit.compliance.rest.log import PAGED, before_of, limit_of
from experiments.rest.events import EventJson
from kernel.clock import now

_PARAMETERS = [
    OpenApiParameter("what", OpenApiTypes.STR, description="'members', 'rights' or 'run:<id>'; left out: members."),
    OpenApiParameter("at", OpenApiTypes.STR, description="A moment in ISO 8601, in UTC where it names no zone."),
    OpenApiParameter("and", OpenApiTypes.STR, description="A second moment to compare with."),
]


class StateJson(serializers.Serializer[Any]):
    at = serializers.DateTimeField()
    events = serializers.IntegerField(help_text="How many events told it.")
    erased = serializers.IntegerField(help_text="Of how many of them the payload was erased.")
    parts = serializers.DictField(child=serializers.JSONField(), help_text="Title to names and values.")
    people = serializers.DictField(child=serializers.CharField(), help_text="Names for the ids of people in it.")


class DifferenceJson(serializers.Serializer[Any]):
    part = serializers.CharField()
    name = serializers.CharField()
    before = serializers.JSONField()
    after = serializers.JSONField()


class AsOfJson(serializers.Serializer[Any]):
    what = serializers.CharField()
    first = StateJson()
    second = StateJson(allow_null=True, help_text="Null where one moment was asked.")
    differences = DifferenceJson(many=True, help_text="What is not the same at both moments.")


class PastJson(serializers.Serializer[Any]):
    results = EventJson(many=True)
    next = serializers.CharField(allow_null=True, help_text="Give it as `before` for the page below; null: no more.")


class AsOf(RestView):
    """A run, a project's members or their rights as they were."""

    needs = {"GET": "projects.read_log"}
    serializer_class = AsOfJson

    @extend_schema(parameters=_PARAMETERS, responses={200: AsOfJson})
    def get(self, request: Request, slug: str) -> Response:
        """Replayed from the log alone, at one moment or two."""
        given = {name: str(request.query_params.get(name, "")).strip() for name in ("what", "at", "and")}
        what = given["what"] or MEMBERS
        state_at, _ = states_of(self.actor, find_project(self.actor, slug), what)
        first_at = moment_of(given["at"], "at") if given["at"] else now()
        first = state_at(first_at)
        told: dict[str, Any] = {"what": what, "first": _state(first, first_at), "second": None, "differences": []}
        if given["and"]:
            second_at = moment_of(given["and"], "and")
            second = state_at(second_at)
            told |= {"second": _state(second, second_at), "differences": _differences(first, second)}
        return Response(AsOfJson(told).data)


def _state(state: State, at: dt.datetime) -> dict[str, Any]:
    return {
        "at": at,
        "events": state.events,
        "erased": state.erased,
        "parts": {title: dict(part) for title, part in state.parts.items()},
        "people": dict(state.people),
    }


def _differences(first: State, second: State) -> list[dict[str, Any]]:
    return [
        {"part": title, "name": str(name), "before": before.get(name), "after": after.get(name)}
        for title, before in first.parts.items()
        for after in [second.parts.get(title, {})]
        for name in sorted(before.keys() | after.keys(), key=str)
        if before.get(name) != after.get(name)
    ]


class Past(RestView):
    """What happened to one object of a project."""

    needs = {"GET": "projects.see"}
    serializer_class = PastJson

    @extend_schema(parameters=PAGED, responses={200: PastJson})
    def get(self, request: Request, slug: str, of: str, thing: str) -> Response:
        """Newest first, for whoever sees the object. `of`: its kind, such as run, dataset or saved-view."""
        project = find_project(self.actor, slug)
        _, page = past_of(self.actor, project, of, thing, before=before_of(request), limit=limit_of(request))
        return Response(_page(page))


class TokenPast(RestView):
    """What happened to one of one's own tokens."""

    needs = {"GET": "tokens.manage"}
    serializer_class = PastJson

    @extend_schema(parameters=PAGED, responses={200: PastJson})
    def get(self, request: Request, token: UUID) -> Response:
        """Newest first."""
        _, page = past_of_token(self.actor, token, before=before_of(request), limit=limit_of(request))
        return Response(_page(page))


def _page(page: PastPage) -> dict[str, Any]:
    told = {"results": page.events, "next": page.next_id.hex if page.next_id else None}
    return dict(PastJson(told).data)
