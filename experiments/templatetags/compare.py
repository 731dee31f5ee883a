"""Cells of the comparison: a hundred runs by hundreds of fields are written in one go; by templates it took seconds."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from django import template
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

register = template.Library()

NOTHING: Final = {"metric": "not logged", "unknown": "not recorded", "package": "not installed"}


@register.simple_tag
def cells_across(row: Any, columns: Sequence[Any]) -> SafeString:
    """The cells of a field, one for each column. row, columns: see pages/compare/words.py and columns.py."""
    return _joined(
        _cell(cell, mono=row.mono, also="base" if column.is_base else "")
        for cell, column in zip(row.cells, columns, strict=True)
    )


@register.simple_tag
def cells_down(groups: Sequence[Any], place: int) -> SafeString:
    """The cells of a run, one for each field of each group; the first of a group begins with a line."""
    return _joined(
        _cell(row.cells[place], mono=row.mono, also="" if at else "gl")
        for group in groups
        for at, row in enumerate(group.rows)
    )


def _joined(cells: Iterable[str]) -> SafeString:
    return mark_safe("".join(cells))  # noqa: S308  every text in them is escaped below


def _cell(cell: Any, *, mono: bool, also: str) -> str:
    classes = " ".join(part for part in (cell.classes, "mono" if mono else "", also) if part)
    focus = ' tabindex="-1"' if cell.classes == "diff" else ""
    return f'<td class="{classes}"{focus}>{_text(cell)}{_delta(cell)}</td>'


def _text(cell: Any) -> str:
    if cell.text == "":
        return f'<span class="t3">{NOTHING.get(cell.kind, "not set")}</span>'
    look = f' class="{cell.extreme}"' if cell.extreme else ""
    title = f' title="{escape(cell.title)}"' if cell.title != cell.text else ""
    spread = f' <span class="t2 sm nw">{escape(cell.spread)}</span>' if cell.spread else ""
    return f"<span{look}{title}>{escape(cell.text)}</span>{spread}"


def _delta(cell: Any) -> str:
    return f' <span class="d {cell.gain}">{escape(cell.delta)}</span>' if cell.delta else ""
