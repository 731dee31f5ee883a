"""Search logged models: filtered, sorted and cut into pages, in the words of the MLflow protocol."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery

from accounts.models import Project
from experiments.search.columns import Column, Dialect, Kind, Vocabulary
from experiments.search.errors import NOWHERE, QueryError, nearest
from experiments.search.grammar import parse
from experiments.search.limits import MAX_ORDER_KEYS
from experiments.search.tree import Comparison, Entity, comparisons
from kernel.actor import Actor
from kernel.errors import Invalid
from kernel.paging import question_digest
from registry.models import LoggedModel, LoggedModelParam, LoggedModelTag, ModelMetric
from registry.search.comparing import by_bytes, keyed, uid_hex
from registry.search.comparing import number as number_is
from registry.search.comparing import text as text_is
from registry.search.keysets import Key, page_of

PAGE_DEFAULT: Final = 100
PAGE_MAX: Final = 1000

MODELS: Final = Vocabulary(
    "logged model", frozenset({Entity.METRIC, Entity.PARAM, Entity.TAG}), words="name", mlflow_lists=True
)
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
    rows = rows.annotate(source_run_hex=uid_hex("source_run__uid")).filter(*_conditions(text, datasets))
    question = question_digest("logged models", project.pk, sorted(experiments), text, datasets, order)
    found, token = page_of(
        rows.select_related("experiment", "source_run"),
        _sort_keys(order),
        question=question,
        limit=limit,
        after=after,
    )
    return ModelPage(found, token)


# Filters.


def _conditions(text: str, datasets: Sequence[OnDataset]) -> list[Q]:
    terms = list(comparisons(parse(text, Dialect.MLFLOW, MODELS)))
    on_datasets = _any_of(datasets)
    conditions = [_condition(term, on_datasets) for term in terms]
    if datasets and not any(term.field.entity is Entity.METRIC for term in terms):
        conditions.append(Q(Exists(_metrics().filter(on_datasets))))
    return conditions


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
            return Q(Exists(_metrics().filter(number_is("value", term), on_datasets, key=term.field.key)))
        case Entity.PARAM:
            return keyed(LoggedModelParam.objects.filter(model=OuterRef("pk")), term)
        case _:
            return keyed(LoggedModelTag.objects.filter(model=OuterRef("pk")), term)


def _attribute(column: Column, term: Comparison) -> Q:
    if column.kind is Kind.TIME:
        return number_is(column.source, term)
    if column.name == "source_run_id":
        return Q(source_run__isnull=False) & text_is("source_run_hex", term.op, term.value)
    return text_is(column.source, term.op, term.value)


# Order.


def _sort_keys(order: Sequence[SortBy]) -> list[Key]:
    """The asked keys, then newest first, then by id, so that the order is total."""
    if len(order) > MAX_ORDER_KEYS:
        raise Invalid(f"At most {MAX_ORDER_KEYS} keys can be sorted by, not {len(order)}.", field="order_by")
    keys = [_sort_key(at, wanted) for at, wanted in enumerate(order)]
    return [*keys, Key("tie_created", F("created_ms"), True, int), Key("tie_id", by_bytes("model_id"), False, str)]


def _sort_key(at: int, wanted: SortBy) -> Key:
    entity, dot, key = wanted.field.partition(".")
    if dot and entity == "metrics":
        measured = _metrics().filter(wanted.dataset.condition if wanted.dataset else Q(), key=key.strip("`"))
        latest = measured.order_by("-at_ms", "-step", "run_id").values("value")[:1]
        return Key(f"sort_{at}", Subquery(latest), wanted.descending, float)
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
        return Key(f"sort_{at}", F(column.source), wanted.descending, int)
    source = "source_run_hex" if column.name == "source_run_id" else column.source
    return Key(f"sort_{at}", by_bytes(source), wanted.descending, str)
