"""What a query line can be completed with: keys and values of runs that the viewer may see.

Only the newest runs in scope are looked at (queries.table.newest_in), so that an answer comes while one types, whatever
is in the database.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, QuerySet
from django.db.models.functions import Left

from accounts.models import User
from experiments.hooks import column_values
from experiments.models import ExperimentTag, MetricSeries, Param, Run, RunInput, RunTag
from experiments.queries.table import names_among
from experiments.search.columns import Column, Kind
from experiments.search.databases import Sql, fetch, this_database
from experiments.search.limits import TEXT_INDEX_LENGTH
from experiments.search.tree import Aggregate, Entity, Field
from experiments.search.vocabularies import RUNS
from kernel.actor import Actor

KEYS_MAX = 2_000
VALUES_MAX = 500
VALUE_LENGTH = 200  # longer values are of no use in a line


@dataclass(frozen=True, slots=True)
class Keys:
    """Names that the newest runs use, each with how many of them have it."""

    metrics: dict[str, int] = field(default_factory=dict)
    params: dict[str, int] = field(default_factory=dict)
    tags: dict[str, int] = field(default_factory=dict)


def keys_of(viewer: Actor, runs: Sequence[int]) -> Keys:
    """The names that these runs use: one query for each kind."""
    return Keys(
        metrics=names_among(MetricSeries.objects.visible_to(viewer).filter(run__in=runs, context=""), KEYS_MAX),
        params=names_among(Param.objects.visible_to(viewer).filter(run__in=runs), KEYS_MAX),
        tags=names_among(RunTag.objects.visible_to(viewer).filter(run__in=runs), KEYS_MAX),
    )


def values_of(viewer: Actor, on: Field, runs: Sequence[int]) -> dict[str, int]:
    """The texts that these runs have in a field, most used first, each with how many have it."""
    if on.entity in (Entity.PARAM, Entity.TAG):
        model: Any = Param if on.entity is Entity.PARAM else RunTag
        rows = model.objects.visible_to(viewer).filter(run__in=runs, key=on.key)
        return _counted(rows.annotate(text=Left("value", VALUE_LENGTH + 1)), "text")
    if on.entity is Entity.DATASET:
        path = {"name": "dataset_version__dataset__name", "digest": "dataset_version__digest", "context": "context"}
        return _counted(RunInput.objects.visible_to(viewer).filter(run__in=runs), path[on.key])
    if on.entity is Entity.ATTRIBUTE:
        return _of_column(viewer, RUNS.columns[on.key], runs)
    return {}


def _counted(rows: "QuerySet[Any]", path: str) -> dict[str, int]:
    counted = rows.order_by().values(path).annotate(runs=Count("pk")).order_by("-runs", path)
    found = counted.values_list(path, "runs")[:VALUES_MAX]
    return {text: count for text, count in found if text and len(text) <= VALUE_LENGTH}


def _of_column(viewer: Actor, column: Column, runs: Sequence[int]) -> dict[str, int]:
    several = _SEVERAL.get(column.name) or column_values.get(column.name)
    if several is not None:
        return dict(several(viewer, runs).most_common(VALUES_MAX))
    if column.kind is not Kind.TEXT or not runs:
        return {}
    visible = list(Run.objects.visible_to(viewer).filter(pk__in=runs).values_list("pk", flat=True))
    inside = this_database().among("r.id", visible)
    statement = (
        f"SELECT value, COUNT(*) AS runs FROM (SELECT {column.source} AS value FROM experiments_run r"  # noqa: S608
        f" WHERE {inside.text}) AS found WHERE value IS NOT NULL GROUP BY value ORDER BY runs DESC, value LIMIT %s"
    )
    rows = fetch(Sql(statement, (*inside.params, VALUES_MAX)))
    return {text: count for text, count in rows if text and len(text) <= TEXT_INDEX_LENGTH}


def figures_of(viewer: Actor, on: Field, runs: Sequence[int]) -> list[float]:
    """The figures of a metric among these runs, from low to high."""
    figure = "max_value" if on.aggregate is Aggregate.BEST else f"{on.aggregate.value}_value"
    rows = MetricSeries.objects.visible_to(viewer).filter(run__in=runs, key=on.key, context="")
    return sorted(value for value in rows.values_list(figure, flat=True) if value is not None)


def _users(viewer: Actor, runs: Sequence[int]) -> "Counter[str]":
    rows = Run.objects.visible_to(viewer).filter(pk__in=runs, created_by__isnull=False)
    counted = rows.order_by().values_list("created_by").annotate(runs=Count("pk"))
    counts = dict(counted)
    emails = dict(User.objects.filter(pk__in=list(counts)).values_list("pk", "email"))
    return Counter({emails[user]: count for user, count in counts.items()})


def _tags(viewer: Actor, runs: Sequence[int]) -> "Counter[str]":
    return _named(RunTag.objects.visible_to(viewer).filter(run__in=runs))


def _project_tags(viewer: Actor, runs: Sequence[int]) -> "Counter[str]":
    experiments = Run.objects.visible_to(viewer).filter(pk__in=runs).order_by().values("experiment").distinct()
    return _named(ExperimentTag.objects.visible_to(viewer).filter(experiment__in=experiments))


def _named(rows: "QuerySet[Any]") -> "Counter[str]":
    """Tags by name, and by name and value; those that clients keep for themselves are left out."""
    own = rows.exclude(key__startswith="mlflow.").annotate(text=Left("value", 60))
    found: Counter[str] = Counter()
    counted = own.order_by().values_list("key", "text").annotate(runs=Count("pk")).order_by("-runs", "key", "text")
    for key, value, count in counted[:VALUES_MAX]:
        found[key] += count
        if value and len(value) < 60:
            found[f"{key}={value}"] += count
    return found


def _data(viewer: Actor, runs: Sequence[int]) -> "Counter[str]":
    found: Counter[str] = Counter()
    rows = RunInput.objects.visible_to(viewer).filter(run__in=runs).order_by()
    counted = rows.values_list("dataset_version__dataset__name", "dataset_version__number").annotate(runs=Count("run"))
    for name, number, count in counted[:VALUES_MAX]:
        found[name] += count
        found[f"{name} v{number}"] += count
    return found


_SEVERAL = {"user": _users, "tag": _tags, "project_tag": _project_tags, "data": _data}
