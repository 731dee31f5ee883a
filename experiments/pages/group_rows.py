"""The runs of one group, below its row: asked when the group is opened, never a stored list."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.pages.doors import actor_of, signed_in
from accounts.templatetags.mled import duration
from experiments.pages.asked import IN_ADDRESSES, Asked, numbers_in
from experiments.pages.cells import Cell, metric_cells
from experiments.pages.columns import Column
from experiments.pages.drawn import drawn_of
from experiments.pages.questions import asked_of
from experiments.pages.run_rows import values_of
from experiments.pages.taste import taste_of
from experiments.queries.experiments import metric_directions
from experiments.queries.search import FoundRun, search_runs
from experiments.queries.table import cells_of

SHOWN = 5  # runs of a group below its row; the others are one click away


@dataclass(frozen=True, slots=True)
class Member:
    """One run of a group. cells: each with whether an empty one for the best of the group follows.

    slot and eye: as in run_rows.Row.
    """

    run: FoundRun
    url: str
    cells: list[tuple[Cell, bool]]
    duration: str
    slot: int
    eye: str


def rows_address(slug: str, asked: Asked, opened: Asked, measured: Sequence[Column], n: int) -> str:
    """Where the rows of a group come from. opened: its runs as a question; n: how many the group has.

    asked: the question of all groups, whose first runs charts draw: `of` has its query, `within` its experiments.
    """
    pairs = [*opened.kept("columns", "good", "saved"), *(("columns", column.key) for column in measured), ("n", str(n))]
    pairs += [("of", asked.query)] if asked.query else []
    pairs += [*(("within", str(pk)) for pk in asked.experiment_ids)]
    pairs += [pair for pair in asked.all_kept() if pair[0] in ("count", "hide", "show")]
    return f"{reverse('experiments:group_rows', args=[slug])}?{urlencode(pairs, safe=IN_ADDRESSES)}"


@require_safe
@signed_in
def rows(request: HttpRequest, slug: str) -> HttpResponse:
    """The first runs of a group, as the table sorts them, in the columns of the grouped table. Raises QueryError."""
    viewer = actor_of(request)
    project, asked = asked_of(request, slug)
    experiments = asked.experiment_ids or None
    page = search_runs(
        viewer,
        project=project,
        experiments=experiments,
        text=asked.query,
        order=asked.order,
        view=asked.lives,
        limit=SHOWN,
    )
    columns = [column for column in asked.columns if column.kind == "metric"]
    ways, formats = metric_directions(viewer, project), taste_of(viewer, project).formats
    cells = cells_of(viewer, [run.id for run in page.rows], metrics=[column.name for column in columns])
    drawn = [
        metric_cells(column, values_of(page.rows, column, cells, ways), {}, formats.get(column.key, "auto"), ())
        for column in columns
    ]
    has_best = [column.name in ways for column in columns]
    n = request.GET.get("n", "")
    whole = replace(asked, experiment_ids=numbers_in(request.GET.getlist("within")))
    drawn_in_charts = drawn_of(viewer, project, whole, request.GET.get("of", "").strip(), page.rows)
    members = [
        Member(
            run,
            reverse("experiments:run", args=[run.uid]),
            [(of_column[at], best) for of_column, best in zip(drawn, has_best, strict=True)],
            "" if run.duration_ms is None else duration(run.duration_ms),
            *drawn_in_charts[at],
        )
        for at, run in enumerate(page.rows)
    ]
    context = {
        "members": members,
        "more": max(0, int(n) - len(members)) if n.isascii() and n.isdigit() and len(n) < 10 else 0,
        "url": asked.url(asked.kept("columns")),
        "width": 4 + len(columns) + sum(has_best),
    }
    return render(request, "experiments/group_rows.html", context)
