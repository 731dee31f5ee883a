"""One's own last queries in a project, newest first: a personal setting."""

from typing import Any, Final

from accounts.settings import SIZE_MAX, Setting
from kernel.digests import canonical_json
from kernel.errors import Invalid

NAME: Final = "query_history"
QUERIES_MAX = 30
LONGEST = 4_000  # characters of one query


def checked_history(value: Any) -> list[str]:
    """The newest queries that fit, each once. Raises Invalid for anything but a list of texts."""
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise Invalid("The history of queries is a list of texts.", field="value")
    kept: list[str] = []
    for text in dict.fromkeys(one.strip() for one in value):
        if len(kept) < QUERIES_MAX and 0 < len(text) <= LONGEST and len(canonical_json([*kept, text])) < SIZE_MAX:
            kept.append(text)
    return kept


HISTORY = Setting(NAME, [], checked_history)
