"""A few fields of many runs, each as one column: what scatters, parallel coordinates, boxes and bars are drawn from."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from experiments.compare.point_fields import SYSTEM, PointField
from experiments.metrics.batch import finite_number
from experiments.models import MetricSeries, Param, RunTag
from experiments.queries.search import FoundRun
from experiments.queries.table import Cells, cells_of
from experiments.search.tree import written_text
from experiments.values import RunStatus
from kernel.actor import Actor

RUNS_MAX: Final = 10_000
NUMERIC_SHARE: Final = 0.9  # a field is one of numbers if this share of what is said are numbers
OFFER_FROM: Final = 200  # newest runs whose names are offered as fields
TEXT_MAX: Final = 200  # characters of a value: longer ones are no levels of anything
_KINDS = {"params": Param, "tags": RunTag, "metrics": MetricSeries}


@dataclass(frozen=True, slots=True)
class Column:
    """One field of all runs, in their order.

    values: numbers (kind "number", finite ones only) or texts, None where a run has none. odd: by the run's place what
    it says instead of a number, such as NaN. better: "higher" or "lower" for metrics whose project says so. figure: of
    a metric, which one it really is: the last where nobody said which way is better. asks: by text the condition that
    finds it in a query, where that is no plain comparison.
    """

    key: str
    kind: str
    values: Sequence[float | str | None]
    odd: dict[int, str] = field(default_factory=dict)
    better: str = ""
    figure: str = ""
    asks: dict[str, str] = field(default_factory=dict)


def columns_of(
    viewer: Actor, runs: Sequence[FoundRun], fields: Sequence[PointField], directions: Mapping[str, bool]
) -> list[Column]:
    """These fields of runs that a search found for the viewer: at most one statement per kind of field."""
    cells = cells_of(
        viewer,
        [run.id for run in runs],
        metrics=_names(fields, "metrics"),
        params=_names(fields, "params"),
        tags=_names(fields, "tags"),
        datasets=any(one.key == "dataset" for one in fields),
    )
    return [_column(one, runs, cells, directions) for one in fields]


def offered_fields(viewer: Actor, runs: Sequence[FoundRun]) -> list[str]:
    """The keys of fields that the first of these runs have: params, metrics, tags that people set, the system's."""
    ids = [run.id for run in runs[:OFFER_FROM]]
    found: dict[str, list[str]] = {}
    for kind, model in _KINDS.items():
        rows: Any = model.objects.visible_to(viewer).filter(run__in=ids)
        rows = rows.filter(context="") if model is MetricSeries else rows
        found[kind] = sorted(rows.values_list("key", flat=True).distinct())
    params = [f"params.{name}" for name in found["params"]]
    metrics = [f"metrics.{name}" for name in found["metrics"]]
    tags = [f"tags.{name}" for name in found["tags"] if not name.startswith("mlflow.")]
    return [*params, *metrics, *tags, *SYSTEM]


def _names(fields: Sequence[PointField], kind: str) -> list[str]:
    return list(dict.fromkeys(one.name for one in fields if one.kind == kind))


def _column(one: PointField, runs: Sequence[FoundRun], cells: Cells, directions: Mapping[str, bool]) -> Column:
    if one.kind == "metrics":
        return _measured(one, runs, cells, directions.get(one.name))
    if one.kind == "system":
        return _own(one.key, runs, cells)
    held = cells.params if one.kind == "params" else cells.tags
    return _said(one.key, [held.get((run.id, one.name)) for run in runs])


def _measured(one: PointField, runs: Sequence[FoundRun], cells: Cells, higher: bool | None) -> Column:
    figure = "last" if one.figure == "best" and higher is None else one.figure
    found = [cells.metrics.get((run.id, one.name)) for run in runs]
    raw = [None if cell is None else cell.figure(figure, higher) for cell in found]
    values = [value if value is not None and math.isfinite(value) else None for value in raw]
    odd = {at: _word(value) for at, value in enumerate(raw) if value is not None and not math.isfinite(value)}
    better = "" if higher is None else "higher" if higher else "lower"
    return Column(one.key, "number", values, odd, better, figure)


def _word(value: float) -> str:
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "−Infinity"


def _said(key: str, texts: Sequence[str | None]) -> Column:
    """A column of texts, or of numbers where nearly all of them are."""
    numbers = [None if text is None else finite_number(text) for text in texts]
    said = sum(text is not None for text in texts)
    if said and sum(number is not None for number in numbers) >= NUMERIC_SHARE * said:
        odd = {at: text[:TEXT_MAX] for at, text in enumerate(texts) if text is not None and numbers[at] is None}
        return Column(key, "number", numbers, odd)
    return Column(key, "text", [None if text is None else text[:TEXT_MAX] for text in texts])


def _own(key: str, runs: Sequence[FoundRun], cells: Cells) -> Column:
    match key:
        case "started":
            return Column(key, "number", [None if run.started_ms is None else float(run.started_ms) for run in runs])
        case "duration":
            return Column(key, "number", [None if run.duration_ms is None else float(run.duration_ms) for run in runs])
        case "user":
            users = {run.user or run.user_email: run.user_email for run in runs if run.user_email}
            asks = {name: f"user = {written_text(email)}" for name, email in users.items()}
            return Column(key, "text", [run.user or run.user_email or None for run in runs], asks=asks)
        case "status":
            asks = {str(one.label): f"status = {written_text(str(one.label).lower())}" for one in RunStatus}
            return Column(key, "text", [str(RunStatus(run.status).label) for run in runs], asks=asks)
        case "experiment":
            return Column(key, "text", [run.experiment_name for run in runs])
        case _:
            return Column(key, "text", [", ".join(cells.datasets.get(run.id, [])) or None for run in runs])
