"""JSON as it was written, read into pairs and literals: no key is lost, no digit changes."""

import json
from typing import Any, Final

LONGEST: Final = 1_000_000  # bytes
DEEPEST: Final = 40
MOST: Final = 5_000  # values


class Literal(str):
    """A number, true, false or null as it stands in the file."""

    __slots__ = ()


class Pairs(list[tuple[str, Any]]):
    """The members of an object in order, each key as often as it was given."""


class TooMuch(ValueError):
    """Valid, but deeper or larger than what can be folded on a page."""


def parsed(text: str) -> Any:
    """The value of a JSON text, made of Pairs, lists, str and Literal. Raises ValueError, TooMuch."""
    try:
        value = json.loads(
            text, object_pairs_hook=Pairs, parse_float=Literal, parse_int=Literal, parse_constant=Literal
        )
    except RecursionError:
        raise TooMuch("it is nested too deep") from None
    _measure(value)
    return value


def _measure(value: Any) -> None:
    """Raise TooMuch for a value that a page cannot hold. Goes level by level: no recursion, whatever the depth."""
    level, depth, count = [value], 0, 0
    while level:
        count += len(level)
        depth += 1
        if count > MOST:
            raise TooMuch(f"it has more than {MOST:,} values")
        if depth > DEEPEST:
            raise TooMuch(f"it is nested deeper than {DEEPEST} levels")
        level = [inner for outer in level for inner in _inner(outer)]


def _inner(value: Any) -> list[Any]:
    if isinstance(value, Pairs):
        return [inner for _, inner in value]
    return value if isinstance(value, list) else []


def literal(value: Any) -> str:
    """A scalar as JSON has it."""
    if isinstance(value, Literal):
        return str(value)
    return json.dumps(value, ensure_ascii=False)


def one_line(value: Any, limit: int) -> str | None:
    """An object or list of scalars on one line; None where that would be longer than limit, or holds others."""
    members = _inner(value)
    if len(members) > limit // 2 or any(isinstance(inner, list) for inner in members):
        return None
    if isinstance(value, Pairs):
        text = "{" + ", ".join(f"{literal(key)}: {literal(inner)}" for key, inner in value) + "}"
    else:
        text = "[" + ", ".join(literal(inner) for inner in value) + "]"
    return text if len(text) <= limit else None
