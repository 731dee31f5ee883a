"""What rooms above add to a run's pages. They register here when they start; this room never asks them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from artifacts.pages import slots
from experiments.models import Run
from kernel.actor import Actor


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing of a panel: its name and page, a text to copy, a few words."""

    label: str
    url: str
    copy: str
    copy_label: str
    words: str


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
    made = [make(viewer, run) for make in data_panels]
    return [render_to_string(one.template, dict(one.context), request=request) for one in made if one is not None]
