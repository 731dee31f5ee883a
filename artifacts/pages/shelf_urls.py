"""The addresses of a shelf: a part of the tree, one file, a picture of it, its frame, and everything as a zip."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import URLPattern, path
from django.views.decorators.http import require_safe

from accounts.pages.doors import signed_in
from artifacts.pages.look import page_number
from artifacts.pages.shelf import Shelf
from artifacts.previews import workshop
from artifacts.previews.kinds import Kind, ending_of, kind_of
from artifacts.serving import Span, archive_response, file_response, streamed
from kernel.errors import Invalid, NotFound

Find = Callable[..., Shelf]
_PICTURES = {Kind.IMAGE, Kind.PDF}
_STILL = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
_RUNNING = (
    _STILL.replace("sandbox;", "sandbox allow-scripts;") + "; script-src 'unsafe-inline' 'unsafe-eval' blob: data:"
)
_FRAMED = {"html": "text/html; charset=utf-8", "htm": "text/html; charset=utf-8", "svg": "image/svg+xml"}


def shelf_urls(prefix: str, name: str, find: Find) -> list[URLPattern]:
    """What lies below the page of a shelf. prefix: ends with a slash; find(request, **arguments of it) -> Shelf.

    Named <name>_tree, <name>_file, <name>_preview, <name>_frame, <name>_archive.
    """
    return [
        path(f"{prefix}tree/", _door(_tree, find), name=f"{name}_tree"),
        path(f"{prefix}files/<path:path>", _door(_file, find), name=f"{name}_file"),
        path(f"{prefix}preview/<path:path>", _door(_preview, find), name=f"{name}_preview"),
        path(f"{prefix}frame/<path:path>", _door(_frame, find), name=f"{name}_frame"),
        path(f"{prefix}archive.zip", _door(_archive, find), name=f"{name}_archive"),
    ]


def _door(answer: Callable[..., HttpResponseBase], find: Find) -> Callable[..., HttpResponseBase]:
    @require_safe
    @signed_in
    def view(request: HttpRequest, **found_by: Any) -> HttpResponseBase:
        file_path = found_by.pop("path", "")
        return answer(request, find(request, **found_by), file_path)

    return view


def _tree(request: HttpRequest, shelf: Shelf, path: str) -> HttpResponse:
    """One level of a folder, or what was searched for."""
    words = request.GET.get("find", "").strip()
    nodes = shelf.found(words) if words else shelf.nodes(request.GET.get("folder", ""), start=_start(request))
    if "find" in request.GET and not words:
        nodes = shelf.nodes("")
    return render(request, "artifacts/shelf_level.html", {"nodes": nodes, "find": words})


def _start(request: HttpRequest) -> int:
    said = request.GET.get("start", "0")
    if not said.isdecimal() or len(said) > 9:
        raise Invalid(f"'{said[:20]}' is no place to start from.", field="start")
    return int(said)


def _file(request: HttpRequest, shelf: Shelf, path: str) -> HttpResponseBase:
    """One file, to be saved."""
    return file_response(request, *shelf.open(path))


def _preview(request: HttpRequest, shelf: Shelf, path: str) -> HttpResponse:
    """A picture that MLED made of a file: never the stored bytes."""
    kind = kind_of(path)
    if kind not in _PICTURES:
        raise NotFound("Only pictures and PDF are shown this way.", hint="Download the file.")
    file, reader = shelf.open(path)
    options = {"page": page_number(request.GET.get("page", ""))} if kind is Kind.PDF else {}
    with reader:
        made = workshop.made(kind, file.blob_id, file.size_bytes, reader, **options)
    response = HttpResponse(made.body, content_type=made.facts["content_type"])
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-cache"
    return response


def _frame(request: HttpRequest, shelf: Shelf, path: str) -> HttpResponseBase:
    """HTML or SVG as it was logged, for a frame without our origin, our cookies, forms and the network."""
    kind = _FRAMED.get(ending_of(path))
    if kind is None:
        raise NotFound("Only HTML and SVG are framed.", hint="Download the file.")
    file, reader = shelf.open(path)
    response = streamed(request, reader, Span(0, file.size_bytes), status=200)
    response["Content-Type"] = kind
    response["Content-Security-Policy"] = _RUNNING if request.GET.get("run") == "1" else _STILL
    response["X-Content-Type-Options"] = "nosniff"
    response["X-Frame-Options"] = "SAMEORIGIN"
    response["Referrer-Policy"] = "no-referrer"
    response["Cache-Control"] = "private, no-store"
    return response


def _archive(request: HttpRequest, shelf: Shelf, path: str) -> HttpResponseBase:
    """A folder with all in it as a zip, streamed."""
    return archive_response(request, *shelf.packed(request.GET.get("path", "")))
