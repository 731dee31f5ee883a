"""What rooms above add to the pages of a dataset version. They register here when they start; nobody here asks them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from artifacts.models import DatasetVersion
from kernel.actor import Actor


@dataclass(frozen=True, slots=True)
class Panel:
    """A part of the overview: a template with its own context. Its outermost element is a <section class="m-panel">."""

    template: str
    context: Mapping[str, Any] = field(default_factory=dict)


# Asked in order for each overview; None: nothing to show of this version to this viewer.
version_panels: list[Callable[[Actor, DatasetVersion], Panel | None]] = []


def panels_of(request: HttpRequest, viewer: Actor, version: DatasetVersion) -> list[SafeString]:
    """The panels of the rooms above, drawn."""
    made = [make(viewer, version) for make in version_panels]
    return [render_to_string(one.template, dict(one.context), request=request) for one in made if one is not None]
