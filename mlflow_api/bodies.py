"""What a request carries: JSON within a limit, or a stream of any size."""

from typing import Final

from django.http import HttpRequest

from artifacts.storage import UploadBroken
from kernel.errors import Invalid, MledError

MEGABYTE: Final = 1_000_000
DRAINED_MAX: Final = 64 * MEGABYTE
CHUNK: Final = 256 * 1024


def json_body(request: HttpRequest, limit: int) -> bytes:
    """The JSON bytes of a request. Raises Invalid for another type or more than the limit, UploadBroken."""
    length = announced_length(request)
    if length == 0:
        return b""
    _check_type(request)
    if length is not None and length > limit:
        raise _too_long(limit)
    body = Upload(request).read(limit + 1)
    if len(body) > limit:
        raise _too_long(limit)
    if length is not None and len(body) != length:
        raise UploadBroken("The request broke off before its end.", hint="Send it again.")
    return body


def announced_length(request: HttpRequest) -> int | None:
    """How many bytes the request says it carries; None where it comes in chunks of unknown number."""
    if "chunked" in request.META.get("HTTP_TRANSFER_ENCODING", "").lower():
        return None
    said = request.META.get("CONTENT_LENGTH") or "0"
    return int(said) if said.isascii() and said.isdigit() else 0


class Upload:
    """The bytes of a request as they arrive, chunked or not."""

    def __init__(self, request: HttpRequest) -> None:
        chunked = announced_length(request) is None
        self._read = request.META["wsgi.input"].read if chunked else request.read

    def read(self, size: int, /) -> bytes:
        try:
            data: bytes = self._read(size)
        except OSError:
            raise UploadBroken("The upload broke off.", hint="Send it again.") from None
        return data


def drain(request: HttpRequest) -> None:
    """Read and forget what a refused request still carries: a client that is sending would not see the answer."""
    upload, left = Upload(request), DRAINED_MAX
    try:
        while left > 0 and (chunk := upload.read(CHUNK)):
            left -= len(chunk)
    except MledError:
        return


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
