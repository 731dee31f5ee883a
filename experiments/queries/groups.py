"""Runs grouped by up to three fields, with statistics of metrics: reckoned by the database over all that match."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from statistics import median_low
from typing import Any, NamedTuple
from uuid import UUID

from accounts.models import Project, User
from artifacts.models import DatasetVersion
from experiments.models import Experiment
from experiments.queries.search import View, matching_runs, start_of_newest
from experiments.search.compile import Compiler, among
from experiments.search.databases import TRUE, Sql, fetch, joined
from experiments.search.tree import Comparison, Entity, Field, Op
from experiments.values import RunStatus
from kernel.actor import Actor

MAX_FIELDS = 3
MAX_GROUPS = 500
MAX_METRICS = 20
# Beyond this a square is no longer a number: such values count as infinite, and no statistics hold them.
_LARGEST = 1e150
_SAMPLE = 200  # runs whose values say what a usual one is
_BLURS = 1e3  # so many times the squares around the mean: three of sixteen digits are lost, or fewer
_COLUMNS = {"last": "last_value", "min": "min_value", "max": "max_value"}
OWN_FIELDS = {
    "status": "r.status",
    "user": "CAST(r.created_by_id AS text)",
    "experiment": "CAST(r.experiment_id AS text)",
    "project": "CAST(r.project_id AS text)",
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
    """Groups, largest first. more: there are others, which are smaller; only MAX_GROUPS are read. since_ms: they are of
    the runs that started since then, as more match than were to be read; None: of all that match."""

    groups: list[Group]
    more: bool
    since_ms: int | None = None


def group_runs(
    viewer: Actor,
    project: Project | None,
    fields: Sequence[str],
    *,
    metrics: Sequence[tuple[str, str]] = (),
    experiments: Sequence[int] | None = None,
    text: str = "",
    view: View = View.ACTIVE_ONLY,
    newest: int | None = None,
) -> Groups:
    """The runs that `search_runs` finds, by fields such as params.lr, tags.team, dataset, experiment, project or user.

    metrics: (name, last, min or max), of which the first MAX_METRICS are reckoned. A run with several dataset versions
    is in the group of each. newest: where more match, only about so many are read, those that started last. One scan;
    where values lie close together and far from others, one more for each such metric. Raises QueryError.
    """
    fields = tuple(fields)[:MAX_FIELDS]
    metrics = tuple(dict.fromkeys(metrics))[:MAX_METRICS]
    where, compiler = matching_runs(viewer, project=project, experiments=experiments, text=text, view=view)
    since = None if newest is None else start_of_newest(viewer, newest, where, compiler)
    if since is not None:
        where = joined("AND", [where, Sql("r.started_ms >= %s", (since,))])
    rows = _reckoned(fields, metrics, where, compiler, of_few=since is not None)
    width = len(fields)
    exact = _exactly(
        fields, [metrics[at] for at in _blurred(rows, width, len(metrics))], where, compiler, of_few=since is not None
    )
    named = [_named(viewer, field_, {row[at] for row in rows}) for at, field_ in enumerate(fields)]
    groups = []
    for row in rows[:MAX_GROUPS]:
        *keys, n, newest, lasted = row[: width + 3]
        found = {metric: _statistics(sums) for metric, sums in zip(metrics, _sums(row, width), strict=True) if sums.n}
        groups.append(
            Group(
                values=tuple(named[at][key] for at, key in enumerate(keys)),
                n=n,
                newest_ms=newest,
                duration_ms=None if lasted is None else int(lasted),
                metrics=found | exact.get(tuple(keys), {}),
            )
        )
    return Groups(groups, more=len(rows) > MAX_GROUPS, since_ms=since)


class _Sums(NamedTuple):
    """What one aggregate gives of a figure in a group. shifted, squares: of the differences from its shift."""

    n: int
    mean: float
    shifted: float
    squares: float
    low: float
    high: float

    @property
    def around_mean(self) -> float:
        """The squares of the differences from the mean."""
        return self.squares - self.shifted * self.shifted / self.n

    @property
    def is_blurred(self) -> bool:
        """Whether the mean lies so far from the shift that the subtraction leaves too few digits."""
        return self.n > 1 and self.low != self.high and not self.squares <= _BLURS * self.around_mean


def _sums(row: Sequence[Any], width: int) -> Iterator[_Sums]:
    for at in range(width + 3, len(row), len(_Sums._fields)):
        yield _Sums._make(row[at : at + len(_Sums._fields)])


def _blurred(rows: Sequence[Sequence[Any]], width: int, metrics: int) -> list[int]:
    """The places of the metrics whose deviation is not certain in some group."""
    found = {at for row in rows[:MAX_GROUPS] for at, sums in enumerate(_sums(row, width)) if sums.n and sums.is_blurred}
    return [at for at in range(metrics) if at in found]


def _statistics(sums: _Sums) -> Statistics:
    if sums.low == sums.high:  # the mean of equal numbers may be off by a bit
        return Statistics(sums.n, sums.low, None if sums.n == 1 else 0.0, sums.low, sums.high)
    deviation = math.sqrt(max(sums.around_mean, 0.0) / (sums.n - 1))
    return Statistics(sums.n, sums.mean, deviation, sums.low, sums.high)


def _keys(fields: Sequence[str]) -> list[str]:
    return [f"g{at}" for at in range(len(fields))]


def _source(
    fields: Sequence[str], metrics: Sequence[tuple[str, str]], compiler: Compiler, *, of_few: bool
) -> tuple[list[str], Sql]:
    """What stands before WHERE: the values of the fields, and the runs joined with these and with a series for each
    metric. Only finite figures are joined. A left join also keeps SQLite from starting anywhere but at the runs.

    Values are texts that begin with '=', and '' for runs that have none. of_few: looked up run by run, as few runs of a
    project are asked about; else a planner may read a key's values of all of them.
    """
    values, joins, params = list[str](), list[str](), list[object]()
    join = partial(compiler.database.looked_up, join="LEFT") if of_few else "LEFT JOIN {} {} ON {}".format
    for at, name in enumerate(fields):
        kind, _, key = name.partition(".")
        if name == "dataset":
            joins.append("LEFT JOIN experiments_runinput i ON i.run_id = r.id")
        elif name not in OWN_FIELDS:
            table = "experiments_param" if kind == "params" else "experiments_runtag"
            joins.append(join(table, f"v{at}", f"v{at}.run_id = r.id AND v{at}.key = %s"))
            params.append(key)
        values.append(f"COALESCE('=' || {OWN_FIELDS.get(name, f'v{at}.value')}, '') AS g{at}")
    for at, (name, figure) in enumerate(metrics):
        inside = TRUE if of_few else _inside(f"s{at}", compiler)
        held = f"s{at}.run_id = r.id AND s{at}.context = '' AND s{at}.key = %s AND {inside.text}"
        finite = f"s{at}.{_COLUMNS[figure]} BETWEEN -{_LARGEST!r} AND {_LARGEST!r}"
        joins.append(join("experiments_metricseries", f"s{at}", f"{held} AND {finite}"))
        params += [name, *inside.params]
    return values, Sql(f"experiments_run r {' '.join(joins)}", tuple(params))


def _inside(alias: str, compiler: Compiler) -> Sql:
    """Series of the named experiments, for a planner that may list them by index; elsewhere each run is looked up."""
    within = compiler.scope.within if compiler.plans_itself else ()
    return among(f"{alias}.experiment_id", within) if within else TRUE


def _reckoned(
    fields: Sequence[str], metrics: Sequence[tuple[str, str]], where: Sql, compiler: Compiler, *, of_few: bool
) -> list[Sequence[Any]]:
    """A row for each group, in one scan: its values, how many, the newest start, the mean duration, and _Sums of each
    metric around a shift that lies among its values."""
    values, source = _source(fields, metrics, compiler, of_few=of_few)
    shifts = _shifts(metrics, compiler)
    figures = [f"s{at}.{_COLUMNS[figure]}" for at, (_, figure) in enumerate(metrics)]
    inner = [*values, "r.started_ms AS started", "r.ended_ms - r.started_ms AS lasted"]
    inner += [f"{figure} AS x{at}, {figure} - %s AS d{at}" for at, figure in enumerate(figures)]
    outer = [
        f"COUNT(x{at}), AVG(x{at}), SUM(d{at}), SUM(d{at} * d{at}), MIN(x{at}), MAX(x{at})"
        for at in range(len(metrics))
    ]
    keys = ", ".join(_keys(fields))
    statement = (
        f"SELECT {', '.join([keys, 'COUNT(*)', 'MAX(started)', 'AVG(lasted)', *outer])}"  # noqa: S608
        f" FROM (SELECT {', '.join(inner)} FROM {source.text} WHERE {where.text}) chosen"
        f" GROUP BY {keys} ORDER BY COUNT(*) DESC, {keys} LIMIT {MAX_GROUPS + 1}"
    )
    return fetch(Sql(statement, (*shifts, *source.params, *where.params)))


def _shifts(metrics: Sequence[tuple[str, str]], compiler: Compiler) -> list[float]:
    """A usual value of each metric in scope, the middle one of some runs; 0 where these have none."""
    if not metrics:
        return []
    scope = compiler.scope.condition(compiler.database)
    marks = ", ".join(["%s"] * len(metrics))
    statement = (
        "SELECT s.key, s.last_value, s.min_value, s.max_value"  # noqa: S608
        f" FROM (SELECT r.id FROM experiments_run r WHERE {scope.text} LIMIT {_SAMPLE}) sample"
        f" LEFT JOIN experiments_metricseries s ON s.run_id = sample.id AND s.context = '' AND s.key IN ({marks})"
    )
    rows = fetch(Sql(statement, (*scope.params, *(name for name, _ in metrics))))
    found: dict[tuple[str, str], list[float]] = {}
    for key, *figures in rows:
        for figure, value in zip(_COLUMNS, figures, strict=True):
            if value is not None and abs(value) <= _LARGEST:
                found.setdefault((key, figure), []).append(value)
    return [median_low(found[metric]) if metric in found else 0.0 for metric in metrics]


def _exactly(
    fields: Sequence[str], metrics: Sequence[tuple[str, str]], where: Sql, compiler: Compiler, *, of_few: bool
) -> dict[tuple[str, ...], dict[tuple[str, str], Statistics]]:
    """By group and metric, one statement for each metric, for values that lie close together and far from the shift.

    The mean is known to every row before squares are summed, so that nothing is lost.
    """
    keys = ", ".join(_keys(fields))
    found: dict[tuple[str, ...], dict[tuple[str, str], Statistics]] = {}
    for metric in metrics:
        values, source = _source(fields, [metric], compiler, of_few=of_few)
        statement = (
            f"WITH value AS (SELECT {', '.join(values)}, s0.{_COLUMNS[metric[1]]} AS x"  # noqa: S608
            f" FROM {source.text} WHERE {where.text}),"
            f" centred AS (SELECT {keys}, x, AVG(x) OVER (PARTITION BY {keys}) AS mean FROM value"
            f" WHERE x IS NOT NULL)"
            f" SELECT {keys}, COUNT(*), MIN(mean), MIN(mean) - MIN(mean), SUM((x - mean) * (x - mean)), MIN(x), MAX(x)"
            f" FROM centred GROUP BY {keys}"
        )
        for row in fetch(Sql(statement, (*source.params, *where.params))):
            group, sums = tuple(row[: len(fields)]), _Sums._make(row[len(fields) :])
            found.setdefault(group, {})[metric] = _statistics(sums)
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
        case "project":
            named = _projects(viewer, present)
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


def _projects(viewer: Actor, keys: set[str]) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for project in Project.objects.visible_to(viewer).filter(pk__in=[UUID(key) for key in keys]):
        value = Value(project.slug, condition=_condition("project", Op.EQ, project.slug))
        found |= {str(project.pk): value, project.pk.hex: value}
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
    if field_ in OWN_FIELDS:
        return Comparison(Field(Entity.ATTRIBUTE, field_), op, value)
    return Comparison(Field(Entity.PARAM if kind == "params" else Entity.TAG, key), op, value)
