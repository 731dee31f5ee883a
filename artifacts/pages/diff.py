"""Two versions side by side, in words: rows, columns, statistics, files, and what people wrote."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.pages.doors import actor_of, signed_in
from artifacts.differences import ColumnDiff, FileDiff, Statistic
from artifacts.models import DatasetVersion
from artifacts.pages.columns import value_words
from artifacts.pages.frame import dataset_frame
from artifacts.queries.differences import Diff, diff_of
from artifacts.queries.versions import get_version
from artifacts.records import completeness
from artifacts.versions import record_of
from kernel.actor import Actor
from kernel.errors import Invalid

FILES_SHOWN = 200
SUMMARY_COLUMNS = 3
COLUMN_WORDS = {"added": "added", "removed": "removed", "retyped": "of another kind", "changed": "changed"}


@dataclass(frozen=True, slots=True)
class Part:
    """A line of the summary. mark: new, old or '' around what changed; words: the change in a few words."""

    name: str
    old: str
    new: str
    mark: str
    change: str
    words: str = ""
    is_code: bool = False


@dataclass(frozen=True, slots=True)
class Figure:
    """One statistic of a column before and after."""

    name: str
    old: str
    new: str
    delta: str
    is_same: bool


@dataclass(frozen=True, slots=True)
class ColumnLine:
    """A column that is not as it was."""

    name: str
    table: str
    change: str
    words: str
    figures: Sequence[Figure]


@require_safe
@signed_in
def diff(request: HttpRequest, slug: str, dataset: UUID) -> HttpResponse:
    """Any two versions: `?old=` and `?new=` are their numbers; the newest two where nothing is said."""
    found, context = dataset_frame(request, slug, dataset)
    viewer = actor_of(request)
    numbers = [line.version.number for line in context["lines"]]
    if len(numbers) < 2:
        return render(request, "artifacts/diff.html", context | {"too_few": True})
    old = get_version(viewer, found, _number(request, "old", numbers[1]))
    new = get_version(viewer, found, _number(request, "new", numbers[0]))
    return render(request, "artifacts/diff.html", context | diff_context(viewer, old, new))


def _number(request: HttpRequest, name: str, usual: int) -> int:
    text = request.GET.get(name, "")
    if not text:
        return usual
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise Invalid(f"'{name}' is the number of a version.", field=name)
    return int(text)


def diff_context(viewer: Actor, old: DatasetVersion, new: DatasetVersion) -> dict[str, Any]:
    """What differs, for the summary of the overview and for the whole page."""
    found = diff_of(viewer, old, new)
    changed = [column for column in found.columns if column.change != "same"]
    return {
        "diff": found,
        "summary": summary_of(found, changed),
        "summary_words": _in_short(found, changed),
        "column_lines": [line_of(column) for column in changed],
        "same_columns": len(found.columns) - len(changed),
        "file_changes": list(found.files.changes[:FILES_SHOWN]),
        "files_unlisted": found.files.unlisted + max(0, len(found.files.changes) - FILES_SHOWN),
        "file_words": file_words(found.files),
    }


def summary_of(diff: Diff, changed: Sequence[ColumnDiff]) -> list[Part]:
    """Rows, columns, the columns that changed most visibly, files, record."""
    parts = [*_rows(diff), *_columns(diff)]
    both = [column for column in changed if column.change in ("changed", "retyped")]
    parts += [_statistics(column) for column in sorted(both, key=_weight, reverse=True)[:SUMMARY_COLUMNS]]
    if diff.files.is_known:
        parts.append(Part("files", _files(diff.old), _files(diff.new), "", file_words(diff.files)))
    return [*parts, *_record(diff)]


def _rows(diff: Diff) -> list[Part]:
    old, new, more = diff.old_table.row_count, diff.new_table.row_count, diff.rows_added
    if old is None and new is None:
        return []
    change = "" if more is None else "the same" if not more else f"{more:+,}"
    mark = "" if not more else "new" if more > 0 else "old"
    return [Part("rows", _count(old), _count(new), mark, change)]


def _count(count: int | None) -> str:
    return "not recorded" if count is None else f"{count:,}"


def _columns(diff: Diff) -> list[Part]:
    if not diff.columns:
        return []
    old, new = len(diff.old_table.columns), len(diff.new_table.columns)
    lines = [
        Part("columns", f"{old:,}", f"{new:,}", "new" if column.change == "added" else "old", column.name,
             COLUMN_WORDS[column.change], is_code=True)
        for column in diff.schema_changes[:SUMMARY_COLUMNS] if column.change != "retyped"
    ]  # fmt: skip
    return lines or [Part("columns", f"{old:,}", f"{new:,}", "", "the same")]


def _weight(column: ColumnDiff) -> float:
    """How much a column moved: another kind most of all, else its mean in old standard deviations, else a little."""
    if column.change == "retyped":
        return math.inf
    mean = next((one.delta for one in column.statistics if one.name == "mean" and one.delta is not None), None)
    if mean is None or not math.isfinite(mean):
        return 0.0
    spread = column.old.std if column.old and column.old.std else 1.0
    return abs(mean) / spread


def _statistics(column: ColumnDiff) -> Part:
    """The one figure that tells most of a column's change: its kind, mean, else the first that differs."""
    if column.change == "retyped" and column.old and column.new:
        return Part(column.name, column.old.kind, column.new.kind, "", "of another kind", is_code=True)
    differing = [one for one in column.statistics if not one.is_same]
    chosen = next((one for one in differing if one.name == "mean"), differing[0])
    old, new = (f"{chosen.name} {value_words(value) or 'unknown'}" for value in (chosen.old, chosen.new))
    others = ", ".join(one.name for one in differing if one is not chosen)
    return Part(column.name, old, new, "", f"also {others}" if others else "", is_code=True)


