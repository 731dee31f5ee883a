"""Where MLflow's calls come in: past sessions, cookies and redirects, with a token and nothing else.

In order: the path names a route; the token names an actor; path, header or token name the project; the message is
read; one action or query is called; its answer goes out in MLflow's words. Points go straight where they can.
"""

from functools import cached_property
from typing import Any, Final, cast

import orjson
from django.conf import settings
from django.core.exceptions import DisallowedHost, SuspiciousOperation
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from accounts.access import facts_for, find_project, find_project_by_id
from accounts.authentication import Presumed, actor_for_token, bearer_secret, presumed_for_token
from artifacts.incoming import drain
from kernel.actor import Actor, Door, anonymous
from kernel.errors import Invalid, MledError, NotServed, Unauthenticated
from mlflow_api import errors
from mlflow_api.bodies import json_body
from mlflow_api.calls import Call, Reply
from mlflow_api.messages.decoding import from_json, from_query
from mlflow_api.routes import Needs, Route, find_route

PREFIX: Final = "/mlflow/"
_ROOTS: Final = ("/api/2.0/", "/api/3.0/", "/ajax-api/", "/v1/traces")
_HOSTS_MAX: Final = 100
_BARE: Final = frozenset({"/health", "/version", "/get-artifact", "/graphql", "/model-versions/get-artifact"})


def is_ours(path: str) -> bool:
    """Whether a path belongs to the MLflow protocol. '/mlflow/<project>/' itself does not: it is a page."""
    if path.startswith(PREFIX):
        return bool(path[len(PREFIX) :].partition("/")[2])
    return path in _BARE or path.startswith(_ROOTS)


def answer(request: HttpRequest) -> HttpResponseBase:
    """The protocol's answer to a request, whatever happens."""
    request_id: str = getattr(request, "request_id", "")
    try:
        response = _answered(request, request_id)
    except MledError as error:
        response = errors.refusal(error, request_id)
    except DisallowedHost:
        unknown = Invalid(
            "MLED does not go by the host name in this address.",
            hint="Use the address that you were given; an administrator adds this one to MLED_ALLOWED_HOSTS.",
            field="Host",
        )
        response = errors.refusal(unknown, request_id)
    except SuspiciousOperation:
        unreadable = Invalid("The request has too many fields, or a part that cannot be read.")
        response = errors.refusal(unreadable, request_id)
    except Exception as error:  # the last line: whatever it is becomes a 500 without internals, and a line in the log
        response = errors.failure(error, request_id)
    if response.status_code >= 400:
        drain(request)
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _answered(request: HttpRequest, request_id: str) -> HttpResponseBase:
    _check_host(request)
    if "\x00" in request.path_info or "\x00" in request.META.get("HTTP_X_MLFLOW_WORKSPACE", ""):
        raise Invalid("The address holds a NUL character, which nothing here is named by.", field="path")
    slug, rest = _split(request.path_info)
    route, named = find_route(request.method or "", rest)
    if route.needs in (Needs.NOTHING, Needs.LINK):
        return _response(route.handler(Call(anonymous(Door.MLFLOW), None, request, named)))
    said = _Said(route, request)
    if route.straight is not None and (reply := _straight(route, said, named, slug, request_id)) is not False:
        return _response(None if reply is True else reply)
    actor = _actor(request, request_id)
    if route.is_refused:
        raise NotServed(
            f"MLED does not serve {route.method} {route.path}: {route.note}",
            hint="docs/mlflow-coverage.md lists what is served.",
        )
    project = _project(actor, slug, request) if route.needs is not Needs.TOKEN else None
    call = Call(actor, project, request, named)
    if route.asks is None:
        return _response(route.handler(call))
    return _response(route.handler(call, said.message))


_known_hosts: dict[str, list[str]] = {}


def _check_host(request: HttpRequest) -> None:
    """Raise DisallowedHost for a host that MLED does not go by. One that was good is, as long as settings stay."""
    named, allowed = request.META.get("HTTP_HOST", ""), settings.ALLOWED_HOSTS
    if not named or settings.USE_X_FORWARDED_HOST or _known_hosts.get(named) is not allowed:
        request.get_host()
        if len(_known_hosts) >= _HOSTS_MAX:
            _known_hosts.clear()
        _known_hosts[named] = allowed


