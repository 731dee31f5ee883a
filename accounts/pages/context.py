"""What the frame around every page needs. Nothing here is read before a template asks for it."""

from functools import cached_property

from django.http import HttpRequest

from accounts.access import can
from accounts.models import Project
from accounts.pages.notices import NoticeLine, lines_of
from accounts.queries.notices import unread_notices
from accounts.queries.projects import visible_projects
from kernel.actor import Actor

THEMES = (("light", "Light"), ("dark", "Dark"), ("auto", "System"))
LISTED = 50
NOTICES_SHOWN = 5


class Shell:
    """The frame of one page: theme, the projects of the sidebar, whether the console opens."""

    themes = THEMES

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    @property
    def _actor(self) -> Actor | None:
        return getattr(self._request, "actor", None)

    @property
    def theme(self) -> str:
        """light, dark or auto, as the signed-in user chose."""
        user = getattr(self._request, "user", None)
        chosen = getattr(user, "theme", "auto")
        return chosen if chosen in dict(THEMES) else "auto"

    @cached_property
    def projects(self) -> list[Project]:
        """The projects that the viewer may see, by name."""
        return list(visible_projects(self._actor)[:LISTED]) if self._actor else []

    @property
    def only_project(self) -> Project | None:
        """Where a page belongs that names no project: to the viewer's project, if there is just one."""
        return self.projects[0] if len(self.projects) == 1 else None

    @cached_property
    def unread_count(self) -> int:
        """How many of the viewer's notices are not read."""
        return unread_notices(self._actor).count() if self._actor else 0

    @cached_property
    def newest_notices(self) -> list[NoticeLine]:
        """The newest of those, for the bell."""
        return lines_of(list(unread_notices(self._actor)[:NOTICES_SHOWN])) if self._actor else []

    @property
    def opens_console(self) -> bool:
        """Whether the viewer keeps the site."""
        return bool(self._actor and can(self._actor, "console.use"))


def shell(request: HttpRequest) -> dict[str, Shell]:
    """The context processor."""
    return {"shell": Shell(request)}
