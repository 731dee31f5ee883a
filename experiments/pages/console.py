"""What a run printed: a window of lines that can be moved, searched and followed."""

import re
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.views.decorators.http import require_safe

from accounts.access import can
from accounts.pages.doors import actor_of, signed_in
from experiments.console.colours import Piece, pieces_of, plain
from experiments.console.indexes import index_of
from experiments.console.reading import (
    Found,
    Index,
    Line,
    find_lines,
    grew_from,
    last_lines,
    lines_before,
    lines_from,
    mark_of,
)
from experiments.console.sources import Stream
from experiments.models import Run
from experiments.pages.frame import run_frame, tab_url
from experiments.pages.steps import came_from, with_pairs
from experiments.queries.console import stream_of, streams_of
from experiments.queries.runs import get_run
from experiments.values import RunStatus
from kernel.errors import Invalid

SHOWN = 300
BEFORE = 20  # lines above the one that was asked for
FIND_MAX = 200
GROUPED = 4  # so many streams are offered side by side
_TROUBLE = re.compile(
    r"\[stderr\]|\b(?:ERROR|CRITICAL|FATAL)\b|^Traceback \(most recent call last\)"
    r"|^(?:[A-Za-z_][\w.]*\.)?[A-Z]\w*(?:Error|Exception|Interrupt|Exit)\b"
)


@dataclass(frozen=True, slots=True)
class Shown:
    """One line as it is drawn."""

    line: Line
    pieces: list[Piece]
    is_error: bool


@dataclass(frozen=True, slots=True)
class Window:
    """Some lines of a stream. mark: of all that was there, to ask later what came since."""

    lines: list[Line]
    index: Index
    mark: str

    @property
    def first(self) -> int:
        return self.lines[0].number if self.lines else 0

    @property
    def last(self) -> int:
        return self.lines[-1].number if self.lines else 0


@require_safe
@signed_in
def page(request: HttpRequest, run: str) -> HttpResponse:
    """The stream that `?file=` names, else the first; at `?line=`, at what `?find=` finds, else where it matters."""
    found, context = run_frame(request, run, "console")
    viewer = actor_of(request)
    streams = streams_of(viewer, found)
    context["may_download"] = bool(can(viewer, "experiments.download", found))
    if streams:
        asked = request.GET.get("file", "")
        stream = stream_of(viewer, found, asked) if asked else streams[0]
        context |= _of_stream(request, found, stream, streams)
    return render(request, "experiments/run_console.html", context)


def _of_stream(request: HttpRequest, run: Run, stream: Stream, streams: list[Stream]) -> dict[str, Any]:
    words, line = _words(request), _number(request, "line")
    with stream.open() as reader:
        index = index_of(stream, reader)
        matches = find_lines(reader, index, words) if words else Found()
        match = min(max(1, _number(request, "match")), max(1, len(matches.lines)))
        if matches.lines and (_number(request, "match") or not line):
            line = matches.lines[match - 1]
        at_end = not line and run.status != RunStatus.FINISHED
        lines = last_lines(reader, index, SHOWN) if at_end else lines_from(reader, index, _start(line), SHOWN)
        window = Window(lines, index, mark_of(reader, index.size))
    here = [*came_from(request), ("file", stream.key)]
    return {
        "stream": stream,
        "streams": [(one, with_pairs("", [*came_from(request), ("file", one.key)])) for one in streams],
        "side_by_side": len(streams) <= GROUPED,
        "lines": shown_lines(window.lines, words, stream),
        "window": window,
        "total": index.lines,
        "line": line,
        "at_end": at_end,
        "find": words,
        "found_words": found_words(matches, match) if words else "",
        "base_url": tab_url(run, "console"),
        "follows": stream.is_live or run.status in (RunStatus.RUNNING, RunStatus.SCHEDULED),
        **_ways(here, words, window, match, len(matches.lines)),
    }


