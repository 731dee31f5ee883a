"""The table of a board: its heads with what a click on them asks, and a row for each entry."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.core.paginator import Paginator

from accounts.templatetags.mled import number
from boards.models import Submission
from boards.pages.form import result_words
from boards.pages.question import COLUMNS_MAX, Question
from boards.pages.visiting import Visit
from boards.queries.entries import Asked, Entry, columns_of, entries_of, latest_number, told
from boards.queries.relations import Gathered
from experiments.metrics.batch import finite_number

PAGE: Final = 50
SHOWN: Final = 6  # columns of params, where nobody chose
_BUILT_IN: Final = frozenset({"rank", "new", "number", "model"})
BADGES: Final = {
    Submission.State.HELD: ("warn", "clock", "Waits"),
    Submission.State.HIDDEN: ("fail", "eyeoff", "Taken off"),
    Submission.State.WITHDRAWN: ("", "undo", "Withdrawn"),
}


@dataclass(frozen=True, slots=True)
class Head:
    """A column's caption. sort: '', 'ascending' or 'descending', as aria-sort has it; url: '' for one that none sorts
    by."""

    label: str
    url: str = ""
    sort: str = ""
    classes: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True)
class Cell:
    text: str
    is_number: bool


@dataclass(frozen=True, slots=True)
class Row:
    """An entry in the table. badge: kind, icon and word of a state in which it does not show."""

    entry: Entry
    url: str
    cells: list[Cell]
    badge: tuple[str, str, str] | None
    is_best: bool


@dataclass(frozen=True, slots=True)
class Offered:
    """A column that the picker has."""

    key: str
    label: str
    is_shown: bool


def table_of(came: Visit, question: Question, asked: Asked, held: Gathered) -> dict[str, Any]:
    """A page of the table, with its heads, and how many there are."""
    rows = Paginator(entries_of(came.viewer, came.board, asked), PAGE)
    page = rows.get_page(question.page)
    params, results = columns_of(came.viewer, came.board)
    known = [*(f"params.{key}" for key in params), *(f"results.{key}" for key in results)]
    shown = [key for key in question.columns if key in known] or _usual(held, params)
    entries = told(came.viewer, came.board, list(page))
    total = entries_of(came.viewer, came.board).count() if question.is_filtered else rows.count
    return {
        "question": question,
        "page": page,
        "matching": rows.count,
        "total": total,
        "heads": heads_of(came, question, shown),
        "rows": [row_of(came, one, shown) for one in entries],
        "offered": [Offered(key, key.partition(".")[2], key in shown) for key in known],
        "columns_max": COLUMNS_MAX,
        "previous_url": question.url(page=str(page.previous_page_number())) if page.has_previous() else "",
        "next_url": question.url(page=str(page.next_page_number())) if page.has_next() else "",
        "latest": latest_number(came.viewer, came.board),
    }


def _usual(held: Gathered, params: Sequence[str]) -> list[str]:
    """The params that differ among the entries, else those that most of them have."""
    return [f"params.{key}" for key in (held.differing or params)[:SHOWN]]


def heads_of(came: Visit, question: Question, shown: Sequence[str]) -> list[Head]:
    """The captions: a click orders by the column, another one the other way round."""
    words = result_words(came.board)
    by_result = _head(question, words, "rank", "n", up=came.board.is_lower_better)
    return [
        _head(question, "Rank", "rank", "n"),
        _head(question, "Model", "model", "m-modelcell"),
        Head("By"),
        by_result,
        *(_of_column(question, key) for key in shown),
        _head(question, "When", "new", "n", up=False),
    ]


def _of_column(question: Question, key: str) -> Head:
    name = key.partition(".")[2]
    if name in _BUILT_IN or name.startswith("-"):
        return Head(name, classes="n", title=name)
    return _head(question, name, name, "n")


def _head(question: Question, label: str, order: str, classes: str = "", *, up: bool = True) -> Head:
    """up: whether the order without a sign is the ascending one."""
    now = question.order or "rank"
    is_now = now in (order, f"-{order}")
    backwards = now.startswith("-")
    sort = ("ascending" if up != backwards else "descending") if is_now else ""
    onwards = f"-{order}" if is_now and not backwards else order
    return Head(label, question.url(order="" if onwards == "rank" else onwards), sort, classes, label)


def row_of(came: Visit, entry: Entry, shown: Sequence[str]) -> Row:
    state = Submission.State(entry.submission.state)
    return Row(
        entry=entry,
        url=came.url("entry", entry.submission.number),
        cells=[_cell(entry, key) for key in shown],
        badge=BADGES.get(state),
        is_best=entry.rank == 1,
    )


def _cell(entry: Entry, key: str) -> Cell:
    kind, _, name = key.partition(".")
    if kind == "results":
        value = entry.results.get(name)
        return Cell("" if value is None else number(value), is_number=True)
    text = entry.params.get(name, "")
    return Cell(text, is_number=finite_number(text) is not None)
