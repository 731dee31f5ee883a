"""What every tab of the comparison has: its runs, the base, what of the address is not there, and the tabs."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from accounts.access import not_found
from accounts.pages.doors import actor_of
from experiments.models import Run
from experiments.pages.chart_lines import slots_of
from experiments.pages.compare.asked import Asked
from experiments.queries.comparison import COMPARED_MAX, runs_like, runs_seen
from experiments.refs import readable_id_in, uid_in
from kernel.actor import Actor
from kernel.errors import Invalid

OFFERED = 8
TABS = (
    ("overview", "Overview"),
    ("curves", "Curves"),
    ("plots", "Plots"),
    ("images", "Images"),
    ("files", "Text files"),
    ("code", "Code"),
    ("packages", "Packages"),
    ("data", "Data"),
    ("environment", "Environment"),
)


@dataclass(frozen=True, slots=True)
class Chip:
    """One run that is compared, with its colour here and what can be done with it. An empty address: not possible."""

    run: Run
    ref: str
    slot: int
    url: str
    is_base: bool
    base_url: str
    without_url: str
    left_url: str
    right_url: str


@dataclass(frozen=True, slots=True)
class Frame:
    """The runs of an address for its reader. base: the place of the base run; context: for the template."""

    viewer: Actor
    asked: Asked
    runs: list[Run]
    base: int
    context: dict[str, Any]


def framed(request: HttpRequest, tab: str) -> Frame:
    """Read the address. Raises NotFound where none of the runs that it names can be seen."""
    viewer = actor_of(request)
    asked = Asked.parse(request.GET, tab)
    runs, gone, wrong = _seen(viewer, asked)
    missing = [ref for ref in gone if ref in asked.refs]
    if missing and not runs:
        raise not_found(Run, missing[0])
    asked = replace(asked, refs=tuple(run.readable_id for run in runs), added="" if not gone else asked.added)
    base = base_of(asked, runs)
    projects = {run.project for run in runs}
    words = " ".join(ref for ref in gone if ref not in missing)
    context: dict[str, Any] = {
        "at": "compare",
        "project": projects.pop() if len(projects) == 1 else None,
        "asked": asked,
        "wrong": wrong,
        "gone": missing,
        "words": words,
        "offered": offered(viewer, asked, runs, words) if words else [],
        "chips": chips_of(asked, runs, base),
        "newest": offered(viewer, asked, [], "") if not asked.refs and not words else [],
        "compared_max": COMPARED_MAX,
        "tab": tab,
        "tabs": [(name, word, _count(name, runs), asked.url(tab=name)) for name, word in TABS] if runs else [],
        "csv_url": asked.url_of("compare_csv"),
        "kept": asked.kept(),
    }
    return Frame(viewer, asked, runs, base, context)


def _seen(viewer: Actor, asked: Asked) -> tuple[list[Run], list[str], str]:
    """The runs, the names that led to none, and what is wrong with the question."""
    try:
        return *runs_seen(viewer, _named(asked)), ""
    except Invalid as error:
        return [], [], str(error)


def _named(asked: Asked) -> list[str]:
    """The ids of the address, and those to add: every word, where all of them are ids; else the words as one name."""
    words = asked.added.replace(",", " ").split()
    are_ids = all(readable_id_in(word) or uid_in(word) for word in words)
    return [*asked.refs, *(words if are_ids else [asked.added] if asked.added else [])]


def _count(tab: str, runs: Sequence[Run]) -> int:
    """What a tab's name is followed by: how many commits there are, where they are several; 0 for nothing."""
    commits = {run.git_commit for run in runs if run.git_commit} if tab == "code" else set()
    return len(commits) if len(commits) > 1 else 0


def base_of(asked: Asked, runs: Sequence[Run]) -> int:
    """The place of the base run; the first where the address names none of them."""
    return next((at for at, run in enumerate(runs) if asked.base in (run.readable_id, run.uid.hex)), 0)


def other_of(frame: Frame) -> int | None:
    """The place of the run that stands against the base one; None where there is only one run."""
    others = [at for at in range(len(frame.runs)) if at != frame.base]
    named = next((at for at in others if frame.runs[at].readable_id == frame.asked.other), None)
    return named if named is not None else (others[0] if others else None)


def chips_of(asked: Asked, runs: Sequence[Run], base: int) -> list[Chip]:
    """The runs in their order."""
    slots = slots_of(runs)
    return [_chip(asked, run, slots[at], at == base) for at, run in enumerate(runs)]


def _chip(asked: Asked, run: Run, slot: int, is_base: bool) -> Chip:
    ref = run.readable_id
    return Chip(
        run=run,
        ref=ref,
        slot=slot,
        url=reverse("experiments:run", args=[run.uid.hex]),
        is_base=is_base,
        base_url=asked.url(base=ref, other=""),
        without_url=asked.without(ref),
        left_url=asked.moved(ref, -1),
        right_url=asked.moved(ref, 1),
    )


@dataclass(frozen=True, slots=True)
class Offer:
    """A run that could be added. url: the address with it."""

    run: Run
    ref: str
    url: str


def offered(viewer: Actor, asked: Asked, runs: Sequence[Run], text: str) -> list[Offer]:
    """Runs with this text in their name or id that are not compared yet; without a text the newest beside them."""
    project = runs[0].project if runs and not text else None
    found = runs_like(viewer, text, project=project, without=[run.pk for run in runs], limit=OFFERED)
    return [Offer(run, run.readable_id, asked.url(refs=(*asked.refs, run.readable_id), added="")) for run in found]
