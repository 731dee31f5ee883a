"""Packages that were installed for the compared runs, from the lists among their files and their models' files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.pages.doors import signed_in
from experiments.compare.packages import change_of, packages_of, python_in
from experiments.pages.compare.columns import SIDE_BY_SIDE, Column, base_column, columns_of
from experiments.pages.compare.fields import together
from experiments.pages.compare.frame import Frame, framed
from experiments.pages.compare.words import Cell, Group, Row
from experiments.queries.packages import package_lists

UNKNOWN: Final = "?"  # in place of a version, where a run keeps no list


@require_safe
@signed_in
def page(request: HttpRequest) -> HttpResponse:
    """A row for each package, a column for each run or group."""
    frame = framed(request, "packages")
    context = frame.context
    if frame.runs:
        context |= packages_context(frame)
    return render(request, "experiments/compare_packages.html", context)


def packages_context(frame: Frame) -> dict[str, Any]:
    """The table, and which runs keep no list."""
    asked, lists = frame.asked, package_lists(frame.viewer, frame.runs)
    columns = columns_of(frame)
    said = [packages_of(lists[run.pk]) if run.pk in lists else None for run in frame.runs]
    rows = package_rows(columns, said)
    words = asked.names.casefold()
    differing = sum(row.varies for row in rows)
    shown = [row.row for row in rows if (asked.identical or row.varies) and words in row.row.name]
    group = Group("packages", "Packages", f"{differing} of {len(rows)} differ" if rows else "", shown)
    return {
        "columns": columns,
        "groups": [group] if shown else [],
        "hidden": [] if shown or not rows else [group],
        "across": len(columns) + 1,
        "transposed": len(columns) > SIDE_BY_SIDE,
        "identical_url": asked.url(identical=not asked.identical),
        "without_list": [run for run in frame.runs if run.pk not in lists],
        "lists": [(run, sorted(lists[run.pk])) for run in frame.runs if run.pk in lists],
    }


@dataclass(frozen=True, slots=True)
class PackageRow:
    """One package of all columns. varies: whether those that keep a list do not all say the same of it."""

    row: Row
    varies: bool


def package_rows(columns: Sequence[Column], said: Sequence[Mapping[str, str] | None]) -> list[PackageRow]:
    """A row for each package. said: version by name for each run, None for one without any list: it is not known."""
    names = sorted({name for packages in said if packages for name in packages})
    base = base_column(columns)
    rows = []
    for name in names:
        texts = [_said_of(name, [said[place] for place in column.places]) for column in columns]
        cells = [_cell(text, texts[base]) for text in texts]
        known = {text for text in texts if text != UNKNOWN}
        rows.append(PackageRow(Row(name, cells, mono=True), len(known) > 1))
    return rows


def _said_of(name: str, said: Sequence[Mapping[str, str] | None]) -> str | None:
    """What the runs of a column say of a package: its version, None for its absence, UNKNOWN without any list."""
    known = [packages for packages in said if packages is not None]
    if not known:
        return UNKNOWN
    return together([(packages[name] or "any version") if name in packages else None for packages in known])


def _cell(text: str | None, base: str | None) -> Cell:
    if text == UNKNOWN:
        return Cell("unknown", "")
    change = "" if base == UNKNOWN else change_of(base, text)
    words = "" if change == "changed" else change
    return Cell("package", text or "", text or "", "diff" if change else "", words)


def python_of(lists: Mapping[str, str]) -> str:
    """The version of Python that the lists of a run name; '' for none."""
    said = [python_in(text) for path, text in lists.items() if path.endswith((".yaml", ".yml"))]
    return next(filter(None, said), "")