def _record(diff: Diff) -> list[Part]:
    """How complete each record is, and which of its fields differ."""
    labels = [one.label.lower() for one in diff.record if one.field != "note"]
    if not labels:
        return []
    old, new = (completeness(record_of(version)) for version in (diff.old, diff.new))
    return [Part("record", f"{old.recorded} of {old.of}", f"{new.recorded} of {new.of}", "", ", ".join(labels))]


def _files(version: DatasetVersion) -> str:
    return _count(version.file_count)


def file_words(files: FileDiff) -> str:
    """'3 changed, 1 added, 11 the same bytes'."""
    if not files.is_known:
        return ""
    counts = [("changed", files.changed), ("added", files.added), ("removed", files.removed)]
    counts += [("renamed", files.renamed), ("the same bytes", files.same)]
    return ", ".join(f"{count:,} {words}" for words, count in counts if count) or "no file"


def line_of(column: ColumnDiff) -> ColumnLine:
    """A changed column with its figures."""
    words = COLUMN_WORDS[column.change]
    if column.change == "retyped" and column.old and column.new:
        words = f"{column.old.kind} → {column.new.kind}"
    elif column.change in ("added", "removed"):
        there = column.new or column.old
        words = f"{words}, {there.kind}" if there else words
    return ColumnLine(
        column.name,
        column.table,
        column.change,
        words,
        [_figure(one) for one in column.statistics if not one.is_same],
    )


def _figure(one: Statistic) -> Figure:
    delta = ""
    if one.delta is not None and one.delta:
        said = value_words(abs(one.delta))
        delta = f"+{said}" if one.delta > 0 else f"−{said}"
    return Figure(one.name, value_words(one.old), value_words(one.new), delta, one.is_same)


def _in_short(diff: Diff, changed: Sequence[ColumnDiff]) -> str:
    if diff.is_same_content:
        return "the same content"
    schema = diff.schema_changes
    if not diff.columns:
        return ""
    if not schema:
        return "same schema" + (f", {len(changed)} columns with other values" if changed else "")
    return f"same schema but {len(schema)} column{'' if len(schema) == 1 else 's'}"
