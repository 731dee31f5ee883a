"""The tabs of a page that has several: they are the same kind of thing in every room."""

from collections.abc import Callable
from dataclasses import dataclass

from django.urls import reverse

from accounts.models import Project


@dataclass(frozen=True, slots=True)
class Tab:
    """One tab: where it leads and how much is there."""

    key: str
    label: str
    url: str
    count: int | None = None


# Further pages of a project's settings, which rooms above have: each a tab beside the project's own.
settings_pages: list[Callable[[Project], Tab]] = []


def settings_tabs(project: Project) -> list[Tab]:
    """The pages of a project's settings."""
    own = Tab("project", "Project", reverse("accounts:settings", args=[project.slug]))
    return [own, *(make(project) for make in settings_pages)]
