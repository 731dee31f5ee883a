"""What pages say of public boards."""

import datetime as dt
from collections.abc import Sequence

from django import template

from boards.models import Board
from boards.queries.boards import boards_open_to

register = template.Library()
LISTED = 5


@register.simple_tag(takes_context=True)
def open_boards(context: template.Context) -> Sequence[Board]:
    """The first few that take entries, for whoever came."""
    actor = getattr(context.get("request"), "actor", None)
    return [] if actor is None else [one for one in boards_open_to(actor)[:LISTED] if one.takes_entries]


@register.filter
def until(board: Board) -> str:
    """Until when it takes entries, in words."""
    if board.closes_at is None:
        return "takes entries" if board.is_open else "takes no more entries"
    at = board.closes_at.astimezone(dt.UTC)
    day = f"{at.day} {at:%b %Y}"
    if board.takes_entries:
        return f"until {day}"
    return f"closed {day}" if board.is_open else "takes no more entries"
