"""Who is spoken to in a comment: `@` and the name or the address of somebody who sees the run."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from accounts.markdown import plain_parts
from accounts.models import User


def handle_of(user: User, people: Iterable[User]) -> str:
    """What is written after the `@` to mean this one of the people: the name, or the address where names clash."""
    same = sum(_folded(other.name) == _folded(user.name) for other in people)
    return user.name if user.name.strip() and same <= 1 else user.email


def pattern_of(people: Sequence[User]) -> re.Pattern[str] | None:
    """What finds a mention of any of these people in a text; None where there is nobody."""
    handles = sorted(_by_handle(people), key=len, reverse=True)
    if not handles:
        return None
    either = "|".join(re.escape(handle) for handle in handles)
    return re.compile(rf"(?<![\w@.])@(?:{either})(?!\w)", re.IGNORECASE)


def mentioned(text: str, people: Sequence[User]) -> list[User]:
    """The people whom the text mentions outside of code, each once."""
    pattern, known = pattern_of(people), _by_handle(people)
    if pattern is None or "@" not in text:
        return []
    found = {known[_folded(hit[1:])] for part in plain_parts(text) for hit in pattern.findall(part)}
    return [user for user in people if user in found]


def _by_handle(people: Sequence[User]) -> dict[str, User]:
    """Names that only one of them has, and everybody's address."""
    names = Counter(_folded(user.name) for user in people)
    named = {_folded(user.name): user for user in people if user.name.strip() and names[_folded(user.name)] == 1}
    return named | {_folded(user.email): user for user in people}


def _folded(text: str) -> str:
    return text.strip().casefold()
