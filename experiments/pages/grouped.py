"""The run table grouped: one row for runs that have the same values, each a live query of its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from accounts.models import Project
from accounts.templatetags.mled import duration
from experiments.pages.asked import GROUP_WORDS, GROUPS_MAX, Asked
from experiments.pages.chips import narrowed
from experiments.pages.columns import NAME, SYSTEM, Column
from experiments.pages.group_rows import rows_address
from experiments.pages.numbers import written
from experiments.pages.run_rows import Head, head_of
from experiments.pages.taste import taste_of
from experiments.queries.groups import MAX_GROUPS, MAX_METRICS, Group, Statistics, Value, group_runs
from experiments.queries.table import Names
from kernel.actor import Actor

LONGEST = 120
NEWEST = 50_000  # runs that a page reckons with; the REST interface with all that match


@dataclass(frozen=True, slots=True)
class Figure:
    """One metric of a group: mean, sample deviation, the best where a direction is known; title: all digits, and n."""

    mean: str
    deviation: str
    best: str
    title: str


@dataclass(frozen=True, slots=True)
class GroupRow:
    """One group. parts: (text, whether it is "none"); url: its runs as a query; rows_url: the first of them."""

    parts: list[tuple[str, bool]]
    url: str
    n: int
    columns: list[tuple[Figure | None, Head]]
    duration: str
    newest_ms: int | None
    rows_url: str = ""


def groups_of(
    viewer: Actor, project: Project | None, asked: Asked, text: str, columns: Sequence[Column], ways: Mapping[str, bool]
) -> dict[str, Any]:
    """Heads and rows of the groups of all runs that match."""
    metrics = [column for column in columns if column.kind == "metric"]
    measured = [column for column in metrics if column.figure != "best" or column.name in ways][:MAX_METRICS]
    found = group_runs(
        viewer,
        project,
        asked.group,
        metrics=[_reckoned(column, ways) for column in measured],
        experiments=asked.experiment_ids or None,
        text=text,
        view=asked.lives,
        newest=NEWEST,
    )
    formats = taste_of(viewer, project).formats
    ordered = in_order(found.groups, asked, measured, ways)
    heads = [head_of(asked, column, ways) for column in measured]
    return {
        "group_words": [word_of(key) for key in asked.group],
        "group_name_head": head_of(asked, NAME, ways),
        "group_heads": [replace(head, label=_label(head)) for head in heads],
        "group_duration_head": head_of(asked, SYSTEM["duration"], ways),
        "group_newest_head": head_of(asked, SYSTEM["created"], ways),
        "group_rows": [_row(asked, project, text, group, heads, ways, formats) for group in ordered],
        "groups_cut": MAX_GROUPS if found.more else 0,
        "groups_since": found.since_ms,
        "groups_newest": f"{NEWEST:,}",
        "metrics_cut": MAX_METRICS if len(metrics) > MAX_METRICS else 0,
    }


def word_of(key: str) -> str:
    """A field that runs are grouped by, for people."""
    return GROUP_WORDS.get(key) or key.partition(".")[2] or key.capitalize()


def _label(head: Head) -> str:
    return head.label if head.column.figure == "last" else f"{head.column.figure} {head.label}"


def _reckoned(column: Column, ways: Mapping[str, bool]) -> tuple[str, str]:
    """(name, last, min or max): what the database reckons with for a column."""
    if column.figure != "best":
        return column.name, column.figure
    return column.name, "max" if ways[column.name] else "min"


def in_order(groups: Sequence[Group], asked: Asked, columns: Sequence[Column], ways: Mapping[str, bool]) -> list[Group]:
    """As the table is sorted, by means; else largest first. Groups of runs without the fields come last."""
    key, down = asked.sort.removeprefix("-"), asked.sort.startswith("-")
    column = next((one for one in columns if one.key == key), None)
    ordered = sorted(groups, key=lambda group: [_natural(value) for value in group.values])
    if key == "name":
        ordered = ordered[::-1] if down else ordered
    elif column is not None or key in ("created", "duration"):
        numbers = {id(group): _sorted_by(group, key, column, ways) for group in groups}
        ordered.sort(key=lambda group: (numbers[id(group)] or 0.0) * (-1 if down else 1))
        ordered.sort(key=lambda group: numbers[id(group)] is None)
    else:
        ordered.sort(key=lambda group: -group.n)
    return sorted(ordered, key=lambda group: sum(value.is_none for value in group.values))


def _sorted_by(group: Group, key: str, column: Column | None, ways: Mapping[str, bool]) -> float | None:
    if column is None:
        return group.newest_ms if key == "created" else group.duration_ms
    statistics = group.metrics.get(_reckoned(column, ways))
    return statistics.mean if statistics else None


def _natural(value: Value) -> tuple[bool, bool, float, str]:
    try:
        return value.is_none, False, float(value.text), value.text
    except ValueError:
        return value.is_none, True, 0.0, value.text


def _row(
    asked: Asked,
    project: Project | None,
    text: str,
    group: Group,
    heads: Sequence[Head],
    ways: Mapping[str, bool],
    formats: Mapping[str, str],
) -> GroupRow:
    opened = opened_as(asked, text, group.values)
    measured = [head.column for head in heads]
    columns = [
        (
            _figure(
                group.metrics.get(_reckoned(head.column, ways)),
                head.direction,
                group.n,
                formats.get(head.column.key, "auto"),
            ),
            head,
        )
        for head in heads
    ]
    return GroupRow(
        parts=[(value.text[:LONGEST], value.is_none) for value in group.values],
        url=opened.all_url if opened else "",
        rows_url=rows_address(project.slug, replace(asked, query=text), opened, measured, group.n)
        if opened and project
        else "",
        n=group.n,
        columns=columns,
        duration="" if group.duration_ms is None else duration(group.duration_ms),
        newest_ms=group.newest_ms,
    )


def _figure(found: Statistics | None, way: bool | None, runs: int, form: str) -> Figure | None:
    if found is None:
        return None
    best = None if way is None else found.high if way else found.low
    without = f"; {runs - found.n:,} of {runs:,} runs without a finite value are left out" if found.n < runs else ""
    deviation = "" if found.deviation is None else f", sample standard deviation {found.deviation!r}"
    return Figure(
        mean=written(found.mean, form),
        deviation="" if found.deviation is None else written(found.deviation, form),
        best="" if best is None else written(best, form),
        title=f"n {found.n:,}, mean {found.mean!r}{deviation}, lowest {found.low!r}, highest {found.high!r}{without}",
    )


def opened_as(asked: Asked, text: str, values: Sequence[Value]) -> Asked | None:
    """The runs of a group as the table shows them: what they have in common joins the query. None if it cannot."""
    conditions = [str(one) for value in values for one in (value.condition, value.also) if one is not None]
    experiment = next((value.experiment for value in values if value.experiment is not None), None)
    if any(value.condition is None and value.experiment is None for value in values):
        return None
    return replace(
        asked,
        query=narrowed(text, conditions),
        good="",
        group=(),
        experiment_ids=asked.experiment_ids if experiment is None else (experiment,),
    )


def grouping_of(asked: Asked, names: Names) -> dict[str, Any]:
    """What the menu offers to group by: params that differ first."""
    params = sorted(names.params, key=lambda name: (name not in names.varying, name))
    tags = [name for name in names.tags if not name.startswith("mlflow.")]
    offered = {
        **GROUP_WORDS,
        **{f"params.{name}": name for name in params},
        **{f"tags.{name}": f"{name} (tag)" for name in tags},
        **{key: word_of(key) for key in asked.group if key not in GROUP_WORDS},
    }
    chosen = [*asked.group, *[""] * (GROUPS_MAX - len(asked.group))]
    return {
        "group_choices": list(offered.items()),
        "group_chosen": chosen,
        "ungrouped_url": asked.url(asked.all_kept("group")),
        "kept_for_groups": asked.all_kept("group"),
    }
