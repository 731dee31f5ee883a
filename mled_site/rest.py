"""How the REST doors speak: errors as problem JSON, lists by cursor."""

from typing import Any, Final

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.exceptions import ValidationError as DjangoValidationError
from django.http import Http404
from rest_framework.exceptions import APIException, MethodNotAllowed, NotAuthenticated, ValidationError
from rest_framework.pagination import CursorPagination
from rest_framework.response import Response
from rest_framework.views import exception_handler

from kernel.errors import Invalid, InvalidFields, MledError, Unauthenticated

_PAGES: Final = {
    "next": "The address of the following page; null at the end.",
    "previous": "The address of the page before; null at the beginning.",
}


class NewestFirst(CursorPagination):
    """Newest first, or as the view's `cursor_order` says, by cursor; `limit` asks for a page size up to 1,000."""

    page_size = 100
    page_size_query_param = "limit"
    max_page_size = 1000
    ordering = "-id"

    def get_ordering(self, request: Any, queryset: Any, view: Any) -> tuple[str, ...]:
        return tuple(getattr(view, "cursor_order", ("-id",)))

    def get_page_size(self, request: Any) -> int:
        text = request.query_params.get(self.page_size_query_param)
        if text is None:
            return self.page_size
        if not (text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= self.max_page_size):
            hint = f"Say {self.page_size_query_param}={self.page_size}, or leave it out; `next` is the page after."
            words = f"A page has 1 to {self.max_page_size:,} rows."
            raise Invalid(words, hint=hint, field=self.page_size_query_param)
        return int(text)

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        told = super().get_schema_operation_parameters(view)
        for one in told:
            if one["name"] == self.page_size_query_param:
                one["schema"] = {
                    "type": "integer",
                    "minimum": 1,
                    "maximum": self.max_page_size,
                    "default": self.page_size,
                }
        return told

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        told = super().get_paginated_response_schema(schema)
        for name in ("next", "previous"):
            told["properties"][name] = {"type": ["string", "null"], "format": "uri", "description": _PAGES[name]}
        told["required"] = ["next", "previous", "results"]
        return told

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


_MAKE_ONE: Final = "Make one on the Tokens page and send it as `Authorization: Bearer <token>`."
_FIELDS: Final = "What each call takes stands at /api/v1/docs/."
# What to do, where an error does not say so itself.
NEXT: Final = {
    "NOT_ACCEPTABLE": "Ask for application/json, or for a `format` that the address has.",
    "UNSUPPORTED_MEDIA_TYPE": "Send JSON with Content-Type: application/json; files go through an upload.",
    "NOT_FOUND": "Check what the address names; it may also be something that you may not see.",
    "TOO_LARGE": "Send less at once; files go through an upload.",
    "PARSE_ERROR": "Send one JSON text in UTF-8.",
    "INVALID_QUERY": "docs/query-language.md and the ? beside the query line show what can be asked.",
}


def problem(request: Any, *, status: int, code: str, message: str, hint: str = "", field: str = "") -> Response:
    """RFC 9457 problem JSON with our code, field, hint and the request's id."""
    body = {
        "type": "about:blank",
        "title": message,
        "status": status,
        "code": code,
        "hint": hint or NEXT.get(code, ""),
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
        if hasattr(error, "retry_after"):
            told["Retry-After"] = str(error.retry_after)
        return told
    if isinstance(error, RequestDataTooBig):
        words = f"A body may have at most {settings.DATA_UPLOAD_MAX_MEMORY_SIZE:,} bytes."
        return problem(request, status=413, code="TOO_LARGE", message=words)
    if isinstance(error, Http404):
        return problem(request, status=404, code="NOT_FOUND", message="Nothing was found here.")
    answer = exception_handler(error, context)
    if answer is None or not isinstance(error, APIException):
        return answer
    first, message = _first_message(error)
    code = "INVALID" if isinstance(error, ValidationError) else str(error.default_code).upper()
    hint = getattr(error, "hint", "") or (_FIELDS if isinstance(error, ValidationError) else "")
    if isinstance(error, NotAuthenticated):
        code, message, hint = Unauthenticated.code, "The API wants a token.", _MAKE_ONE
    elif isinstance(error, MethodNotAllowed):
        message, hint = (
            f"{request.method} is nothing for this address.",
            f"It takes {', '.join(context['view'].allowed_methods)}.",
        )
    wrapped = problem(request, status=answer.status_code, code=code, message=message, hint=hint, field=first)
    for name, value in answer.headers.items():
        if name != "Content-Type":
            wrapped[name] = value
    return wrapped


def told_of(one: MledError) -> dict[str, str]:
    """One of several fields that are wrong: which, what, and what next."""
    return {key: text for key, text in (("field", one.field), ("title", one.message), ("hint", one.hint)) if text}


def _first_message(error: APIException) -> tuple[str, str]:
    """Where the first mistake is, such as metrics[2].value, and what it is."""
    detail: Any = error.detail
    field = ""
    while isinstance(detail, dict | list):
        if isinstance(detail, dict):
            key, detail = next(iter(detail.items()))
            if not field or key != "non_field_errors":
                field += f"[{key}]" if isinstance(key, int) else f".{key}" if field else str(key)
        else:  # texts, or for the members of a list what is wrong with each, nothing where one is good
            at = next((place for place, one in enumerate(detail) if one), 0)
            field += f"[{at}]" if isinstance(detail[at], dict) else ""
            detail = detail[at]
    return field, str(detail)
