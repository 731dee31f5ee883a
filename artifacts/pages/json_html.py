"""JSON as HTML that folds without a script."""

from typing import Any, Final

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from artifacts.previews.json_tree import Pairs, literal, one_line

_LINE: Final = 100  # characters of an object that is shown in one line
_OPEN_LEVELS: Final = 3


def foldable(value: Any) -> SafeString:
    """A value of `artifacts.previews.json_tree.parsed`, laid out line by line; objects and lists fold."""
    pieces: list[str] = []
    _write(pieces, value, "", "", 0)
    return mark_safe("".join(pieces))  # noqa: S308 - every text in it went through escape


def _write(pieces: list[str], value: Any, before: str, after: str, depth: int) -> None:
    """One value. before: its key, already HTML; after: a comma where another follows."""
    line = one_line(value, _LINE) if isinstance(value, list) else literal(value)
    if line is not None and not (isinstance(value, Pairs) and depth == 0 and value):
        pieces.append(f"<div>{before}{_coloured(value)}{after}</div>")
        return
    is_object = isinstance(value, Pairs)
    opens, closes = ("{", "}") if is_object else ("[", "]")
    unfolded = " open" if depth < _OPEN_LEVELS else ""
    pieces.append(
        f'<details{unfolded}><summary data-rest=" … {closes}{after}">{before}{opens}'
        f'<span class="n">{len(value)}</span></summary><div class="in">'
    )
    last = len(value) - 1
    for number, one in enumerate(value):
        key, inner = one if is_object else ("", one)
        name = _key(key) if is_object else ""
        _write(pieces, inner, name, "," if number < last else "", depth + 1)
    pieces.append(f"</div><div>{closes}{after}</div></details>")


def _coloured(value: Any) -> str:
    """A scalar, or an object or list of scalars, in one line."""
    if isinstance(value, Pairs):
        return "{" + ", ".join(f"{_key(key)}{_coloured(inner)}" for key, inner in value) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_coloured(inner) for inner in value) + "]"
    text = escape(literal(value))
    return f'<span class="s">{text}</span>' if type(value) is str else text


def _key(key: str) -> str:
    return f'<span class="k">{escape(literal(key))}</span>: '