def _ways(here: list[tuple[str, str]], words: str, window: Window, match: int, matches: int) -> dict[str, str]:
    """The addresses of other lines: for readers without scripts, and for who copies them."""
    found, total = [*here, *([("find", words)] if words else [])], window.index.lines
    return {
        "earlier_url": _at(found, max(1, window.first - SHOWN + BEFORE)) if window.first > 1 else "",
        "later_url": _at(found, window.last + 1 + BEFORE) if window.last < total else "",
        "start_url": f"{_at(here, 1)}#L1",
        "end_url": f"{_at(here, max(1, total))}#L{total}",
        "previous_match": with_pairs("", [*found, ("match", str(match - 1))]) if 1 < match <= matches else "",
        "next_match": with_pairs("", [*found, ("match", str(match + 1))]) if match < matches else "",
    }


def _at(pairs: list[tuple[str, str]], line: int) -> str:
    return with_pairs("", [*pairs, ("line", str(line))])


@require_safe
@signed_in
def lines(request: HttpRequest, run: str) -> HttpResponse:
    """Lines of a stream, for a page that is open: from `?first=` on, around `?line=`, before `?until=`, the last ones,
    or what came since `?mark=`."""
    viewer = actor_of(request)
    found = get_run(viewer, run)
    stream = stream_of(viewer, found, request.GET.get("file", ""))
    mark = request.GET.get("mark", "")
    if mark and stream.version and request.GET.get("version") == stream.version:
        return JsonResponse({"html": "", "same": True})
    with stream.open() as reader:
        index = index_of(stream, reader)
        grew = bool(mark) and grew_from(reader, index.size, mark)
        window = Window(_asked(request, reader, index, grew), index, mark_of(reader, index.size))
    return JsonResponse(
        {
            "html": drawn(window, _words(request), stream, tab_url(found, "console")),
            "first": window.first,
            "last": window.last,
            "total": index.lines,
            "mark": window.mark,
            "version": stream.version,
            "grew": grew,
        }
    )


def _asked(request: HttpRequest, reader: Any, index: Index, grew: bool) -> list[Line]:
    first, line, until = (_number(request, name) for name in ("first", "line", "until"))
    if first and (grew or "mark" not in request.GET):
        return lines_from(reader, index, first, SHOWN)
    if line:
        return lines_from(reader, index, _start(line), SHOWN)
    if until:
        return lines_before(reader, index, min(until, index.lines + 1), SHOWN)
    return last_lines(reader, index, SHOWN)


@require_safe
@signed_in
def find(request: HttpRequest, run: str) -> HttpResponse:
    """The numbers of the lines that hold `?find=`."""
    viewer = actor_of(request)
    stream = stream_of(viewer, get_run(viewer, run), request.GET.get("file", ""))
    with stream.open() as reader:
        found = find_lines(reader, index_of(stream, reader), _words(request))
    return JsonResponse({"lines": found.lines, "more": found.is_more})


def shown_lines(lines: list[Line], words: str, stream: Stream) -> list[Shown]:
    """Lines with their looks, what is searched for marked, and which of them tell of trouble."""
    return [
        Shown(line, pieces_of(line.text, words), stream.is_errors or bool(_TROUBLE.search(plain(line.text))))
        for line in lines
    ]


def drawn(window: Window, words: str, stream: Stream, base_url: str) -> str:
    """The lines as HTML."""
    context = {"lines": shown_lines(window.lines, words, stream), "stream": stream, "base_url": base_url}
    return render_to_string("experiments/run_console_lines.html", context)


def found_words(found: Found, match: int) -> str:
    """Which of the matches is looked at."""
    if not found.lines:
        return "not found"
    return f"{match:,} of {len(found.lines):,}{'+' if found.is_more else ''}"


def _start(line: int) -> int:
    return max(1, line - BEFORE)


def _words(request: HttpRequest) -> str:
    words = request.GET.get("find", "")
    if len(words) > FIND_MAX:
        raise Invalid(f"Search for at most {FIND_MAX} characters.", field="find")
    return words


def _number(request: HttpRequest, name: str) -> int:
    """A whole number of the address, 0 where it names none. Raises Invalid."""
    text = request.GET.get(name, "")
    if text and not (text.isascii() and text.isdigit() and len(text) < 16):
        raise Invalid(f"'{name}' is the number of a line.", field=name)
    return int(text or 0)
