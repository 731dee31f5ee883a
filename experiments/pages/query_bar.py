"""What the query bar shows: chips, the form, ways to completion and help, the question as code, what may be meant."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Protocol
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse

from accounts.models import Project
from experiments.pages.asked import Asked
from experiments.pages.chips import Chip, chips_of
from experiments.pages.query_code import Code, code_of
from experiments.pages.query_form import Section, line_of, sections_of
from experiments.pages.questions import Problem
from experiments.search.columns import ENTITY_WORDS, Dialect
from experiments.search.errors import nearest
from experiments.search.grammar import parse
from experiments.search.tokens import Kind, tokenize
from experiments.search.tree import Entity, Field, comparisons
from experiments.search.vocabularies import RUNS


class Named(Protocol):
    """Names that runs use, each with how many have it."""

    @property
    def metrics(self) -> Mapping[str, int]: ...
    @property
    def params(self) -> Mapping[str, int]: ...
    @property
    def tags(self) -> Mapping[str, int]: ...


@dataclass(frozen=True, slots=True)
class Meant:
    """What was probably meant: the text in question, the better one if any, and the address that asks it."""

    wrong: str
    right: str
    url: str


@dataclass(frozen=True, slots=True)
class Bar:
    """The parts of the bar. pairs: the address without the query; action: where the question goes."""

    action: str
    pairs: list[tuple[str, str]]
    suggest_url: str
    help_url: str
    chips: list[Chip]
    sections: list[Section]
    code: Code | None
    meant: Meant | None


def bar_of(
    request: HttpRequest,
    project: Project | None,
    asked: Asked,
    problem: Problem | None = None,
    *,
    names: Named | None = None,
    is_empty: bool = False,
) -> dict[str, object]:
    """The context of templates/experiments/query_bar.html.

    names: what the runs in scope use, where the page knows it: a name that none has may be a slip. is_empty: nothing
    was found, so that such a name is told even if none is like it.
    """
    line = line_of(asked.query)
    where = urlencode([("experiment", str(pk)) for pk in asked.experiment_ids])
    bar = Bar(
        action=asked.path,
        pairs=asked.all_kept("q", "good"),
        suggest_url=f"{_address('suggest', project)}?{where}",
        help_url=f"{_address('query_help', project)}?{where}",
        chips=chips_of(asked, line),
        sections=sections_of(line),
        code=code_of(request, project, asked),
        meant=_meant(asked, problem, names, is_empty=is_empty),
    )
    return {"bar": bar, "suggest_url": bar.suggest_url, "help_url": bar.help_url}


def _address(name: str, project: Project | None) -> str:
    return (
        reverse(f"experiments:{name}_all") if project is None else reverse(f"experiments:{name}", args=[project.slug])
    )


def _meant(asked: Asked, problem: Problem | None, names: Named | None, *, is_empty: bool) -> Meant | None:
    if problem is not None:
        right = _key_like(problem.wrong, names) or problem.suggestion
        text = f"{problem.before}{right}{problem.after}"
        return _asking(asked, problem.wrong, right, text) if right and text != asked.query else None
    if names is None or not asked.query:
        return None
    fields = dict.fromkeys(condition.field for condition in comparisons(parse(asked.query, Dialect.FULL, RUNS)))
    unknown = [field for field in fields if _is_unknown(field, names)]
    for field in unknown:
        right = _known_key(field, names)
        if right:
            return _asking(asked, f"{field.entity.value}.{field.key}", right, respelt(asked.query, field, right))
    return Meant(f"{unknown[0].entity.value}.{unknown[0].key}", "", "") if unknown and is_empty else None


def respelt(query: str, field: Field, right: str) -> str:
    """The query with another key in place of this one, however it is quoted there."""
    tokens = tokenize(query)
    for token, following in reversed(list(pairwise(tokens))):
        entity, dot, key = token.text.partition(".")
        if token.kind is not Kind.WORD or not dot or ENTITY_WORDS.get(entity.lower()) is not field.entity:
            continue
        is_quoted = not key and following.kind is Kind.NAME and token.touches(following)
        if (following.text if is_quoted else key) == field.key:
            end = following.span.end if is_quoted else token.span.end
            query = query[: token.span.start] + right + query[end:]
    return query


def _asking(asked: Asked, wrong: str, right: str, text: str) -> Meant:
    better = replace(asked, query=text, good="", after="")
    return Meant(wrong, right, better.url(better.all_kept()))


def _key_like(wrong: str, names: Named | None) -> str:
    """The key that a bare word probably stands for: `lr` for `params.lr`."""
    word = wrong.strip().strip("`\"'")
    if names is None or not word:
        return ""
    for entity, known in _by_entity(names):
        if word in known:
            return str(Field(entity, word))
    return ""


def _is_unknown(field: Field, names: Named) -> bool:
    known = dict(_by_entity(names)).get(field.entity)
    return known is not None and field.key not in known


def _known_key(field: Field, names: Named) -> str:
    """A key that runs have, in place of one that none has: of another kind, or spelt a little differently."""
    by_entity = dict(_by_entity(names))
    for entity, known in _by_entity(names):
        if field.key in known:
            return str(Field(entity, field.key))
    near = nearest(field.key, by_entity[field.entity])
    return str(Field(field.entity, near)) if near else ""


def _by_entity(names: Named) -> Iterable[tuple[Entity, Mapping[str, int]]]:
    return ((Entity.PARAM, names.params), (Entity.METRIC, names.metrics), (Entity.TAG, names.tags))
