"""The bytes that an HTTP request carries, of any number, as they arrive."""

from typing import Final

from django.http import HttpRequest

from artifacts.storage import UploadBroken
from kernel.errors import MledError

DRAINED_MAX: Final = 64_000_000
CHUNK: Final = 256 * 1024


def announced_length(request: HttpRequest) -> int | None:
    """How many bytes the request says it carries; None where it comes in chunks of unknown number."""
    if "chunked" in request.META.get("HTTP_TRANSFER_ENCODING", "").lower():
        return None
    said = request.META.get("CONTENT_LENGTH") or "0"
    return int(said) if said.isascii() and said.isdigit() else 0


class Body:
    """The bytes of a request as they arrive, chunked or not."""

    def __init__(self, request: HttpRequest) -> None:
        chunked = announced_length(request) is None
        self._read = request.META["wsgi.input"].read if chunked else request.read
        # What a server's reader raises for a chunk that is none is an error of its own kind.
        self._broken = Exception if chunked else OSError

    def read(self, size: int, /) -> bytes:
        try:
            data: bytes = self._read(size)
        except self._broken:
            raise UploadBroken("The upload broke off.", hint="Send it again.") from None
        return data


def drain(request: HttpRequest) -> None:
    """Read and forget what a refused request still carries: a client that is sending would not see the answer."""
    body, left = Body(request), DRAINED_MAX
    try:
        while left > 0 and (chunk := body.read(CHUNK)):
            left -= len(chunk)
    except MledError:
        return
