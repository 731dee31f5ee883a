"""Errors as MLflow clients tell them apart: a status, a code and a message.

The client retries 408, 429, 500, 502, 503 and 504 for minutes: none of these may answer a user's mistake.
"""

import logging
from typing import Final

import msgspec
from django.http import HttpResponse

from kernel.errors import (
    AlreadyExists,
    Conflict,
    Invalid,
    MledError,
    NotFound,
    NotServed,
    Refused,
    TooLarge,
    TooMany,
    Unauthenticated,
    Unavailable,
)

log = logging.getLogger(__name__)

INVALID: Final = "INVALID_PARAMETER_VALUE"
# The first class that fits decides. None: the error's own status.
_WIRE: Final[tuple[tuple[type[MledError], int | None, str], ...]] = (
    (AlreadyExists, 400, "RESOURCE_ALREADY_EXISTS"),
    (Unauthenticated, 401, "UNAUTHENTICATED"),
    (Refused, 403, "PERMISSION_DENIED"),
    (NotFound, 404, "RESOURCE_DOES_NOT_EXIST"),
    (Invalid, 400, INVALID),
    (Conflict, 400, INVALID),  # a deleted run or experiment takes no writes: to a client that is a wrong argument
    (TooLarge, 413, INVALID),
    (TooMany, 429, "REQUEST_LIMIT_EXCEEDED"),
    (NotServed, 501, "NOT_IMPLEMENTED"),
    (Unavailable, None, "TEMPORARILY_UNAVAILABLE"),
)
_HEADERS: Final = {
    401: {"WWW-Authenticate": 'Bearer realm="MLED"'},
    429: {"Retry-After": "60"},
    503: {"Retry-After": "2"},
}
# Where something beside this process is down or busy: told by name, because this door knows neither SQL nor Redis.
_AWAY: Final = {
    "django.db.utils": ("OperationalError", "InterfaceError"),
    "redis.exceptions": ("ConnectionError", "TimeoutError"),
}


class NoSuchEndpoint(NotFound):
    """A path that no version of the protocol has."""


class WrongMethod(Invalid):
    """A path of the protocol, asked with a method that it does not take."""

    def __init__(self, method: str, allowed: list[str]) -> None:
        super().__init__(f"This endpoint does not take {method}; it takes {', '.join(allowed)}.")
        self.allowed = allowed


def refusal(error: MledError, request_id: str) -> HttpResponse:
    """The answer to a mistake or a refusal."""
    status, code = _status_and_code(error)
    said = f"{error.field}: {error}" if "[" in error.field and error.field not in str(error) else str(error)
    response = _response(status, code, said, request_id, hint=error.hint, field=error.field)
    if isinstance(error, WrongMethod):
        response["Allow"] = ", ".join(error.allowed)
    return response


def failure(error: Exception, request_id: str) -> HttpResponse:
    """The answer to what nobody foresaw: nothing internal in it; the log tells the rest under the request's id."""
    if _is_away(error):
        log.warning("request %s: a part is away or busy: %s", request_id, error)
        away = Unavailable(
            "A part of MLED is away or busy; what was sent may not be stored.", hint="Try again shortly."
        )
        return refusal(away, request_id)
    log.error("request %s failed", request_id, exc_info=error)
    said = f"Something broke in MLED. The administrator finds it in the log under {request_id}."
    return _response(500, "INTERNAL_ERROR", said, request_id)


def _status_and_code(error: MledError) -> tuple[int, str]:
    if isinstance(error, NoSuchEndpoint):
        return 404, "ENDPOINT_NOT_FOUND"
    if isinstance(error, WrongMethod):
        return 405, "BAD_REQUEST"
    for kind, status, code in _WIRE:
        if isinstance(error, kind):
            return status or error.status, code
    return error.status, "BAD_REQUEST"


def _response(status: int, code: str, message: str, request_id: str, **more: str) -> HttpResponse:
    body = {"error_code": code, "message": message, "request_id": request_id}
    body |= {name: text for name, text in more.items() if text}
    response = HttpResponse(msgspec.json.encode(body), status=status, content_type="application/json")
    for name, value in _HEADERS.get(status, {}).items():
        response[name] = value
    return response


def _is_away(error: Exception) -> bool:
    """Whether the database or the cache could not be reached, or was busy for too long."""
    return any(kind.__name__ in _AWAY.get(kind.__module__, ()) for kind in type(error).__mro__)
