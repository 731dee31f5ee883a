"""Two to a hundred runs side by side: what differs, by how much, and which is best. All of it is in the address."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.pages.doors import actor_of, signed_in
from accounts.templatetags.mled import duration, number
from experiments.compare.matrix import Figure, MetricCell, MetricRow, TextRow, metric_row, text_row, text_rows, varying
from experiments.exporting.fields import Field
from experiments.models import MetricSeries, Run
from experiments.pages.charts import charts_of
from experiments.pages.code import SAID_IN_TAGS
from experiments.pages.drawing import csv_file
from experiments.pages.figures import last_of, weight_of
from experiments.pages.frame import took
from experiments.queries.comparison import Compared, compared, runs_named
from experiments.queries.overview import agreed_directions
from experiments.queries.record import SYSTEM_PREFIX
from experiments.values import ReviewState, RunStatus
from kernel.errors import Invalid

SIDE_BY_SIDE = 10  # with more runs than this, each run is a row


@dataclass(frozen=True, slots=True)
class Asked:
    """The question of one address. identical: whether rows that are the same everywhere show, too."""

    refs: tuple[str, ...]
    base: str
    figure: Figure
    identical: bool
    names: str

    @classmethod
    def parse(cls, params: QueryDict) -> "Asked":
        """What is unknown in it is left out."""
        refs = [ref for given in params.getlist("runs") for ref in given.split(",") if ref.strip()]
        figure = params.get("figure", "")
        return cls(
            refs=tuple(refs + [ref for ref in params.get("add", "").replace(",", " ").split() if ref]),
            base=params.get("base", ""),
            figure=Figure(figure) if figure in list(Figure) else Figure.LAST,
            identical=params.get("identical") == "1",
            names=params.get("names", "").strip(),
        )

    def url(self, **change: Any) -> str:
        """The address of this question with some of it changed."""
        asked = replace(self, **change)
        pairs = {
            "runs": ",".join(asked.refs),
            "base": asked.base,
            "figure": "" if asked.figure is Figure.LAST else asked.figure.value,
            "identical": "1" if asked.identical else "",
            "names": asked.names,
        }
        kept = {name: value for name, value in pairs.items() if value}
        return f"{reverse('experiments:compare')}?{urlencode(kept, safe=',')}"

    @property
    def curves_url(self) -> str:
        """The curves of the same runs."""
        return self.url().replace(reverse("experiments:compare"), reverse("experiments:compare_curves"), 1)


@dataclass(frozen=True, slots=True)
class Column:
    """One run at the head of the table, and what can be done with it here."""

    run: Run
    url: str
    is_base: bool
    base_url: str
    without_url: str


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell, ready to write. kind: metric or text."""

    kind: str
    text: str
    title: str = ""
    classes: str = ""
    delta: str = ""
    gain: str = ""
    is_best: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One field."""

    name: str
    cells: list[Cell]
    mono: bool = False
    arrow: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """Rows of one kind. words: how many there are and how many of them differ."""

    title: str
    words: str
    rows: list[Row]


@require_safe
@signed_in
def page(request: HttpRequest) -> HttpResponse:
    """The comparison that the address asks for; with fewer than two runs, how to choose them."""
    viewer = actor_of(request)
    asked = Asked.parse(request.GET)
    wrong = ""
    try:
        runs = runs_named(viewer, asked.refs)
    except Invalid as error:
        runs, wrong = [], str(error)
    asked = replace(asked, refs=tuple(run.readable_id for run in runs))
    projects = {run.project for run in runs}
    context: dict[str, Any] = {
        "at": "compare",
        "project": projects.pop() if len(projects) == 1 else None,
        "asked": asked,
        "wrong": wrong,
        "columns": [],
    }
    if runs:
        context |= _table(asked, compared(viewer, runs))
    return render(request, "experiments/compare.html", context)


@require_safe
@signed_in
def curves(request: HttpRequest) -> HttpResponse:
    """The curves of the compared runs, over one another."""
    viewer = actor_of(request)
    asked = Asked.parse(request.GET)
    runs = runs_named(viewer, asked.refs)
    asked = replace(asked, refs=tuple(run.readable_id for run in runs))
    projects = {run.project for run in runs}
    context = {
        "at": "compare",
        "project": next(iter(projects)) if len(projects) == 1 else None,
        "asked": asked,
        "kept": [("runs", ",".join(asked.refs))],
        "groupings": [],
        **charts_of(request, viewer, runs, agreed_directions(viewer, projects)),
    }
    return render(request, "experiments/compare_curves.html", context)


@require_safe
@signed_in
def as_file(request: HttpRequest) -> HttpResponse:
    """The comparison as CSV: fields down, runs across, every row of it."""
    viewer = actor_of(request)
    asked = Asked.parse(request.GET)
    runs = runs_named(viewer, asked.refs)
    if not runs:
        raise Invalid("There are no runs to compare.", hint="Choose some in the run table.", field="runs")
    held = compared(viewer, runs)
    base = _base_of(asked, runs)
    lines: list[list[str | None]] = [["", "name", *(run.name for run in runs)]]
    for row in _metric_rows(asked, held, base):
        lines.append(["metric", row.name, *(None if cell.value is None else repr(cell.value) for cell in row.cells)])
    for kind, rows in (
        ("param", _param_rows(held, base)),
        ("data", _data_rows(held, base)),
        ("code", _code_rows(held, base)),
    ):
        lines += [[kind, text.name, *(cell.text for cell in text.cells)] for text in rows]
    head = ("kind", "field", *(run.readable_id for run in runs))
    return csv_file("comparison", [Field(name) for name in head], lines)


def _base_of(asked: Asked, runs: Sequence[Run]) -> int:
    """The place of the base run; the first where the address names none of them."""
    return next((at for at, run in enumerate(runs) if asked.base in (run.readable_id, run.uid.hex)), 0)


def _table(asked: Asked, held: Compared) -> dict[str, Any]:
    runs = held.runs
    base = _base_of(asked, runs)
    metrics = _metric_rows(asked, held, base)
    params = _param_rows(held, base)
    shown = _shown(asked)
    groups = [
        _group(f"Metrics, {asked.figure.value}", metrics, shown, _metric_line),
        _group("Parameters", params, shown, _mono_line),
        _group("Data", _data_rows(held, base), shown, _text_line),
        _group("Code", _code_rows(held, base), shown, _mono_line),
        _group("Run", _run_rows(held, base), shown, _text_line),
    ]
    differing = varying(params)
    return {
        "columns": [_column(asked, run, at == base) for at, run in enumerate(runs)],
        "groups": [group for group in groups if group.rows],
        "hidden": [group for group in groups if not group.rows and group.words],
        "summary": _summary(len(runs), len(params), differing, held),
        "transposed": len(runs) > SIDE_BY_SIDE,
        "figures": [(figure, figure.word, asked.url(figure=figure)) for figure in Figure],
        "identical_url": asked.url(identical=not asked.identical),
        "csv_url": asked.url().replace(reverse("experiments:compare"), reverse("experiments:compare_csv"), 1),
        "across": len(runs) + 1,
    }


def _summary(runs: int, params: int, differing: int, held: Compared) -> str:
    commits = {run.git_commit for run in held.runs if run.git_commit}
    data = {frozenset(one.dataset_version_id for one in held.inputs.get(run.pk, ())) for run in held.runs}
    said = [f"{differing} of {params} parameter{'' if params == 1 else 's'} differ"]
    if held.inputs:
        said.append("same data" if len(data) == 1 else "different data")
    if commits:
        said.append("same commit" if len(commits) == 1 else f"{len(commits)} commits")
    return ", ".join(said) if runs > 1 else "Add a second run to see what differs"


def _column(asked: Asked, run: Run, is_base: bool) -> Column:
    ref = run.readable_id
    return Column(
        run,
        reverse("experiments:run", args=[run.uid.hex]),
        is_base,
        asked.url(base=ref),
        asked.url(refs=tuple(other for other in asked.refs if other != ref), base="" if is_base else asked.base),
    )


def _shown(asked: Asked) -> Callable[[MetricRow | TextRow], bool]:
    words = asked.names.casefold()
    return lambda row: (asked.identical or row.varies) and words in row.name.casefold()


def _group(
    title: str,
    rows: Sequence[Any],
    shown: Callable[[Any], bool],
    line: Callable[[Any], Row],
) -> Group:
    differing = sum(row.varies for row in rows)
    return Group(title, f"{differing} of {len(rows)} differ" if rows else "", [line(row) for row in rows if shown(row)])


def _metric_rows(asked: Asked, held: Compared, base: int) -> list[MetricRow]:
    own = [key for key in held.series if not key.startswith(SYSTEM_PREFIX)]
    goal = held.runs[0].project.goal_metric
    own.sort(key=lambda key: weight_of(key, goal=goal, directions=held.directions))
    return [
        metric_row(
            key,
            [_figure(held.series[key].get(run.pk), asked.figure, held.directions.get(key)) for run in held.runs],
            base,
            held.directions.get(key),
        )
        for key in own
    ]


def _figure(series: MetricSeries | None, figure: Figure, higher_is_better: bool | None) -> float | None:
    """The figure of a series; without a known direction the best is the last."""
    if series is None:
        return None
    if figure is Figure.BEST and higher_is_better is not None:
        return series.max_value if higher_is_better else series.min_value
    return {Figure.MIN: series.min_value, Figure.MAX: series.max_value}.get(figure, last_of(series))


def _param_rows(held: Compared, base: int) -> list[TextRow]:
    keys = [run.pk for run in held.runs]
    return text_rows(held.params, keys, keys[base])


def _data_rows(held: Compared, base: int) -> list[TextRow]:
    """A row per role that data has, 'train' or none said."""
    roles = dict.fromkeys(one.context for run in held.runs for one in held.inputs.get(run.pk, ()))
    return [
        text_row(
            role or "input",
            [
                ", ".join(str(one.dataset_version) for one in held.inputs.get(run.pk, ()) if one.context == role)
                or None
                for run in held.runs
            ],
            base,
        )
        for role in roles
    ]


def _code_rows(held: Compared, base: int) -> list[TextRow]:
    tags = [held.tags.get(run.pk, {}) for run in held.runs]
    said = {
        "Commit": [run.git_commit or None for run in held.runs],
        "Script": [run.source_name or None for run in held.runs],
        **{name: [mine.get(tag) or None for mine in tags] for name, tag in SAID_IN_TAGS},
    }
    return _rows_with_something(said, base)


def _run_rows(held: Compared, base: int) -> list[TextRow]:
    lengths = [took(run) for run in held.runs]
    said: dict[str, list[str | None]] = {
        "Status": [str(RunStatus(run.status).label) for run in held.runs],
        "Verdict": [str(ReviewState(run.review_state).label) for run in held.runs],
        "Author": [str(run.created_by) if run.created_by else None for run in held.runs],
        "Project": [run.project.name for run in held.runs],
        "Experiment": [run.experiment.name for run in held.runs],
        "Duration": [None if length is None else str(duration(length)) for length in lengths],
    }
    return _rows_with_something(said, base)


def _rows_with_something(said: dict[str, Any], base: int) -> list[TextRow]:
    return [text_row(name, values, base) for name, values in said.items() if any(values)]


def _metric_line(row: MetricRow) -> Row:
    arrow = {True: "↑", False: "↓", None: ""}[row.higher_is_better]
    return Row(row.name, [_metric_cell(cell) for cell in row.cells], arrow=arrow)


def _metric_cell(cell: MetricCell) -> Cell:
    if cell.value is None:
        return Cell("metric", "", classes="num")
    delta = "" if cell.delta is None else _signed(cell.delta)
    if cell.percent is not None and delta:
        delta += f", {'+' if cell.percent > 0 else '−'}{_percent(abs(cell.percent))} %" if cell.percent else ""
    gain = {True: "up", False: "down", None: ""}[cell.gain]
    return Cell("metric", number(cell.value), repr(cell.value), "num", delta, gain, cell.is_best)


def _percent(size: float) -> str:
    """Two or three digits are enough to see a change; beyond ten thousand the number of digits is what is seen."""
    return f"{size:,.0f}" if size >= 20 else f"{size:.2g}" if size < 1 else f"{size:.1f}"


def _signed(value: float) -> str:
    if value == 0:
        return "±0"
    return f"{'+' if value > 0 else '−'}{number(abs(value))}"


def _text_line(row: TextRow) -> Row:
    return Row(row.name, [Cell("text", c.text or "", c.text or "", "diff" if c.differs else "") for c in row.cells])


def _mono_line(row: TextRow) -> Row:
    return replace(_text_line(row), mono=True)
