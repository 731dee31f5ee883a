"""Pages of a list that may be long: what is on one is read, and all of it counted only so far as anybody reads it."""

from dataclasses import dataclass
from typing import Final

from django.db.models import QuerySet

from runner.models import Job

A_PAGE: Final = 50
COUNTED: Final = 10_000  # counting 100,000 jobs takes 140 ms (bench/jobs.py)


@dataclass(frozen=True, slots=True)
class Paged:
    """One page. count: of all; is_more: there are more than that."""

    rows: list[Job]
    number: int
    count: int
    is_more: bool
    has_next: bool

    @property
    def start(self) -> int:
        """The place of its first row, from 1."""
        return (self.number - 1) * A_PAGE + 1

    @property
    def end(self) -> int:
        """The place of its last row."""
        return self.start + len(self.rows) - 1


def paged(rows: QuerySet[Job], page: str) -> Paged:
    """The page of this number; the last one for one that is beyond it, the first for what is no number."""
    number = max(1, int(page)) if page.isascii() and page.isdigit() else 1
    found = _on(rows, number)
    if not found and number > 1:
        number = max(1, -(-_counted(rows) // A_PAGE))
        found = _on(rows, number)
    before = (number - 1) * A_PAGE
    if len(found) <= A_PAGE:
        return Paged(found, number, before + len(found), is_more=False, has_next=False)
    count = _counted(rows)
    known = max(min(count, COUNTED), before + A_PAGE)
    return Paged(found[:A_PAGE], number, known, is_more=count > COUNTED, has_next=True)


def _on(rows: QuerySet[Job], number: int) -> list[Job]:
    """Those of a page, and one more where there is one."""
    before = (number - 1) * A_PAGE
    return list(rows[before : before + A_PAGE + 1])


def _counted(rows: QuerySet[Job]) -> int:
    """How many there are, of more than so many one more than that."""
    return rows.order_by().values("pk")[: COUNTED + 1].count()
