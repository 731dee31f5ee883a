"""How the REST doors speak: errors as problem JSON, lists by cursor."""

from typing import Any

from django.http import Http404
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.pagination import CursorPagination
from rest_framework.response import Response
from rest_framework.views import exception_handler

from kernel.errors import MledError


class NewestFirst(CursorPagination):
    """Newest first, by cursor; `limit` asks for a page size up to 1,000."""

    page_size = 100
    page_size_query_param = "limit"
    max_page_size = 1000
    ordering = "-id"


def problem(request: Any, *, status: int, code: str, message: str, hint: str = "", field: str = "") -> Response:
    """RFC 9457 problem JSON with our code, field, hint and the request's id."""
    body = {
        "type": "about:blank",
        "title": message,
        "status": status,
        "code": code,
        "hint": hint,
        "field": field,
        "request_id": getattr(request, "request_id", ""),
    }
    return Response({k: v for k, v in body.items() if v != ""}, status=status, content_type="application/problem+json")


def problem_response(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler: our errors and DRF's own in one form. None lets a real bug through to the 500 page."""
    request = context["request"]._request
    if isinstance(error, MledError):
        return problem(
            request, status=error.status, code=error.code, message=error.message, hint=error.hint, field=error.field
        )
    if isinstance(error, Http404):
        return problem(request, status=404, code="NOT_FOUND", message="Nothing was found here.")
    answer = exception_handler(error, context)
    if answer is None or not isinstance(error, APIException):
        return answer
    first, message = _first_message(error)
    code = "INVALID" if isinstance(error, ValidationError) else str(error.default_code).upper()
    wrapped = problem(request, status=answer.status_code, code=code, message=message, field=first)
    for name, value in answer.headers.items():
        if name != "Content-Type":
            wrapped[name] = value
    return wrapped


def _first_message(error: APIException) -> tuple[str, str]:
    detail: Any = error.detail
    field = ""
    while isinstance(detail, dict | list):
        if isinstance(detail, dict):
            key, detail = next(iter(detail.items()))
            field = field or str(key)
        else:
            detail = detail[0]
    return field, str(detail)
