"""The list that one came from: what stands before and after the run in it, and the way back.

The table's links to runs carry its question in `from`, packed where it is long; the steps of a run carry it on, with
the place in the list in `at`, so that stepping goes on where a run has left the list meanwhile.
"""

import binascii
import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import HttpRequest, QueryDict
from django.urls import reverse

from accounts.models import Project
from experiments.models import Run
from experiments.pages.asked import Asked
from experiments.pages.questions import with_default_experiment
from experiments.queries.neighbours import Neighbours, Question, neighbours_of
from experiments.search.errors import QueryError
from kernel.actor import Actor

FROM_MAX = 6_000
PLAIN_MAX = 1_000  # a longer question is packed: a hundred rows with two hundred columns would be 3 MB of it
QUESTION_MAX = 40_000
PACKED = "z."  # begins what is packed; no name of a parameter does
EVERYWHERE = "of=all"  # how the table of all runs begins what it says of itself


@dataclass(frozen=True, slots=True)
class Steps:
    """The list around a run. words: "3 of 186"; before_url, after_url: the same tab of the runs beside it."""

    words: str
    title: str
    list_url: str
    before: Run | None
    after: Run | None
    before_url: str
    after_url: str


def came_from(request: HttpRequest) -> list[tuple[str, str]]:
    """What every link of a run's pages carries on, as pairs of an address."""
    if "from" not in request.GET:
        return []
    at = request.GET.get("at", "")
    return [("from", request.GET["from"][:FROM_MAX]), *([("at", at)] if _place(at) else [])]


def with_pairs(url: str, pairs: Iterable[tuple[str, str]]) -> str:
    """The address with these pairs behind it."""
    text = urlencode(list(pairs))
    return f"{url}?{text}" if text else url


def from_list(asked: Asked) -> str:
    """What the link to a run from a table with this question carries: the end of its address."""
    where = EVERYWHERE if asked.path == reverse("experiments:all_runs") else ""
    parts = [where, asked.query_string, urlencode({"after": asked.after}) if asked.after else ""]
    return "?" + urlencode({"from": packed("&".join(part for part in parts if part))})


def packed(question: str) -> str:
    """A question as short as an address wants it."""
    if len(question) <= PLAIN_MAX:
        return question
    return PACKED + urlsafe_b64encode(zlib.compress(question.encode(), 9)).decode().rstrip("=")


def unpacked(text: str) -> str:
    """The question that was packed; "" for what never was one."""
    if not text.startswith(PACKED):
        return text
    try:
        raw = urlsafe_b64decode(text.removeprefix(PACKED) + "===")
        return zlib.decompressobj().decompress(raw, QUESTION_MAX).decode()
    except (binascii.Error, zlib.error, ValueError):
        return ""


def steps_of(request: HttpRequest, viewer: Actor, run: Run, tab: str) -> Steps | None:
    """The steps from this run, None for who came from no list, or from one whose question is not understood."""
    if "from" not in request.GET:
        return None
    text = request.GET["from"][:FROM_MAX]
    question = unpacked(text)
    project, asked = _asked(viewer, run, question)
    where = Question(project, asked.experiment_ids or None, asked.query, asked.order, asked.lives)
    try:
        found = neighbours_of(viewer, run, where, at=_place(request.GET.get("at", "")))
    except QueryError:
        return None
    place = found.place or _place(request.GET.get("at", ""))
    return Steps(
        words=_words(found),
        title=f"Where this run stands among the {asked.lifecycle_words} that were listed",
        list_url=f"{asked.path}?{question}#r-{run.readable_id}" if question else f"{asked.path}#r-{run.readable_id}",
        before=found.before,
        after=found.after,
        before_url=_url(found.before, tab, text, max(1, place - 1)),
        after_url=_url(found.after, tab, text, place + 1 if found.place else max(1, place)),
    )


def _asked(viewer: Actor, run: Run, text: str) -> tuple[Project | None, Asked]:
    """What the table asked, and of which project: None for that of all runs."""
    params = QueryDict(text.replace("\x00", ""))
    if text.startswith(EVERYWHERE):
        return None, Asked.parse(reverse("experiments:all_runs"), params)
    asked = Asked.parse(reverse("experiments:runs", args=[run.project.slug]), params)
    return run.project, with_default_experiment(viewer, run.project, asked)


def _words(found: Neighbours) -> str:
    if not found.place:
        return f"left the list of {found.total}"
    return f"{found.place:,} of {found.total}"


def _url(run: Run | None, tab: str, text: str, at: int) -> str:
    if run is None:
        return ""
    uid = run.uid.hex
    path = (
        reverse("experiments:run", args=[uid]) if tab == "overview" else reverse("experiments:run_tab", args=[uid, tab])
    )
    return with_pairs(path, [("from", text), ("at", str(at))])


def _place(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 8 else 0
