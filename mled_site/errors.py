"""The pages for what went wrong: what, why, the way out, and the request id that finds it in the log."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import DisallowedHost, SuspiciousOperation
from django.db import DatabaseError, InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.views.decorators.csrf import requires_csrf_token

from audit.ledger.acting import told_of
from kernel.clock import now
from kernel.errors import MledError, Unauthenticated


@dataclass(frozen=True, slots=True)
class Face:
    """How one kind of error looks and, where it does not say so itself, what it says."""

    kind: str
    symbol: str
    title: str
    message: str
    code: str


FACES: Final = {
    400: Face(
        "warn", "warn", "This request makes no sense to MLED", "The address or the form is not in order.", "INVALID"
    ),
    403: Face("warn", "lock", "This is not yours to do", "Your role here does not allow it.", "PERMISSION_DENIED"),
    404: Face(
        "", "search", "No such page, or not yours to see", "There is nothing here that you may see.", "NOT_FOUND"
    ),
    409: Face("warn", "lock", "This cannot be done now", "The thing is in a state that does not allow it.", "CONFLICT"),
    413: Face("warn", "warn", "This is too large", "It is more than MLED takes at once.", "TOO_LARGE"),
    429: Face("warn", "clock", "Too many attempts", "Wait a while, then try again.", "TOO_MANY_REQUESTS"),
    503: Face(
        "warn", "clock", "MLED is busy", "A part of it is down or at its limit. Try again shortly.", "UNAVAILABLE"
    ),
}

# What an address asks for: a run, a project, or by its third part something in a project.
IN_PROJECT: Final = {
    "datasets": "dataset",
    "models": "model",
    "logged-models": "model",
    "register": "model",
    "promotions": "promotion",
    "webhooks": "webhook",
}


def _missing(path: str) -> str:
    """'No such dataset, or not yours to see', by the address alone: it tells nothing of what is there."""
    place, _, rest = path.lstrip("/").partition("/")
    below = rest.strip("/").split("/")
    what = "page"
    if place == "r":
        what = "run"
    elif place == "p":
        what = IN_PROJECT.get(below[1], "page") if len(below) > 1 else "project"
    return f"No such {what}, or not yours to see"


def error_page(request: HttpRequest, status: int, *, code: str = "", message: str = "", hint: str = "") -> HttpResponse:
    """One error as a page, with the words it came with, or those of its kind."""
    face = FACES.get(status, FACES[400])
    if request.path.startswith("/api/"):
        return _as_problem(request, status, code=code or face.code, title=message or face.message, hint=hint)
    context = {
        "status": status,
        "kind": face.kind,
        "symbol": face.symbol,
        "title": _missing(request.path) if status == 404 else face.title,
        "code": code or face.code,
        "message": message or face.message,
        "hint": hint,
        "asked_for": request.path if status == 404 else "",
        "request_id": request_id(request),
        "at": now(),
    }
    return render(request, "errors/error.html", context, status=status)


def _as_problem(request: HttpRequest, status: int, **told: str) -> HttpResponse:
    """The same for programs, where a call failed before the API had it in its hands."""
    body = {"type": "about:blank", "status": status, **told, "request_id": request_id(request)}
    said = {name: value for name, value in body.items() if value != ""}
    return JsonResponse(said, status=status, content_type="application/problem+json")


def request_id(request: HttpRequest) -> str:
    """The id under which the log tells this request's story; empty where it failed before it had one."""
    actor = getattr(request, "actor", None)
    return getattr(actor, "request_id", "") or getattr(request, "request_id", "")


@requires_csrf_token
def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler400. An API is answered in its own words."""
    if isinstance(exception, DisallowedHost):
        return _unknown_host(request)
    hint = "Go back, reload the page and try again." if isinstance(exception, SuspiciousOperation) else ""
    return error_page(request, 400, hint=hint)


def _unknown_host(request: HttpRequest) -> HttpResponse:
    """Somebody came by a name that MLED does not answer to: mostly a new address, or a proxy that changes it."""
    what = "MLED does not go by the host name in this address."
    hint = "Use the address that you were given; an administrator adds this one to MLED_ALLOWED_HOSTS."
    if request.path.startswith("/api/"):
        return _as_problem(request, 400, title=what, code="UNKNOWN_HOST", hint=hint)
    return error_page(request, 400, code="UNKNOWN_HOST", message=what, hint=hint)


@requires_csrf_token
def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler403."""
    return error_page(request, 403, message=str(exception))


@requires_csrf_token
def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler404: absent and invisible read the same."""
    return error_page(request, 404)


@requires_csrf_token
def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form without its proof of origin: mostly a page left open for long, or cookies that are switched off."""
    return error_page(
        request,
        403,
        code="CSRF",
        message="This form was open for too long, or your browser sends no cookies. Nothing was written.",
        hint="Go back, reload the page and send it again.",
    )


BROKEN: Final = Face(
    "fail", "bad", "Something broke on our side", "The server's log holds the details.", "INTERNAL_ERROR"
)
AWAY: Final = Face("warn", "clock", "MLED's database is away", "Try again shortly.", "UNAVAILABLE")
READ: Final = "You only looked, so nothing was changed."
WROTE: Final = "Whether what you sent was stored is not certain: look before you send it again."
WITH_KEY: Final = "With the Idempotency-Key that it had it can be sent again as it is"
ASK_DOCTOR: Final = "whoever operates this server asks manage.py doctor"


@requires_csrf_token
def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler500. It asks neither the database nor the session: they may be what broke.

    Nobody can say of a write whether it came before or after what broke: a connection may be lost while it commits.
    """
    is_away = isinstance(sys.exc_info()[1], OperationalError | InterfaceError)
    status, face = (503, AWAY) if is_away else (500, BROKEN)
    is_read = request.method in ("GET", "HEAD")
    certainty = READ if is_read else WROTE
    if request.path.startswith("/api/"):
        again = f"Try again{' shortly' if is_away else ''}" if is_read else WITH_KEY
        hint = f"{again}; {ASK_DOCTOR if is_away else 'if it stays, give the request id'}."
        title = f"{face.title}. {certainty}"
        answer: HttpResponse = _as_problem(request, status, title=title, code=face.code, hint=hint)
    else:
        context = {
            "status": status, "face": face, "certainty": certainty, "request_id": request_id(request), "at": now(),
        }  # fmt: skip
        answer = HttpResponse(render_to_string("errors/500.html", context), status=status)
    if is_away:
        answer["Retry-After"] = "5"
    return answer


class ErrorPages:
    """Middleware: an error of ours that no door took care of becomes its page, or the way to sign in."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, DatabaseError):
            exception = told_of(exception) or exception
        if not isinstance(exception, MledError):
            return None
        if isinstance(exception, Unauthenticated) and request.method == "GET":
            return redirect_to_login(request.get_full_path(), settings.LOGIN_URL)
        return error_page(
            request, exception.status, code=exception.code, message=exception.message, hint=exception.hint
        )
