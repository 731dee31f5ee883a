"""Puts the actor on the request: what every page passes on to actions and queries."""

import re
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from accounts.authentication import actor_from_request
from kernel.actor import Actor, Door, anonymous
from kernel.ids import uuid7

_SAFE_ID = re.compile(r"^[A-Za-z0-9._-]{8,64}$")


def request_id_of(request: HttpRequest) -> str:
    """The id that a proxy gave the request if it is a plain one, else a new one."""
    given = request.META.get("HTTP_X_REQUEST_ID", "")
    return given if _SAFE_ID.match(given) else uuid7().hex


class ActorMiddleware:
    """After the session: `request.actor`. Pages take sessions only; the REST views find their actor themselves."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.actor = self._actor(request)  # type: ignore[attr-defined]
        return self.get_response(request)

    def _actor(self, request: HttpRequest) -> Actor:
        if request.path.startswith("/api/"):
            return anonymous(Door.REST, getattr(request, "request_id", ""))
        request.META.pop("HTTP_AUTHORIZATION", None)
        return actor_from_request(request, Door.ADMIN if request.path.startswith("/admin/") else Door.WEB)
