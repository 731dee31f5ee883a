"""What rooms above add to pages of runs and projects. They register here when they start; this room never asks them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from accounts.access import can
from accounts.models import Project
from artifacts.models import ArtifactFile
from artifacts.pages import slots
from experiments.models import Run
from kernel.actor import Actor


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing of a panel: its name and page, a text to copy, a few words, and what can be done with it."""

    label: str
    url: str
    copy: str
    copy_label: str
    words: str
    act_label: str = ""
    act_url: str = ""


@dataclass(frozen=True, slots=True)
class Panel:
    """A titled list among a run's files, such as the models that it made. package_files: lists of packages in them."""

    title: str
    entries: list[Entry]
    package_files: Sequence[str] = ()


run_panels: list[Callable[[Actor, Run], Panel | None]] = []


def panels_of(viewer: Actor, run: Run) -> list[Panel]:
    """What the rooms above have to show of this run to this viewer."""
    return [panel for make in run_panels if (panel := make(viewer, run))]


# Beside the data that went into a run: a template with its own context.
data_panels: list[Callable[[Actor, Run], slots.Panel | None]] = []


def data_panels_of(request: HttpRequest, viewer: Actor, run: Run) -> list[SafeString]:
    """What the rooms above have to show with the run's data to this viewer, drawn."""
    return _drawn(request, [make(viewer, run) for make in data_panels])


# In the head of a run: badges behind its status, buttons before its menu.
head_badges: list[Callable[[Actor, Run], slots.Panel | None]] = []
head_buttons: list[Callable[[Actor, Run], slots.Panel | None]] = []


def head_badges_of(request: HttpRequest, viewer: Actor, run: Run) -> list[SafeString]:
    """What the rooms above say of the run beside its status, drawn."""
    return _drawn(request, [make(viewer, run) for make in head_badges])


def head_buttons_of(request: HttpRequest, viewer: Actor, run: Run) -> list[SafeString]:
    """What this viewer can do with the run in the rooms above, drawn."""
    return _drawn(request, [make(viewer, run) for make in head_buttons])


# The page of a run that is gone for good: what is left of it.
gone_pages: list[Callable[[HttpRequest, Run], HttpResponse]] = []


# On the home page, and on a project's overview: templates with their own context.
home_panels: list[Callable[[Actor], slots.Panel | None]] = []
project_panels: list[Callable[[Actor, Project], slots.Panel | None]] = []


def home_panels_of(request: HttpRequest, viewer: Actor) -> list[SafeString]:
    """What the rooms above have to show this viewer first, drawn."""
    return _drawn(request, [make(viewer) for make in home_panels])


def project_panels_of(request: HttpRequest, viewer: Actor, project: Project) -> list[SafeString]:
    """What the rooms above have to show of this project to this viewer, drawn."""
    return _drawn(request, [make(viewer, project) for make in project_panels])


def _drawn(request: HttpRequest, made: Sequence[slots.Panel | None]) -> list[SafeString]:
    return [render_to_string(one.template, dict(one.context), request=request) for one in made if one is not None]


@dataclass(frozen=True, slots=True)
class RunTab:
    """A further tab of a run: its key, its label, its address, and how much it holds (None: no number)."""

    key: str
    label: str
    url: Callable[[Run], str]
    count: Callable[[Actor, Run], int | None]


# Tabs that the rooms above add to a run's own, before its history.
run_tabs: list[RunTab] = []


@dataclass(frozen=True, slots=True)
class FoundLine:
    """One thing that the jump box found: its name and page, and where it belongs."""

    label: str
    url: str
    words: str


@dataclass(frozen=True, slots=True)
class Found:
    """What the jump box found of one kind."""

    title: str
    icon: str
    lines: list[FoundLine]


finders: list[Callable[[Actor, str], Found | None]] = []


def found_above(viewer: Actor, text: str) -> list[Found]:
    """What the rooms above know by this text."""
    return [found for find in finders if (found := find(viewer, text))]


# Files that belong to a run and lie elsewhere: those of the models that it made. For many runs at once: by run (primary
# key), what to call each file, and the file; only such as end with one of the endings and as the viewer may download.
Labelled = list[tuple[str, ArtifactFile]]
model_files: list[Callable[[Actor, Sequence[Run], Sequence[str]], Mapping[int, Labelled]]] = []


def model_files_of(viewer: Actor, runs: Sequence[Run], endings: Sequence[str]) -> dict[int, Labelled]:
    """The files of the models that these runs made."""
    found: dict[int, Labelled] = {}
    for find in model_files:
        for run, files in find(viewer, runs, endings).items():
            found.setdefault(run, []).extend(files)
    return found


@dataclass(frozen=True, slots=True)
class BulkOffer:
    """What a room above does to many runs at once: an entry of the bar below selected runs, one act for each of them.

    do: an action, with the reason that was given; done: "sent to review", as in "17 runs sent to review"; permission:
    who is offered it; is_so: whether a run is that already; reason: what the entry asks to be told, "" for nothing.
    """

    label: str
    icon: str
    do: Callable[[Actor, Run, str], Any]
    done: str
    permission: str
    is_so: Callable[[Run], bool] = lambda run: False
    reason: str = ""


bulk_acts: dict[str, BulkOffer] = {}  # by the verb in the address


def bulk_offers_of(viewer: Actor, project: Project) -> list[tuple[str, BulkOffer]]:
    """What the rooms above offer this viewer to do to runs of the project."""
    return [(verb, offer) for verb, offer in bulk_acts.items() if can(viewer, offer.permission, project)]


@dataclass(frozen=True, slots=True)
class RunsPage:
    """A page above that speaks of many runs: a button over the list, and one in the bar below selected runs.

    url: its address for a question as pairs of an address (q, experiment, lifecycle).
    """

    label: str
    icon: str
    may: Callable[[Actor, Project], bool]
    url: Callable[[Project, Sequence[tuple[str, str]]], str]


runs_pages: dict[str, RunsPage] = {}  # by the verb in the address


def runs_pages_of(viewer: Actor, project: Project, pairs: Sequence[tuple[str, str]]) -> list[tuple[str, RunsPage, str]]:
    """Those that this viewer may open, each with its verb and its address for the question of the list."""
    return [(verb, page, page.url(project, pairs)) for verb, page in runs_pages.items() if page.may(viewer, project)]
