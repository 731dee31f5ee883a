"""The table of a board and what stands beside it: what moves the result, one's own entry against the best."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

import numpy as np
from django.core.paginator import Paginator
from django.http import QueryDict
from django.urls import reverse

from boards.conditions import Condition, read_conditions
from boards.models import Board
from boards.queries.entries import Asked, Entry, columns_of, entries_of, latest_number, told
from experiments.compare.correlation import TOO_FEW, as_numbers, correlate, is_numeric
from kernel.actor import Actor
from kernel.errors import Invalid

PAGE: Final = 50
COLUMNS: Final = 6  # of params, those that most entries have, if they differ
RELATED: Final = 1000  # entries that the figures are taken from
BARS: Final = 8
_NAMES: Final = ("model", "email", "where", "order", "mine")


@dataclass(frozen=True, slots=True)
class Head:
    """A column's head: what it is ordered by, the address that orders by it next, and how it is ordered now."""

    key: str
    label: str
    url: str
    sort: str
    is_number: bool
    low: bool = False


@dataclass(frozen=True, slots=True)
class Bar:
    """How a param goes with the result. x and width: of 100, from the middle."""

    name: str
    rho: float
    n: int

    @property
    def x(self) -> float:
        return 50.0 if self.rho >= 0 else round(50 + 50 * self.rho, 2)

    @property
    def width(self) -> float:
        return round(max(abs(self.rho) * 50, 0.5), 2)


def asked_of(given: QueryDict) -> tuple[Asked, Invalid | None]:
    """What an address asks for; with what is wrong with its conditions, which are left out then."""
    where: tuple[Condition, ...] = ()
    problem: Invalid | None = None
    try:
        where = read_conditions([one for text in given.getlist("where") for one in text.split(",")])
    except Invalid as error:
        problem = error
    asked = Asked(
        model=given.get("model", "")[:500],
        email=given.get("email", "")[:254],
        where=where,
        mine=given.get("mine", "") == "1",
        order=given.get("order", "")[:252] or "rank",
    )
    return asked, problem


def query_of(given: QueryDict, **change: str) -> str:
    """The address's question with something changed; the page begins anew."""
    pairs = [(name, text) for name in _NAMES if name not in change for text in given.getlist(name) if text]
    return urlencode([*pairs, *((name, text) for name, text in change.items() if text)], safe=",")


def table_context(viewer: Actor, board: Board, given: QueryDict) -> dict[str, Any]:
    """What the table and the panels beside it show. Raises SubmissionRequired."""
    asked, problem = asked_of(given)
    rows = entries_of(viewer, board, asked)
    page = Paginator(rows, PAGE).get_page(given.get("page"))
    params, _ = columns_of(viewer, board)
    shown = told(viewer, board, list(page))
    columns = _differing(params, shown)[:COLUMNS]
    listed = reverse("boards:board", args=[board.project.slug])
    newest = latest_number(viewer, board)
    query = query_of(given)
    return {
        "page": page,
        "entries": shown,
        "cells": [(one, [one.params.get(name) for name in columns]) for one in shown],
        "heads": _heads(board, asked, given, columns, listed),
        "more_columns": len(params) - len(columns),
        "asked": asked,
        "where": ", ".join(str(one) for one in asked.where) if problem is None else ", ".join(given.getlist("where")),
        "where_problem": problem,
        "is_filtered": bool(asked.model or asked.email or asked.where or asked.mine),
        "whole": entries_of(viewer, board).count(),
        "query": query,
        "here": f"{listed}?{given.urlencode()}" if given else listed,
        "news_url": f"{reverse('boards:news', args=[board.project.slug])}?{query}",
        "newest": newest,
        **_related(viewer, board, asked),
        **_against_best(viewer, board),
    }


def _differing(params: Sequence[str], shown: Sequence[Entry]) -> list[str]:
    """The params in which the entries of a page differ; all of them where there is nothing to compare."""
    found = [name for name in params if len({one.params.get(name) for one in shown}) > 1]
    return found if len(shown) > 1 else list(params)


def _heads(board: Board, asked: Asked, given: QueryDict, params: Sequence[str], listed: str) -> list[Head]:
    label = board.result_label or board.result_key
    arrow = "↓" if board.is_lower_better else "↑"
    columns = [
        ("rank", "Rank", True),
        ("model", "Model", False),
        ("", "By", False),
        ("rank", f"{label} {arrow}", True),
        *((name, name, True) for name in params),
        ("new", "When", True),
    ]
    return [_head(asked, given, listed, place, *one) for place, one in enumerate(columns)]


def _head(asked: Asked, given: QueryDict, listed: str, place: int, key: str, label: str, is_number: bool) -> Head:
    now = asked.order.removeprefix("-")
    is_back = asked.order.startswith("-")
    turned = f"-{key}" if asked.order == key else key
    url = f"{listed}?{query_of(given, order='' if turned == 'rank' else turned)}" if key and place != 3 else ""
    ordered = bool(url) and now == key
    return Head(key, label, url, ("descending" if is_back else "ascending") if ordered else "", is_number)


def _related(viewer: Actor, board: Board, asked: Asked) -> dict[str, Any]:
    """How numeric params go with the result, over the entries that match: Spearman's rank correlation, with n."""
    some = told(viewer, board, list(entries_of(viewer, board, asked)[:RELATED]))
    results = np.array([np.nan if one.result is None else one.result for one in some], dtype=np.float64)
    names = sorted({name for one in some for name in one.params})
    bars = []
    for name in names:
        values = [one.params.get(name) for one in some]
        if not is_numeric(values):
            continue
        found = correlate(as_numbers(values), results)
        if found.spearman is not None:
            bars.append(Bar(name, found.spearman, found.n))
    bars.sort(key=lambda bar: (-abs(bar.rho), bar.name))
    return {"bars": bars[:BARS], "related_n": len(some), "too_few": len(some) < TOO_FEW, "few": TOO_FEW}


def _against_best(viewer: Actor, board: Board) -> dict[str, Any]:
    """One's own best entry beside the best of all, field by field where they differ."""
    mine, best = _first(viewer, board, Asked(mine=True)), _first(viewer, board, Asked())
    if mine is None or best is None or mine.result is None or mine.submission.pk == best.submission.pk:
        return {"best": best, "mine": mine, "differences": []}
    names = sorted(set(mine.params) | set(best.params))
    pairs = [(name, best.params.get(name, "–"), mine.params.get(name, "–")) for name in names]
    return {"best": best, "mine": mine, "differences": [one for one in pairs if one[1] != one[2]]}


def _first(viewer: Actor, board: Board, asked: Asked) -> Entry | None:
    rows = told(viewer, board, list(entries_of(viewer, board, asked)[:1]))
    return rows[0] if rows else None
