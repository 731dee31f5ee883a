"""Metrics, parameters and what else was recorded, all in one table."""

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.pages.doors import signed_in
from accounts.queries.settings import setting_of
from experiments.compare.matrix import Figure, MetricRow, TextRow, varying
from experiments.pages.compare import fields
from experiments.pages.compare.asked import Asked
from experiments.pages.compare.columns import SIDE_BY_SIDE, columns_of, singles_of
from experiments.pages.compare.files import differing, sources_of
from experiments.pages.compare.folding import FOLDED
from experiments.pages.compare.frame import Frame, framed
from experiments.pages.compare.plots import panels_of, points_url, usual_panels
from experiments.pages.compare.words import Group, Row, code_line, group_of, metric_line, mono_line, text_line
from experiments.queries.comparison import Compared, compared
from experiments.queries.curves import differing_fields

GROUPINGS_SHOWN = 40
PANELS_BELOW = 2


@require_safe
@signed_in
def page(request: HttpRequest) -> HttpResponse:
    """The comparison that the address asks for; without runs, how to choose them."""
    frame = framed(request, "overview")
    context = frame.context
    if frame.runs:
        context |= table_of(frame)
        rows = fields.Fields(context["held"], singles_of(frame))
        usual = usual_panels(rows, frame.asked.figure)[:PANELS_BELOW]
        context |= {"panels": panels_of(request, usual), "points_url": points_url(frame)}
    return render(request, "experiments/compare.html", context)


def table_of(frame: Frame) -> dict[str, Any]:
    """The context of the table."""
    asked, held = frame.asked, compared(frame.viewer, frame.runs)
    columns = columns_of(frame)
    rows = fields.Fields(held, columns)
    groups = groups_of(rows, asked)
    shut = setting_of(frame.viewer, FOLDED)
    params = fields.param_rows(rows)
    return {
        "held": held,
        "folded": list(shut),
        "columns": columns,
        "groups": [group.folded_as(shut) for group in groups if group.rows],
        "hidden": [group for group in groups if not group.rows and group.words],
        "summary": _summary(frame, len(params), varying(params), held),
        "transposed": len(columns) > SIDE_BY_SIDE,
        "figures": [(figure, figure.word, asked.url(figure=figure)) for figure in Figure],
        "identical_url": asked.url(identical=not asked.identical),
        "groupings": list(differing_fields(frame.viewer, frame.runs, GROUPINGS_SHOWN)),
        "across": len(columns) + 1,
    }


def groups_of(rows: fields.Fields, asked: Asked) -> list[Group]:
    """Everything that was recorded, by kind."""
    words = asked.names.casefold()

    def shown(row: MetricRow | TextRow) -> bool:
        return (asked.identical or row.varies) and words in row.name.casefold()

    figure = asked.figure.value
    system = fields.metric_rows(rows, asked.figure, system=True)
    return [
        group_of("metrics", f"Metrics, {figure}", fields.metric_rows(rows, asked.figure), shown, metric_line),
        group_of("params", "Parameters", fields.param_rows(rows), shown, mono_line),
        group_of("tags", "Tags", fields.tag_rows(rows), shown, mono_line),
        group_of("data", "Data", fields.data_rows(rows), shown, text_line),
        group_of("code", "Code", fields.code_rows(rows), shown, code_line),
        group_of("run", "Run", [fields.duration_row(rows), *fields.run_rows(rows)], shown, _run_line),
        group_of("system", f"System metrics, {figure}", system, shown, metric_line),
    ]


def _run_line(row: MetricRow | TextRow) -> Row:
    """The one number among these rows is how long the runs took."""
    return metric_line(row, fields.duration_words) if isinstance(row, MetricRow) else text_line(row)


def _summary(frame: Frame, params: int, varying_params: int, held: Compared) -> str:
    if len(frame.runs) < 2:
        return "Add a second run to see what differs"
    data = [frozenset(one.dataset_version_id for one in held.inputs.get(run.pk, ())) for run in held.runs]
    commits = [run.git_commit for run in held.runs]
    said = [
        f"{varying_params} of {params} parameter{'' if params == 1 else 's'} differ",
        shared(data, "data", "different data"),
        shared(commits, "commit", f"{len(set(commits))} commits"),
    ]
    if len(set(commits)) == 1:
        files = differing(sources_of(frame, held))
        said.append(f"{files} file{' differs' if files == 1 else 's differ'}" if files else "")
    return ", ".join(part for part in said if part)


def shared(recorded: Sequence[object], word: str, several: str) -> str:
    """Whether all runs recorded the same; where some recorded nothing, how many did. several: said of others."""
    found = {one for one in recorded if one}
    without = sum(not one for one in recorded)
    if not found:
        return ""
    if without:
        return f"{word} recorded in {len(recorded) - without} of {len(recorded)} runs"
    return f"same {word}" if len(found) == 1 else several
