"""One kind of error for everything that can be wrong with a filter or an order."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from django.conf import settings

from kernel.errors import Invalid


@dataclass(frozen=True, slots=True)
class Span:
    """A place in the text: the column counted from 0, and how many characters."""

    start: int
    length: int

    @property
    def end(self) -> int:
        return self.start + self.length

    def to(self, other: "Span") -> "Span":
        """From here to the end of the other."""
        return Span(self.start, max(self.length, other.end - self.start))


NOWHERE = Span(0, 0)


class QueryError(Invalid):
    """What is wrong with a filter, where it is, and what to write instead.

    start, length: the place to underline, counted from 0. suggestion: text that may replace it, or "".
    """

    code = "INVALID_QUERY"

    def __init__(self, reason: str, span: Span, *, suggestion: str = "", hint: str = "", field: str = "filter") -> None:
        said = f" Did you mean {suggestion}?" if suggestion else ""
        super().__init__(f"Column {span.start + 1}: {reason}{said}", hint=hint, field=field)
        self.reason = reason
        self.start = span.start
        self.length = span.length
        self.suggestion = suggestion

    def in_field(self, field: str) -> Self:
        """The same error about another field of the request (`order_by`)."""
        self.field = field
        return self


class TakesTooLong(QueryError):
    """A search that was stopped at the time limit: nothing is wrong with it, there is too much to look at."""

    code = "QUERY_TOO_SLOW"

    def __init__(self) -> None:
        self.reason = f"this search takes longer than {settings.MLED_SEARCH_SECONDS:g} seconds and was stopped."
        hint = "Search fewer experiments, add a condition that few runs satisfy, or sort by start time."
        Invalid.__init__(self, self.reason.replace("t", "T", 1), hint=hint, field="filter")
        self.start, self.length, self.suggestion = 0, 0, ""


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word that this one was probably meant to be, or ""."""
    by_lower = {name.lower(): name for name in known}
    found = difflib.get_close_matches(word.lower()[:100], list(by_lower), n=1, cutoff=0.66)
    return by_lower[found[0]] if found else ""
