"""The comparison as CSV, on record like every export."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from accounts.pages.doors import signed_in
from experiments.actions.exports import note_csv
from experiments.compare.matrix import MetricRow, TextRow
from experiments.exporting.fields import Field
from experiments.pages.compare import fields
from experiments.pages.compare.columns import columns_of
from experiments.pages.compare.frame import framed
from experiments.pages.drawing import csv_file
from experiments.queries.comparison import compared
from kernel.errors import Invalid

Line = list[str | None]


@require_safe
@signed_in
def page(request: HttpRequest) -> HttpResponse:
    """Fields down, runs or groups across, every row; groups have their n and spread below the mean."""
    frame = framed(request, "overview")
    if not frame.runs:
        raise Invalid("There are no runs to compare.", hint="Choose some in the run table.", field="runs")
    held, columns = compared(frame.viewer, frame.runs), columns_of(frame)
    rows = fields.Fields(held, columns)
    lines: list[Line] = [["", "name", *(column.name for column in columns)]]
    for metric in fields.metric_rows(rows, frame.asked.figure):
        lines += _metric_lines(metric, grouped=bool(frame.asked.groups))
    for kind, texts in (
        ("param", fields.param_rows(rows)),
        ("tag", fields.tag_rows(rows)),
        ("data", fields.data_rows(rows)),
        ("code", fields.code_rows(rows)),
    ):
        lines += [_text_line(kind, row) for row in texts]
    head = ("kind", "field", *(column.name if frame.asked.groups else column.ref for column in columns))
    note_csv(frame.viewer, frame.runs, "a comparison")
    return csv_file("comparison", [Field(name) for name in head], lines)


def _metric_lines(row: MetricRow, *, grouped: bool) -> list[Line]:
    lines: list[Line] = [["metric", row.name, *(_written(cell.value) for cell in row.cells)]]
    if grouped:
        lines.append(["n", row.name, *(str(cell.n) for cell in row.cells)])
        lines.append(["std", row.name, *(_written(cell.spread) for cell in row.cells)])
    return lines


def _written(value: float | None) -> str | None:
    return None if value is None else repr(value)


def _text_line(kind: str, row: TextRow) -> Line:
    return [kind, row.name, *(cell.text for cell in row.cells)]
