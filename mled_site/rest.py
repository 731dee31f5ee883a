"""How the REST doors speak: errors as problem JSON, lists by cursor."""

from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.core.exceptions import ValidationError as DjangoValidationError
from django.http import Http404
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.pagination import CursorPagination
from rest_framework.response import Response
from rest_framework.views import exception_handler

from kernel.errors import Invalid, InvalidFields, MledError


class NewestFirst(CursorPagination):
    """Newest first, or as the view's `cursor_order` says, by cursor; `limit` asks for a page size up to 1,000."""

    page_size = 100
    page_size_query_param = "limit"
    max_page_size = 1000
    ordering = "-id"

    def get_ordering(self, request: Any, queryset: Any, view: Any) -> tuple[str, ...]:
        return tuple(getattr(view, "cursor_order", ("-id",)))

    def decode_cursor(self, request: Any) -> Any:
        cursor = super().decode_cursor(request)
        if cursor is not None and "\x00" in str(cursor.position):
            raise ValueError("No value of ours holds a NUL character.")
        return cursor

    def paginate_queryset(self, queryset: Any, request: Any, view: Any = None) -> list[Any] | None:
        try:
            return super().paginate_queryset(queryset, request, view)
        except (ValueError, OverflowError, DjangoValidationError):
            raise Invalid("The cursor is not one that this server gave out.", field="cursor") from None


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
        told = problem(
            request, status=error.status, code=error.code, message=error.message, hint=error.hint, field=error.field
        )
        if isinstance(error, InvalidFields):
            told.data["problems"] = [told_of(one) for one in error.problems]
        return told
    if isinstance(error, RequestDataTooBig):
        return problem(request, status=413, code="TOO_LARGE", message="This body is more than is taken at once.")
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


def told_of(one: MledError) -> dict[str, str]:
    """One of several fields that are wrong: which, what, and what next."""
    return {key: text for key, text in (("field", one.field), ("title", one.message), ("hint", one.hint)) if text}


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
