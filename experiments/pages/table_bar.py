"""What the head and the bar of the run table offer: ways to look, an order, columns, files, the next page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

from accounts.models import Project
from experiments.pages.asked import Asked
from experiments.pages.columns import GROUP_ORDER, GROUPS, NAME, STATUS, SYSTEM, Column, keyed, sortable
from experiments.pages.questions import over_to
from experiments.queries.search import FoundRun, Page, count_runs
from experiments.queries.table import Names
from kernel.actor import Actor

EXPORTS = {"csv": "CSV", "xlsx": "XLSX", "parquet": "Parquet", "json": "JSON"}
SORTS_MAX = 40


@dataclass(frozen=True, slots=True)
class Sorting:
    """One way to sort. way: "up" or "down" where the table is sorted so."""

    label: str
    up_url: str
    down_url: str
    way: str


def sorting_of(asked: Asked, columns: Sequence[Column], directions: Mapping[str, bool]) -> dict[str, Any]:
    """The orders that the menu offers, and the one that holds."""
    now = sortable(asked.sort.removeprefix("-")) if asked.sort else None
    offered = [NAME, STATUS, *columns, *([now] if now else [])]
    able = [one for one in offered if one.order and (one.figure != "best" or one.name in directions)]
    once = list({one.key: one for one in able}.values())
    pairs = asked.all_kept("sort")
    return {
        "sortings": [
            Sorting(
                _sort_words(column),
                asked.url([*pairs, ("sort", column.key)]),
                asked.url([*pairs, ("sort", f"-{column.key}")]),
                {column.key: "up", f"-{column.key}": "down"}.get(asked.sort, ""),
            )
            for column in once[:SORTS_MAX]
        ],
        "sorted_by": f"{_sort_words(now)} {'↓' if asked.sort.startswith('-') else '↑'}" if now else "newest",
        "unsorted_url": asked.url(pairs),
    }


def _sort_words(column: Column) -> str:
    return f"{column.figure} {column.label}" if column.figure not in ("", "last") else column.label


def matters_url(project: Project, asked: Asked) -> str:
    """What matters, of the runs of this question."""
    return over_to("relations", project, asked.kept("columns", "sort", "good", "saved"))


def shown_as(project: Project, asked: Asked) -> list[tuple[str, str, str]]:
    """(key, label, address) of the ways to look at these runs."""
    return [(key, label, matters_url(project, asked) if key == "matters" else url) for key, label, url in asked.views]


def picker_of(asked: Asked, columns: Sequence[Column], names: Names) -> dict[str, Any]:
    """The groups of the column picker: what is offered, and what is shown though the newest runs do not have it."""
    offered = [
        *SYSTEM.values(),
        *(keyed("metrics", name) for name in names.metrics),
        *(keyed("params", name) for name in names.params),
        *(keyed("tags", name) for name in names.tags),
    ]
    groups: dict[str, list[Column]] = {}
    drawn = {(column.kind, column.name): column for column in columns if column.kind == "metric"}
    offered = [*columns, *(column for column in offered if (column.kind, column.name) not in drawn)]
    once = {column.key: column for column in offered}
    for column in sorted(once.values(), key=lambda one: GROUP_ORDER.index(one.group)):
        groups.setdefault(column.group, []).append(column)
    return {
        "choices": [
            {"title": title, "columns": group, "all_url": _all_url(asked, columns, title)}
            for title, group in groups.items()
        ],
        "shown_keys": {column.key for column in columns},
    }


def _all_url(asked: Asked, columns: Sequence[Column], title: str) -> str:
    """The table with every column of a group; "" for groups that are always offered whole."""
    kind = {words: kind for kind, words in GROUPS.items()}.get(title)
    if kind is None:
        return ""
    others = [("columns", column.key) for column in asked.columns or columns if column.group != title]
    return asked.url([*asked.all_kept("columns"), *others, ("columns", f"{kind}.*")])


def export_links(project: Project | None, asked: Asked) -> list[tuple[str, str, str]]:
    """(format, address of a file with the columns shown, address of one with every column); of all runs for None."""
    shown, every = urlencode(asked.kept("good")), urlencode([*asked.kept("good", "columns"), ("all", "1")])
    name, given = ("export", [project.slug]) if project else ("export_all", [])
    address = {kind: reverse(f"experiments:{name}", args=[*given, kind]) for kind in EXPORTS}
    return [(word, f"{address[kind]}?{shown}", f"{address[kind]}?{every}") for kind, word in EXPORTS.items()]


def paging_of(
    viewer: Actor, project: Project | None, asked: Asked, page: Page[FoundRun], text: str, *, as_tree: bool
) -> dict[str, str]:
    """How many there are, and the way to the next page. text: the query that was answered."""
    if asked.after or page.next_token or as_tree:
        experiments = asked.experiment_ids or None
        counted = count_runs(viewer, project=project, experiments=experiments, text=text, view=asked.lives)
        number, words = counted.number, str(counted)
    else:
        number, words = len(page.rows), f"{len(page.rows):,}"
    return {
        "count_number": words,
        "count_words": f"{words} run{'' if number == 1 else 's'}",
        "page_words": f"{words} as a tree" if as_tree else f"{len(page.rows):,} of {words} on this page",
        "next_url": asked.next_page_url(page.next_token),
    }
