"""Search registered models and model versions: filtered, sorted and cut into pages, in MLflow's words."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from accounts.models import Project
from experiments.search.columns import Column, Dialect, Kind, Vocabulary
from experiments.search.errors import QueryError
from experiments.search.grammar import parse
from experiments.search.limits import MAX_ORDER_KEYS
from experiments.search.ordering import OrderKey, parse_order
from experiments.search.tree import Comparison, Entity, Op, comparisons
from kernel.actor import Actor
from kernel.errors import Invalid
from kernel.paging import question_digest
from registry.models import ModelVersion, ModelVersionTag, RegisteredModel, RegisteredModelTag
from registry.search.comparing import by_bytes, keyed, number, text, uid_hex
from registry.search.keysets import Key, page_of
from registry.sources import PROMPT_TAG

MODELS_PAGE: Final = 100
MODELS_PAGE_MAX: Final = 1000  # MLflow protocol
VERSIONS_PAGE: Final = 10_000
VERSIONS_PAGE_MAX: Final = 200_000  # MLflow protocol

_UPDATED: Final = ("timestamp",)  # what MLflow's first clients called it
_TIMES: Final = (
    Column("creation_timestamp", Kind.TIME, "created_ms", mlflow=True),
    Column("last_updated_timestamp", Kind.TIME, "updated_ms", mlflow_aliases=_UPDATED, mlflow=True),
)
MODELS: Final = Vocabulary("registered model", frozenset({Entity.TAG}))
MODELS.register(Column("name", Kind.TEXT, "name", mlflow=True, mlflow_lists=True))
MODELS_ORDER: Final = Vocabulary("registered model", frozenset())
MODELS_ORDER.register(Column("name", Kind.TEXT, "name", mlflow=True), *_TIMES)

VERSIONS: Final = Vocabulary("model version", frozenset({Entity.TAG}))
VERSIONS.register(
    Column("name", Kind.TEXT, "model__name", mlflow=True, mlflow_lists=True),
    Column("run_id", Kind.TEXT, "run_hex", mlflow=True, mlflow_lists=True),
    Column("source_path", Kind.TEXT, "source", mlflow=True),
    Column("version_number", Kind.NUMBER, "number", mlflow=True),
)
VERSIONS_ORDER: Final = Vocabulary("model version", frozenset())
VERSIONS_ORDER.register(
    Column("name", Kind.TEXT, "model__name", mlflow=True),
    Column("version_number", Kind.NUMBER, "number", mlflow=True),
    *_TIMES,
)


@dataclass(frozen=True, slots=True)
class RegisteredPage:
    """Models in order; a token exactly where more follow."""

    models: list[RegisteredModel]
    next_token: str = ""


@dataclass(frozen=True, slots=True)
class VersionPage:
    """Versions in order; a token exactly where more follow."""

    versions: list[ModelVersion]
    next_token: str = ""


def search_registered_models(
    viewer: Actor,
    *,
    project: Project,
    text: str = "",
    order: Sequence[str] = (),
    limit: int = MODELS_PAGE,
    after: str | None = None,
) -> RegisteredPage:
    """The project's models that satisfy a filter, by name unless sorted otherwise. Prompts only where it asks for them.

    Raises QueryError for filter and order, Invalid for the rest.
    """
    _check_limit(limit, MODELS_PAGE_MAX, "models")
    rows: QuerySet[RegisteredModel] = RegisteredModel.objects.visible_to(viewer).filter(
        project=project, is_deleted=False
    )
    tags = RegisteredModelTag.objects.filter(model=OuterRef("pk"))
    rows = rows.filter(*_conditions(text, MODELS, tags, Q(Exists(_marked(tags)))))
    asked = _asked_order(order, MODELS_ORDER)
    keys = [*_sort_keys(asked, MODELS_ORDER), Key("tie_name", by_bytes("name"), False, str)]
    question = question_digest("registered models", project.pk, text, order)
    found, token = page_of(
        rows.select_related("project", "created_by"), keys, question=question, limit=limit, after=after
    )
    return RegisteredPage(found, token)


def search_model_versions(
    viewer: Actor,
    *,
    project: Project,
    text: str = "",
    order: Sequence[str] = (),
    limit: int = VERSIONS_PAGE,
    after: str | None = None,
) -> VersionPage:
    """The project's versions that satisfy a filter, latest change first unless sorted otherwise.

    Versions of prompts only where the filter asks for them. Raises QueryError for filter and order, Invalid.
    """
    _check_limit(limit, VERSIONS_PAGE_MAX, "versions")
    rows: QuerySet[ModelVersion] = ModelVersion.objects.visible_to(viewer).filter(
        model__project=project, is_deleted=False
    )
    tags = ModelVersionTag.objects.filter(version=OuterRef("pk"))
    of_model = RegisteredModelTag.objects.filter(model=OuterRef("model"))
    is_prompt = Q(Exists(_marked(tags))) | Q(Exists(_marked(of_model)))
    rows = rows.annotate(run_hex=uid_hex("run__uid")).filter(*_conditions(text, VERSIONS, tags, is_prompt))
    asked = _asked_order(order or ["last_updated_timestamp DESC"], VERSIONS_ORDER)
    keys = [
        *_sort_keys(asked, VERSIONS_ORDER),
        Key("tie_name", by_bytes("model__name"), False, str),
        Key("tie_number", F("number"), True, int),
    ]
    question = question_digest("model versions", project.pk, text, order)
    placed = rows.select_related("model__project", "run__experiment", "logged_model__experiment", "root", "created_by")
    found, token = page_of(placed, keys, question=question, limit=limit, after=after)
    return VersionPage(found, token)


def _check_limit(limit: int, most: int, what: str) -> None:
    if not 1 <= limit <= most:
        raise Invalid(f"A page holds 1 to {most:,} {what}, not {limit:,}.", field="max_results")


def _conditions(filter_text: str, vocabulary: Vocabulary, tags: "QuerySet[Any]", is_prompt: Q) -> list[Q]:
    terms = list(comparisons(parse(filter_text, Dialect.MLFLOW, vocabulary)))
    about_prompts = [term for term in terms if _is_about_prompts(term)]
    others = [_condition(term, vocabulary, tags) for term in terms if term not in about_prompts]
    wanted = any(_asks_for_prompts(term) for term in about_prompts)
    return [*others, is_prompt if wanted else ~is_prompt]


def _is_about_prompts(term: Comparison) -> bool:
    return term.field.entity is Entity.TAG and term.field.key == PROMPT_TAG


def _asks_for_prompts(term: Comparison) -> bool:
    """`= 'true'` and `!= 'false'` do; everything else is about ordinary models (MLflow protocol)."""
    said = str(term.value).lower()
    return (term.op, said) in ((Op.EQ, "true"), (Op.NE, "false"))


def _marked(tags: "QuerySet[Any]") -> "QuerySet[Any]":
    return tags.filter(key=PROMPT_TAG, value__iexact="true")


def _condition(term: Comparison, vocabulary: Vocabulary, tags: "QuerySet[Any]") -> Q:
    if term.field.entity is Entity.TAG:
        return keyed(tags, term)
    column = vocabulary.columns[term.field.key]
    if column.kind is Kind.NUMBER:
        return _whole_number(column, term)
    present = Q(run__isnull=False) if column.name == "run_id" else Q()
    return present & text(column.source, term.op, term.value)


def _whole_number(column: Column, term: Comparison) -> Q:
    if not isinstance(term.value, int):
        raise QueryError(f"{column.name} is a whole number.", term.span, hint="Write it without a fraction.")
    return number(column.source, term)


def _asked_order(order: Sequence[str], vocabulary: Vocabulary) -> list[OrderKey]:
    if len(order) > MAX_ORDER_KEYS:
        raise Invalid(f"At most {MAX_ORDER_KEYS} keys can be sorted by, not {len(order)}.", field="order_by")
    return [parse_order(one, Dialect.MLFLOW, vocabulary) for one in order]


def _sort_keys(asked: Sequence[OrderKey], vocabulary: Vocabulary) -> list[Key]:
    return [_sort_key(at, key, vocabulary.columns[key.field.key]) for at, key in enumerate(asked)]


def _sort_key(at: int, key: OrderKey, column: Column) -> Key:
    if column.kind is Kind.TEXT:
        return Key(f"sort_{at}", by_bytes(column.source), key.descending, str)
    return Key(f"sort_{at}", F(column.source), key.descending, int)
