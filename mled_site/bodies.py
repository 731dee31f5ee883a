"""What the REST API takes in a body."""

import json
import re
from typing import Any, Final

from django.conf import settings
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

from kernel.errors import TooLarge

DEPTH_MAX: Final = 100
_ODD: Final = re.compile(rb"\\u(?:0000|[dD][89abcdefABCDEF])")
_NOT_KEPT: Final = re.compile("[\x00\ud800-\udfff]")


class StrictJson(JSONParser):
    """JSON within the size limit, without repeated keys, NaN, texts that no database holds, or an attack's nesting."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        body = stream.read(settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)
        if len(body) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            raise TooLarge(f"A body may have at most {settings.DATA_UPLOAD_MAX_MEMORY_SIZE:,} bytes.")
        try:
            said = json.loads(body.decode(), object_pairs_hook=_once, parse_constant=_no_constant)
            if _needs_a_look(body):
                _check(said)
            return said
        except (ValueError, RecursionError) as error:
            why = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)[:200]
            raise ParseError(f"The body is not the JSON that is wanted here: {why}.") from None


def _needs_a_look(body: bytes) -> bool:
    """Whether it may hold what is refused: most bodies are told from the outside."""
    return _ODD.search(body) is not None or body.count(b"[") + body.count(b"{") > DEPTH_MAX


def _check(said: Any) -> None:
    """Raise ValueError for a NUL or half a character in any text or key, and for what lies too deep."""
    level = [said]
    for _ in range(DEPTH_MAX):
        below: list[Any] = []
        for one in level:
            if isinstance(one, dict):
                below += [*one.keys(), *one.values()]
            elif isinstance(one, list):
                below += one
            elif isinstance(one, str) and _NOT_KEPT.search(one):
                raise ValueError("a text holds a NUL or half of a character pair")
        if not below:
            return
        level = below
    raise ValueError(f"it is nested deeper than {DEPTH_MAX} levels")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key is there twice")
    return found


def _no_constant(name: str) -> None:
    raise ValueError(f"JSON has no {name}")
