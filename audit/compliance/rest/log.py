"""The log of a project, narrowed and paged as on its page."""

from typing import Any
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import find_project
from accounts.rest.door import RestView
from audit.compliance.queries.log import log_page, standing_of_log
from audit.compliance.queries.log_question import FIELDS, asked_of
from experiments.rest.events import EventJson
from kernel.errors import Invalid

LIMIT, LIMIT_MAX = 100, 500
_MEANS = {
    "actor": "A person's id, or operator, system or anonymous.",
    "role": "A role that the actor had then.",
    "door": "web, admin, rest, mlflow, command or task.",
    "action": "The whole name of an action, such as experiments.set_tags.",
    "kind": "The kind of object, such as experiments.run.",
    "object": "The object's id; a run also by its readable id.",
    "outcome": "done or denied.",
    "from": "The first day, in UTC.",
    "to": "The last day, in UTC.",
    "q": "A text in old or new values and reasons.",
    "before": "Where the page begins: `next` of the one above.",
    "limit": f"How many events, up to {LIMIT_MAX}.",
}


FILTER = [OpenApiParameter(name, OpenApiTypes.STR, description=_MEANS[name]) for name in FIELDS]
PAGED = [OpenApiParameter(name, OpenApiTypes.STR, description=_MEANS[name]) for name in ("before", "limit")]


class LogJson(serializers.Serializer[Any]):
    results = EventJson(many=True, source="events")
    next = serializers.SerializerMethodField(help_text="Give it as `before` for the page below; null: there is none.")
    searched = serializers.IntegerField(
        allow_null=True, help_text="How many events were looked at where that was not the whole log; go on by `next`."
    )
    log_size = serializers.IntegerField(allow_null=True, help_text="Events under the newest signed head.")

    def get_next(self, told: dict[str, Any]) -> str | None:
        return told["next_id"].hex if told["next_id"] else None


class ProjectLog(RestView):
    """What happened in a project, newest first, as far as it matches."""

    needs = {"GET": "projects.read_log"}
    serializer_class = LogJson

    @extend_schema(responses=LogJson, parameters=[*FILTER, *PAGED])
    def get(self, request: Request, slug: str) -> Response:
        """A page of the log."""
        project = find_project(self.actor, slug)
        asked = asked_of(self.actor, project, filter_of(request))
        page = log_page(self.actor, project, asked.question, before=before_of(request), limit=limit_of(request))
        head = standing_of_log(self.actor, project).head
        told = {
            "events": page.events,
            "next_id": page.next_id,
            "searched": page.searched,
            "log_size": head.size if head else None,
        }
        return Response(LogJson(told).data)


def filter_of(request: Request) -> dict[str, str]:
    """The fields of the filter in an address."""
    return {name: str(request.query_params.get(name, "")) for name in FIELDS}


def before_of(request: Request) -> UUID | None:
    """Where the page begins. Raises Invalid."""
    text = str(request.query_params.get("before", ""))
    try:
        return UUID(hex=text) if text else None
    except ValueError:
        raise Invalid("'before' is what 'next' of another page said.", field="before") from None


def limit_of(request: Request) -> int:
    """How many events a page has. Raises Invalid."""
    text = str(request.query_params.get("limit", ""))
    if not text:
        return LIMIT
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= LIMIT_MAX):
        raise Invalid(f"'limit' is a number from 1 to {LIMIT_MAX}.", field="limit")
    return int(text)
