"""Runs grouped by up to three fields, with statistics of metrics: reckoned by the database over all that match."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from accounts.models import Project, User
from artifacts.models import DatasetVersion
from experiments.models import Experiment
from experiments.queries.search import View, matching_runs
from experiments.search.compile import Compiler
from experiments.search.databases import Sql, fetch
from experiments.search.tree import Comparison, Entity, Field, Op
from experiments.values import RunStatus
from kernel.actor import Actor

MAX_FIELDS = 3
MAX_GROUPS = 500
MAX_METRICS = 20
# Beyond this a square is no longer a number: such values count as infinite, and no statistics hold them.
_LARGEST = 1e150
_COLUMNS = {"last": "last_value", "min": "min_value", "max": "max_value"}
_OWN = {
    "status": "r.status",
    "user": "CAST(r.created_by_id AS text)",
    "experiment": "CAST(r.experiment_id AS text)",
    "project": "(SELECT p.slug FROM accounts_project p WHERE p.id = r.project_id)",
    "dataset": "CAST(i.dataset_version_id AS text)",
}


@dataclass(frozen=True, slots=True)
class Value:
    """What the runs of a group have in one field. text: for people; is_none: they do not have the field.

    condition: what finds them in a query; experiment: where it is a search in one experiment instead.
    """

    text: str
    is_none: bool = False
    condition: Comparison | None = None
    also: Comparison | None = None
    experiment: int | None = None


@dataclass(frozen=True, slots=True)
class Statistics:
    """Of the finite values of one figure in a group: their number, mean and sample deviation (None for one)."""

    n: int
    mean: float
    deviation: float | None
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Group:
    """Runs with the same values. newest_ms: when the last of them started; duration_ms: their mean duration."""

    values: tuple[Value, ...]
    n: int
    newest_ms: int | None
    duration_ms: int | None
    metrics: Mapping[tuple[str, str], Statistics] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Groups:
    """Groups, largest first. more: there are others, which are smaller; only MAX_GROUPS are read."""

    groups: list[Group]
    more: bool


def group_runs(
    viewer: Actor,
    project: Project | None,
    fields: Sequence[str],
    *,
    metrics: Sequence[tuple[str, str]] = (),
    experiments: Sequence[int] | None = None,
    text: str = "",
    view: View = View.ACTIVE_ONLY,
) -> Groups:
    """The runs that `search_runs` finds, by fields such as params.lr, tags.team, dataset, experiment, project or user.

    metrics: (name, last, min or max), of which the first MAX_METRICS are reckoned. A run with several dataset versions
    is in the group of each. Five statements at most, whatever there is. Raises QueryError.
    """
    fields = tuple(fields)[:MAX_FIELDS]
    where, compiler = matching_runs(viewer, project=project, experiments=experiments, text=text, view=view)
    chosen = _chosen(fields, where, compiler)
    keys = ", ".join(_keys(fields))
    rows = fetch(
        Sql(
            f"WITH {chosen.text} SELECT {keys}, COUNT(*), MAX(started), AVG(lasted) FROM chosen"  # noqa: S608
            f" GROUP BY {keys} ORDER BY COUNT(*) DESC, {keys} LIMIT {MAX_GROUPS + 1}",
            chosen.params,
        )
    )
    width = len(fields)
    statistics = _statistics(fields, chosen, metrics[:MAX_METRICS]) if rows and metrics else {}
    named = [_named(viewer, field_, {row[at] for row in rows}) for at, field_ in enumerate(fields)]
    groups = [
        Group(
            values=tuple(named[at][key] for at, key in enumerate(row[:width])),
            n=row[width],
            newest_ms=row[width + 1],
            duration_ms=None if row[width + 2] is None else int(row[width + 2]),
            metrics=statistics.get(tuple(row[:width]), {}),
        )
        for row in rows[:MAX_GROUPS]
    ]
    return Groups(groups, more=len(rows) > MAX_GROUPS)


def _keys(fields: Sequence[str]) -> list[str]:
    return [f"g{at}" for at in range(len(fields))]


def _chosen(fields: Sequence[str], where: Sql, compiler: Compiler) -> Sql:
    """The runs that match with their values: texts that begin with '=', and '' for runs that have none."""
    joins: list[str] = []
    params: list[object] = []
    values: list[str] = []
    for at, name in enumerate(fields):
        kind, _, key = name.partition(".")
        if name == "dataset":
            joins.append("LEFT JOIN experiments_runinput i ON i.run_id = r.id")
        if name in _OWN:
            source = _OWN[name]
        else:
            table = "experiments_param" if kind == "params" else "experiments_runtag"
            joins.append(f"LEFT JOIN {table} v{at} ON v{at}.run_id = r.id AND v{at}.key = %s")
            params.append(key)
            source = f"v{at}.value"
        values.append(f"COALESCE('=' || {source}, '') AS g{at}")
    return Sql(
        f"chosen AS (SELECT DISTINCT r.id, r.started_ms AS started, r.ended_ms - r.started_ms AS lasted,"  # noqa: S608
        f" {', '.join(values)} FROM experiments_run r {' '.join(joins)} WHERE {where.text})",
        (*params, *where.params),
    )


def _statistics(
    fields: Sequence[str], chosen: Sql, metrics: Sequence[tuple[str, str]]
) -> dict[tuple[str, ...], dict[tuple[str, str], Statistics]]:
    """By group and metric; one statement for each of last, min and max that is asked for.

    The mean is known to every row before squares are summed, so that nothing is lost where values are large and close.
    """
    keys = ", ".join(_keys(fields))
    of_group = " AND ".join(f"c.{key} = t.{key}" for key in _keys(fields))
    found: dict[tuple[str, ...], dict[tuple[str, str], Statistics]] = {}
    for figure, column in _COLUMNS.items():
        names = [name for name, wanted in metrics if wanted == figure]
        if not names:
            continue
        marks = ", ".join(["%s"] * len(names))
        value = f"CASE WHEN m.{column} BETWEEN -{_LARGEST!r} AND {_LARGEST!r} THEN m.{column} END"
        statement = (
            f"WITH {chosen.text},"  # noqa: S608
            f" largest AS (SELECT {keys} FROM chosen GROUP BY {keys} ORDER BY COUNT(*) DESC, {keys}"
            f" LIMIT {MAX_GROUPS}),"
            f" value AS (SELECT {', '.join(f'c.{key}' for key in _keys(fields))}, m.key AS name, {value} AS x"
            f" FROM chosen c JOIN largest t ON {of_group}"
            f" JOIN experiments_metricseries m ON m.run_id = c.id AND m.context = '' AND m.key IN ({marks})),"
            f" centred AS (SELECT {keys}, name, x, AVG(x) OVER (PARTITION BY {keys}, name) AS mean FROM value"
            f" WHERE x IS NOT NULL)"
            f" SELECT {keys}, name, COUNT(*), MIN(mean), SUM((x - mean) * (x - mean)), MIN(x), MAX(x) FROM centred"
            f" GROUP BY {keys}, name"
        )
        for row in fetch(Sql(statement, (*chosen.params, *names))):
            *group, name, n, mean, squares, low, high = row
            deviation = math.sqrt(squares / (n - 1)) if n > 1 else None
            if low == high:  # the mean of equal numbers may be off by a bit
                mean, deviation = low, None if deviation is None else 0.0
            found.setdefault(tuple(group), {})[name, figure] = Statistics(n, mean, deviation, low, high)
    return found


def _named(viewer: Actor, field_: str, keys: set[str]) -> dict[str, Value]:
    """The values of a field by the key that the database groups by."""
    none = Value("none", is_none=True, condition=_condition(field_, Op.IS_NULL, None))
    present = {key[1:] for key in keys if key}
    match field_:
        case "status":
            named = {key: Value(str(RunStatus(key).label), condition=_condition(field_, Op.EQ, key)) for key in present}
        case "user":
            named = _users(present)
        case "experiment":
            rows = Experiment.objects.visible_to(viewer).filter(pk__in=[int(key) for key in present])
            named = {str(pk): Value(name, experiment=pk) for pk, name in rows.values_list("pk", "name")}
        case "dataset":
            named = _versions(viewer, present)
        case _:
            named = {key: Value(key, condition=_condition(field_, Op.EQ, key)) for key in present}
    return {"": none, **{f"={key}": named.get(key, Value("unknown")) for key in present}}


def _users(keys: set[str]) -> dict[str, Value]:
    """Authors of runs that were read for a viewer."""
    found: dict[str, Value] = {}
    for user in User.objects.filter(pk__in=[UUID(key) for key in keys]):
        value = Value(str(user), condition=_condition("user", Op.EQ, user.email))
        found |= {str(user.pk): value, user.pk.hex: value}
    return found


def _versions(viewer: Actor, keys: set[str]) -> dict[str, Value]:
    rows = DatasetVersion.objects.visible_to(viewer).filter(pk__in=[UUID(key) for key in keys])
    found: dict[str, Value] = {}
    for version in rows.select_related("dataset"):
        value = Value(
            str(version),
            condition=Comparison(Field(Entity.DATASET, "name"), Op.EQ, version.dataset.name),
            also=Comparison(Field(Entity.DATASET, "digest"), Op.EQ, version.digest),
        )
        found |= {str(version.pk): value, version.pk.hex: value}
    return found


def _condition(field_: str, op: Op, value: str | None) -> Comparison | None:
    kind, _, key = field_.partition(".")
    if field_ == "dataset":
        return Comparison(Field(Entity.DATASET, "name"), op, value)
    if field_ == "experiment":
        return None
    if field_ in _OWN:
        return Comparison(Field(Entity.ATTRIBUTE, field_), op, value)
    return Comparison(Field(Entity.PARAM if kind == "params" else Entity.TAG, key), op, value)
