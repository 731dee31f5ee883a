"""Search logged models: filtered, sorted and cut into pages, in the words of the MLflow protocol."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery, TextField, Value
from django.db.models.functions import Cast, Collate, Replace

from accounts.models import Project
from experiments.search.columns import Column, Dialect, Kind, Vocabulary
from experiments.search.errors import NOWHERE, QueryError, nearest
from experiments.search.grammar import parse
from experiments.search.limits import MAX_ORDER_KEYS
from experiments.search.tree import Comparison, Entity, Op, comparisons
from kernel.actor import Actor
from kernel.errors import Invalid
from kernel.paging import decode_token, encode_token, question_digest
from registry.models import LoggedModel, LoggedModelParam, LoggedModelTag, ModelMetric

PAGE_DEFAULT: Final = 100
PAGE_MAX: Final = 1000

MODELS: Final = Vocabulary("logged model", frozenset({Entity.METRIC, Entity.PARAM, Entity.TAG}), words="name")
MODELS.register(
    Column("name", Kind.TEXT, "name", mlflow=True, mlflow_lists=True),
    Column("model_id", Kind.TEXT, "model_id", mlflow=True, mlflow_lists=True),
    Column("model_type", Kind.TEXT, "model_type", mlflow=True, mlflow_lists=True),
    Column("status", Kind.TEXT, "status", mlflow=True, mlflow_lists=True),
    Column("source_run_id", Kind.TEXT, "source_run__uid", mlflow=True, mlflow_lists=True),
    Column(
        "creation_timestamp",
        Kind.TIME,
        "created_ms",
        mlflow_aliases=("creation_time", "creation_timestamp_ms"),
        mlflow=True,
    ),
    Column(
        "last_updated_timestamp", Kind.TIME, "updated_ms", mlflow_aliases=("last_updated_timestamp_ms",), mlflow=True
    ),
)
_LOOKUPS: Final = {Op.EQ: "exact", Op.LT: "lt", Op.LE: "lte", Op.GT: "gt", Op.GE: "gte"}
_INT64: Final = 2**63


@dataclass(frozen=True, slots=True)
class OnDataset:
    """Metrics that were measured on this dataset; digest '': on any version of it."""

    name: str
    digest: str = ""

    @property
    def condition(self) -> Q:
        """As a condition on ModelMetric."""
        return Q(dataset_name=self.name, dataset_digest=self.digest) if self.digest else Q(dataset_name=self.name)


@dataclass(frozen=True, slots=True)
class SortBy:
    """A field, or 'metrics.<key>' (the latest value, on a dataset where one is named)."""

    field: str
    descending: bool = False
    dataset: OnDataset | None = None


@dataclass(frozen=True, slots=True)
class ModelPage:
    """Models in order; a token exactly where more follow."""

    models: list[LoggedModel]
    next_token: str = ""


def search_logged_models(
    viewer: Actor,
    *,
    project: Project,
    experiments: Sequence[int],
    text: str = "",
    datasets: Sequence[OnDataset] = (),
    order: Sequence[SortBy] = (),
    limit: int = PAGE_DEFAULT,
    after: str | None = None,
) -> ModelPage:
    """The models of these experiments (primary keys) that satisfy a filter, newest first unless sorted otherwise.

    datasets narrow which metrics a filter looks at. Raises QueryError for filter and order, Invalid for the rest.
    """
    if not 1 <= limit <= PAGE_MAX:
        raise Invalid(f"A page holds 1 to {PAGE_MAX:,} models, not {limit:,}.", field="max_results")
    rows: QuerySet[LoggedModel] = LoggedModel.objects.visible_to(viewer).filter(
        project=project, experiment__in=list(experiments), is_deleted=False
    )
    rows = rows.annotate(source_run_hex=_hex("source_run__uid")).filter(*_conditions(text, datasets))
    keys = _sort_keys(order)
    question = question_digest("logged models", project.pk, sorted(experiments), text, datasets, order)
    rows = _sorted(rows, keys)
    position = decode_token(question, after)
    if position is not None:
        rows = rows.filter(_behind(keys, _restored(keys, position)))
    found = list(rows.select_related("experiment", "source_run")[: limit + 1])
    if len(found) <= limit:
        return ModelPage(found)
    return ModelPage(
        found[:limit], encode_token(question, [_kept(getattr(found[limit - 1], key.name)) for key in keys])
    )


# Filters.


def _conditions(text: str, datasets: Sequence[OnDataset]) -> list[Q]:
    terms = list(comparisons(parse(text, Dialect.MLFLOW, MODELS)))
    on_datasets = _any_of(datasets)
    conditions = [_condition(term, on_datasets) for term in terms]
    if datasets and not any(term.field.entity is Entity.METRIC for term in terms):
        conditions.append(Q(Exists(_metrics().filter(on_datasets))))
    return conditions


def _hex(source: str) -> Replace:
    """A UUID column as 32 hex digits."""
    return Replace(Cast(source, TextField()), Value("-"), Value(""), output_field=TextField())


def _any_of(datasets: Sequence[OnDataset]) -> Q:
    condition = Q()
    for dataset in datasets:
        condition |= dataset.condition
    return condition


def _metrics() -> "QuerySet[ModelMetric]":
    return ModelMetric.objects.filter(model=OuterRef("pk"))


def _condition(term: Comparison, on_datasets: Q) -> Q:
    match term.field.entity:
        case Entity.ATTRIBUTE:
            return _attribute(MODELS.columns[term.field.key], term)
        case Entity.METRIC:
            return Q(Exists(_metrics().filter(_number("value", term), on_datasets, key=term.field.key)))
        case Entity.PARAM:
            return _keyed(LoggedModelParam, term)
        case _:
            return _keyed(LoggedModelTag, term)


def _keyed(model: type[LoggedModelParam] | type[LoggedModelTag], term: Comparison) -> Q:
    rows = model.objects.filter(model=OuterRef("pk"), key=term.field.key)
    if term.op in (Op.IS_NULL, Op.IS_NOT_NULL):
        return Q(Exists(rows)) if term.op is Op.IS_NOT_NULL else ~Q(Exists(rows))
    return Q(Exists(rows.filter(_text("value", term.op, term.value))))


def _attribute(column: Column, term: Comparison) -> Q:
    if column.kind is Kind.TIME:
        return _number(column.source, term)
    if column.name == "source_run_id":
        return Q(source_run__isnull=False) & _text("source_run_hex", term.op, term.value)
    return _text(column.source, term.op, term.value)


def _number(source: str, term: Comparison) -> Q:
    """A number column, where NULL stands for NaN and satisfies != alone."""
    value: Any = term.value
    if isinstance(value, int) and not -_INT64 <= value < _INT64:
        value = float(value)
    if term.op is Op.NE:
        return Q(**{f"{source}__isnull": True}) | ~Q(**{source: value})
    return Q(**{f"{source}__{_LOOKUPS[term.op]}": value})


def _text(source: str, op: Op, value: Any) -> Q:
    match op:
        case Op.EQ:
            return Q(**{source: value})
        case Op.NE:
            return ~Q(**{source: value})
        case Op.IN:
            return Q(**{f"{source}__in": list(value)})
        case Op.NOT_IN:
            return ~Q(**{f"{source}__in": list(value)})
        case Op.LIKE:
            return Q(**{f"{source}__regex": _regex(value)})
        case _:
            return Q(**{f"{source}__iregex": _regex(value)})


def _regex(pattern: str) -> str:
    """A LIKE pattern as a regular expression; SQLite's own LIKE forgets case.

    SQLite asks Python, which tries every way to share a text out among several wildcards: for ever, where none fits.
    There each part between two of them is taken where it stands first, for good, which finds the same.
    """
    in_python = connection.vendor == "sqlite"
    sign, taken = ("(?s:.)", "(?>{}*?{})") if in_python else ("(?:.|\n)", "{}*{}")
    parts = ["".join(sign if one == "_" else re.escape(one) for one in part) for part in pattern.split("%")]
    if len(parts) == 1:
        return rf"\A{parts[0]}\Z"
    first, *between, last = parts
    return rf"\A{first}{''.join(taken.format(sign, part) for part in between)}{sign}*{last}\Z"


# Order and pages.


@dataclass(frozen=True, slots=True)
class _Key:
    """An annotation to sort by; where it is missing comes last. holds: the type of its values."""

    name: str
    expression: Any
    descending: bool
    holds: type


def _sort_keys(order: Sequence[SortBy]) -> list[_Key]:
    """The asked keys, then newest first, then by id, so that the order is total."""
    if len(order) > MAX_ORDER_KEYS:
        raise Invalid(f"At most {MAX_ORDER_KEYS} keys can be sorted by, not {len(order)}.", field="order_by")
    keys = [_sort_key(at, wanted) for at, wanted in enumerate(order)]
    return [*keys, _Key("tie_created", F("created_ms"), True, int), _Key("tie_id", _by_bytes("model_id"), False, str)]


def _sort_key(at: int, wanted: SortBy) -> _Key:
    entity, dot, key = wanted.field.partition(".")
    if dot and entity == "metrics":
        measured = _metrics().filter(wanted.dataset.condition if wanted.dataset else Q(), key=key.strip("`"))
        latest = measured.order_by("-at_ms", "-step", "run_id").values("value")[:1]
        return _Key(f"sort_{at}", Subquery(latest), wanted.descending, float)
    column = MODELS.column(wanted.field, Dialect.MLFLOW)
    if column is None:
        raise QueryError(
            f"models cannot be sorted by “{wanted.field[:60]}”.",
            NOWHERE,
            suggestion=nearest(wanted.field, MODELS.names(Dialect.MLFLOW)),
            hint="Sort by a field such as name, or by metrics.<key>.",
            field="order_by",
        )
    if column.kind is Kind.TIME:
        return _Key(f"sort_{at}", F(column.source), wanted.descending, int)
    source = "source_run_hex" if column.name == "source_run_id" else column.source
    return _Key(f"sort_{at}", _by_bytes(source), wanted.descending, str)


def _by_bytes(source: str) -> Collate:
    return Collate(source, "BINARY" if connection.vendor == "sqlite" else "C")


def _sorted(rows: "QuerySet[LoggedModel]", keys: Sequence[_Key]) -> "QuerySet[LoggedModel]":
    rows = rows.annotate(**{key.name: key.expression for key in keys})
    ways = [F(key.name).desc(nulls_last=True) if key.descending else F(key.name).asc(nulls_last=True) for key in keys]
    return rows.order_by(*ways)


def _behind(keys: Sequence[_Key], position: Sequence[Any]) -> Q:
    """The rows strictly after a position; missing values come last."""
    key, last, *rest_of_position = keys[0], position[0], *position[1:]
    rest = _behind(keys[1:], rest_of_position) if len(keys) > 1 else Q(pk__in=[])
    if last is None:
        return Q(**{f"{key.name}__isnull": True}) & rest
    beyond = Q(**{f"{key.name}__{'lt' if key.descending else 'gt'}": last}) | Q(**{f"{key.name}__isnull": True})
    return beyond | (Q(**{key.name: last}) & rest)


def _kept(value: Any) -> Any:
    """A value as a token holds it: floats as text, so that infinities and every bit survive."""
    return repr(value) if isinstance(value, float) else value


def _restored(keys: Sequence[_Key], position: Sequence[Any]) -> list[Any]:
    if len(position) != len(keys):
        raise _foreign_token()
    return [_restored_value(key, value) for key, value in zip(keys, position, strict=True)]


def _restored_value(key: _Key, value: Any) -> Any:
    if value is None:
        return None
    if key.holds is float and isinstance(value, str) and len(value) < 30:
        try:
            number = float(value)
        except ValueError:
            raise _foreign_token() from None
        if not math.isnan(number):
            return number
    if key.holds is int and type(value) is int and -_INT64 <= value < _INT64:
        return value
    if key.holds is str and isinstance(value, str) and "\x00" not in value:
        return value
    raise _foreign_token()


def _foreign_token() -> Invalid:
    return Invalid(
        "The page token is not one that this server gave out.",
        hint="Start again without a page token.",
        field="page_token",
    )
