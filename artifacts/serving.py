"""A file on its way out: streamed, as an attachment that no browser runs, whole or one range of it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, Final
from urllib.parse import quote

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from artifacts.storage import StoredBlob, blobs

CHUNK: Final = 256 * 1024
_RANGE: Final = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


@dataclass(frozen=True, slots=True)
class Span:
    """The bytes from start up to end, which is not among them."""

    start: int
    end: int


class NotSatisfiable(ValueError):
    """A range that lies behind the end of the file."""


def file_response(request: HttpRequest, file: Any, reader: BinaryIO) -> HttpResponseBase:
    """The answer to a download. file: has path, size_bytes and blob_id; reader: closed with the answer."""
    size, tag = file.size_bytes, f'"{file.blob_id}"'
    if _is_known(request.META.get("HTTP_IF_NONE_MATCH", ""), tag):
        reader.close()
        return _empty(304, file, tag)
    try:
        span = _asked_range(request, size, tag)
    except NotSatisfiable:
        reader.close()
        response = _empty(416, file, tag)
        response["Content-Range"] = f"bytes */{size}"
        return response
    part = span or Span(0, size)
    answer = streamed(request, reader, part, status=206 if span else 200)
    answer["Content-Length"] = str(part.end - part.start)
    if span:
        answer["Content-Range"] = f"bytes {span.start}-{span.end - 1}/{size}"
    return _with_headers(answer, file, tag)


@dataclass(frozen=True, slots=True)
class _Named:
    """Content under a name of its own, as file_response takes it."""

    path: str
    size_bytes: int
    blob_id: str


def stored_response(request: HttpRequest, name: str, stored: StoredBlob) -> HttpResponseBase:
    """The answer to the download of content that belongs to no tree of files, under this name."""
    named = _Named(name, stored.size_bytes, stored.digest)
    return file_response(request, named, blobs().open(stored))


def archive_response(request: HttpRequest, name: str, pieces: Iterator[bytes]) -> HttpResponseBase:
    """The answer to the download of a folder. name: of the zip, without its ending."""
    answer: HttpResponseBase = HttpResponse() if request.method == "HEAD" else StreamingHttpResponse(pieces)
    answer["Content-Type"] = "application/zip"
    answer["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(f'{name}.zip', safe='')}"
    answer["Content-Security-Policy"] = "sandbox; default-src 'none'"
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Cache-Control"] = "private, no-store"
    return answer


def streamed(request: HttpRequest, reader: BinaryIO, part: Span, *, status: int) -> HttpResponseBase:
    """These bytes of a file, a piece at a time whatever is in them; the reader is closed with the answer."""
    if request.method == "HEAD":
        reader.close()
        return HttpResponse(status=status)
    reader.seek(part.start)
    length = part.end - part.start
    if length > CHUNK:
        return StreamingHttpResponse(_Chunks(reader, length), status=status)
    with reader:  # a piece or less: as cheap to send at once, and most files are
        return HttpResponse(b"".join(_Chunks(reader, length)), status=status)


def _empty(status: int, file: Any, tag: str) -> HttpResponseBase:
    response = _with_headers(HttpResponse(status=status), file, tag)
    del response["Content-Type"]  # of nothing
    return response


def _with_headers(response: HttpResponseBase, file: Any, tag: str) -> HttpResponseBase:
    name = file.path.rpartition("/")[2]
    response["Content-Type"] = "application/octet-stream"
    response["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name, safe='')}"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response["X-Content-Type-Options"] = "nosniff"
    response["Accept-Ranges"] = "bytes"
    response["Cache-Control"] = "private, no-cache"
    response["ETag"] = tag
    return response


def _is_known(said: str, tag: str) -> bool:
    """Whether a client has this content already. said: the tags that it knows, also weak ones, or '*'."""
    return said == tag or any(one.strip().removeprefix("W/") in (tag, "*") for one in said.split(",") if one)


def _asked_range(request: HttpRequest, size: int, tag: str) -> Span | None:
    """The one range that was asked for; None for the whole file, also where the client knows an older content."""
    asked = _RANGE.fullmatch(request.META.get("HTTP_RANGE", "").strip())
    if asked is None or request.META.get("HTTP_IF_RANGE", tag) != tag or asked.groups() == ("", ""):
        return None
    first, last = asked.groups()
    if not first:
        start, end = max(0, size - int(last)), size
    else:
        start, end = int(first), min(size, int(last) + 1) if last else size
        if last and int(last) < start:
            return None
    if start >= size or start >= end:
        raise NotSatisfiable
    return Span(start, end)


class _Chunks:
    """So many bytes of a reader, a piece at a time; closing closes the reader."""

    def __init__(self, reader: BinaryIO, length: int) -> None:
        self.reader = reader
        self.left = length

    def __iter__(self) -> Iterator[bytes]:
        while self.left:
            chunk = self.reader.read(min(CHUNK, self.left))
            if not chunk:
                raise OSError("A blob is shorter than its record.")
            self.left -= len(chunk)
            yield chunk

    def close(self) -> None:
        self.reader.close()