class _Said:
    """What a request says: its message, read once."""

    def __init__(self, route: Route, request: HttpRequest) -> None:
        self.route = route
        self.request = request

    @cached_property
    def _read(self) -> Any:
        try:
            return _message(cast("type", self.route.asks), self.request, self.route.body_limit)
        except MledError as error:
            return error

    @property
    def message(self) -> Any:
        """Raises Invalid and what else there is against it, each time that it is asked for."""
        if isinstance(self._read, MledError):
            raise self._read
        return self._read


def _straight(route: Route, said: _Said, named: dict[str, str], slug: str, request_id: str) -> Reply | bool:
    """The answer where the call is done already. Whatever stands against it is found again, and said, by the ordinary
    way."""
    request, try_straight = said.request, cast("Any", route.straight)
    try:
        secret = bearer_secret(request.META.get("HTTP_AUTHORIZATION", ""))
        presumed = presumed_for_token(secret, Door.MLFLOW, **_signs(request, request_id)) if secret else None
        if presumed is None:
            return False
        project = _presumed_project(presumed, slug, request)
        if project is None:
            return False
        call = Call(presumed.actor, project, request, named)
        reply: Reply | bool = try_straight(presumed, project, call if route.asks is None else said.message)
        return reply
    except MledError:
        return False


def _split(path: str) -> tuple[str, str]:
    """The project's slug in a path, or '', and the path below the tracking URI."""
    if not path.startswith(PREFIX):
        return "", path
    slug, _, rest = path[len(PREFIX) :].partition("/")
    return slug, f"/{rest}"


def _actor(request: HttpRequest, request_id: str) -> Actor:
    secret = bearer_secret(request.META.get("HTTP_AUTHORIZATION", ""))
    if secret is None:
        raise Unauthenticated(
            "This server wants a token.",
            hint="Make one on the Tokens page and put it into MLFLOW_TRACKING_TOKEN.",
        )
    return actor_for_token(secret, Door.MLFLOW, **_signs(request, request_id))


def _signs(request: HttpRequest, request_id: str) -> dict[str, str]:
    """What an event keeps of the request."""
    meta = request.META
    return {
        "request_id": request_id,
        "client": meta.get("HTTP_USER_AGENT", "")[:200],
        "ip": meta.get("REMOTE_ADDR", ""),
    }


def _project(actor: Actor, slug: str, request: HttpRequest) -> Any:
    slug = slug or request.META.get("HTTP_X_MLFLOW_WORKSPACE", "")
    if slug:
        return find_project(actor, slug)
    if actor.token is not None and actor.token.default_project is not None:
        return find_project_by_id(actor, actor.token.default_project)
    raise Invalid(
        "Which project? This token has no default project.",
        hint="End the tracking URI with /mlflow/<project>, or make a token with a default project.",
        field="X-MLFLOW-WORKSPACE",
    )


def _presumed_project(presumed: Presumed, slug: str, request: HttpRequest) -> Any:
    """The project, whether the actor may see it or not: what is done there is judged by the run that it is done to."""
    known, token = facts_for(presumed.actor), presumed.actor.token
    key = slug or request.META.get("HTTP_X_MLFLOW_WORKSPACE", "") or (token and token.default_project)
    return known.project(key) if key else None


def _message(asks: type[Any], request: HttpRequest, limit: int) -> Any:
    """What the client asks: in the query of a GET, in the JSON body of anything else.

    As on MLflow's server a GET without a query may say it in a body. Raises Invalid.
    """
    if request.method == "GET" and request.META.get("QUERY_STRING"):
        return from_query(asks, dict(request.GET.lists()))
    body = json_body(request, limit)
    if not body and request.method in ("GET", "DELETE"):
        return from_query(asks, dict(request.GET.lists()))
    return from_json(asks, body)


def _response(reply: Reply) -> HttpResponseBase:
    if reply is None:
        return _json(b"{}")
    if isinstance(reply, dict):
        reply = orjson.dumps(reply)
    if isinstance(reply, bytes):
        return _json(reply)
    return reply


def _json(body: bytes) -> HttpResponse:
    """With its length: without one it goes out in chunks, in three packets instead of one."""
    return HttpResponse(body, content_type="application/json", headers={"Content-Length": str(len(body))})
