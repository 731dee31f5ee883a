"""Answers that are text: notes and keys in the forms that other tools read."""

from typing import Any

from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request


class TextRenderer(BaseRenderer):
    """What a view answers as text, as it stands; a problem is JSON here, too."""

    media_type = "text/plain"
    format = "txt"
    charset = "utf-8"

    def render(self, data: Any, accepted_media_type: Any = None, renderer_context: Any = None) -> bytes:
        if isinstance(data, str):
            return data.encode()
        return bytes(JSONRenderer().render(data, accepted_media_type, renderer_context))


JSON_OR_TEXT = (JSONRenderer, TextRenderer)


def wants_text(request: Request) -> bool:
    """Whether `Accept: text/plain` or `?format=txt` was asked."""
    return isinstance(request.accepted_renderer, TextRenderer)
