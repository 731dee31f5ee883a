"""What the frame around every page needs. Nothing here is read before a template asks for it."""

from django.http import HttpRequest

THEMES = (("light", "Light"), ("dark", "Dark"), ("system", "System"))


class Shell:
    """The frame of one page: theme, and the projects of the sidebar."""

    themes = THEMES

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    @property
    def theme(self) -> str:
        """light, dark or system, as kept in a cookie, so that the first paint is right."""
        kept = self._request.COOKIES.get("mled_theme", "system")
        return kept if kept in dict(THEMES) else "system"


def shell(request: HttpRequest) -> dict[str, Shell]:
    """The context processor."""
    return {"shell": Shell(request)}
