"""What rooms above add to pages of runs and projects. They register here when they start; this room never asks them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from accounts.access import can
from accounts.models import Project
from artifacts.pages import slots
from experiments.hooks import BulkOffer, bulk_acts, model_files
from experiments.models import Run
from kernel.actor import Actor

__all__ = ["BulkOffer", "bulk_acts", "model_files"]  # registered here, kept where acts and queries reach them


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


# Where a run came from that was not made here: the first that has something to say takes the place of what the head
# says of its author.
head_origins: list[Callable[[Actor, Run], slots.Panel | None]] = []


def head_origin_of(request: HttpRequest, viewer: Actor, run: Run) -> SafeString | None:
    """What a room above says of where the run came from, drawn; None for one that was made here."""
    made = (panel for make in head_origins if (panel := make(viewer, run)) is not None)
    return next(iter(_drawn(request, [next(made, None)])), None)


# Of a run that executes nothing itself: where its conditions are, in their place. The first that has something to say.
conditions_elsewhere: list[Callable[[Actor, Run], slots.Panel | None]] = []


def conditions_elsewhere_of(request: HttpRequest, viewer: Actor, run: Run) -> SafeString | None:
    """Where the conditions of a run are that executes nothing itself, drawn; None for any other."""
    made = (panel for make in conditions_elsewhere if (panel := make(viewer, run)) is not None)
    return next(iter(_drawn(request, [next(made, None)])), None)


# Of a run that a room above made itself: the command that does it again there; '' for any other.
again_commands: list[Callable[[Actor, Run], str]] = []


def again_command_of(viewer: Actor, run: Run) -> str:
    """The command that does this run again where it was made; '' where only its record can say how."""
    return next((command for say in again_commands if (command := say(viewer, run))), "")


# Below the head of a run, above its tabs: what goes on with it.
head_strips: list[Callable[[HttpRequest, Actor, Run], slots.Panel | None]] = []


def head_strips_of(request: HttpRequest, viewer: Actor, run: Run) -> list[SafeString]:
    """What the rooms above tell of what goes on with the run, drawn."""
    return _drawn(request, [make(request, viewer, run) for make in head_strips])


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
