"""The JSON that a request carries, within a limit."""

from typing import Final

from django.http import HttpRequest

from artifacts.incoming import Body, announced_length
from artifacts.storage import UploadBroken
from kernel.errors import Invalid

MEGABYTE: Final = 1_000_000


def json_body(request: HttpRequest, limit: int) -> bytes:
    """The JSON bytes of a request. Raises Invalid for another type or more than the limit, UploadBroken."""
    length = announced_length(request)
    if length == 0:
        return b""
    _check_type(request)
    if length is not None and length > limit:
        raise _too_long(limit)
    body = Body(request).read(limit + 1)
    if len(body) > limit:
        raise _too_long(limit)
    if length is not None and len(body) != length:
        raise UploadBroken("The request broke off before its end.", hint="Send it again.")
    return body


def _check_type(request: HttpRequest) -> None:
    kind, _, options = request.META.get("CONTENT_TYPE", "").lower().partition(";")
    if kind.strip() != "application/json":
        raise Invalid(
            f"The body's Content-Type is '{kind.strip()[:60]}'; it has to be application/json.",
            hint="Send JSON.",
            field="Content-Type",
        )
    charset = options.partition("charset=")[2].partition(";")[0].strip(' "') or "utf-8"
    if charset not in ("utf-8", "utf8"):
        raise Invalid("JSON is written in UTF-8.", field="Content-Type")
    if request.META.get("HTTP_CONTENT_ENCODING", "identity").lower() not in ("identity", ""):
        raise Invalid("A compressed body is not read here.", hint="Send it plain.", field="Content-Encoding")


def _too_long(limit: int) -> Invalid:
    return Invalid(f"This request may have at most {limit:,} bytes.", hint="Send it in several.")
