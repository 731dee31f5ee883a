"""What may be written next at a place of the query line, or in a field of its forms, from runs that the viewer sees."""

import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from accounts.models import Project
from experiments.queries.suggestions import Keys, figures_of, keys_of, values_of
from experiments.queries.table import newest_in
from experiments.search.columns import Column, Dialect, Kind, keyed_ops
from experiments.search.completion import Place, Wanted
from experiments.search.errors import QueryError
from experiments.search.grammar import parse_field
from experiments.search.literals import is_number
from experiments.search.tree import Entity, Field, Op, written_text
from experiments.search.vocabularies import RUNS
from kernel.actor import Actor
from kernel.clock import now

OFFERED = 12
FUNCTIONS = {
    "best": "the best value, by the metric's direction",
    "min": "the lowest value",
    "max": "the highest value",
    "last": "the last value",
}
FIRST = ("status", "created", "run_name", "user", "mine", "tag", "data", "model", "verdict", "experiment", "duration")
OP_WORDS = {
    Op.EQ: "is",
    Op.NE: "is not",
    Op.LT: "less than",
    Op.LE: "at most",
    Op.GT: "greater than",
    Op.GE: "at least",
    Op.LIKE: "like a pattern, % for anything",
    Op.ILIKE: "like a pattern, whatever the case",
    Op.IN: "one of several",
    Op.NOT_IN: "none of several",
    Op.IS_NULL: "is missing",
    Op.IS_NOT_NULL: "is there",
}
_SPLIT = re.compile(r"[/._\- ]")
_TIMES = {"1d": "the last day", "7d": "the last 7 days", "30d": "the last 30 days"}
_DURATIONS = {"1m": "a minute", "10m": "ten minutes", "1h": "an hour", "1d": "a day"}


@dataclass(frozen=True, slots=True)
class Item:
    """One offer. text: what is put into the line; label: what is shown; note: what it is, or how common."""

    text: str
    label: str
    note: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose runs are offered from; their list is read once, and only if it is needed."""

    viewer: Actor
    project: Project | None
    experiments: tuple[int, ...]

    def runs(self) -> list[int]:
        return newest_in(self.viewer, self.project, self.experiments or None)


def of_field(scope: Scope, name: str, typed: str) -> list[Item]:
    """The values of a field, or with `metrics` and `params` the keys, as plain texts for a form."""
    if name in ("metrics", "params"):
        keys = keys_of(scope.viewer, scope.runs())
        known = keys.metrics if name == "metrics" else keys.params
        return _best([Item(key, key, _count(count), name) for key, count in known.items()], typed)
    try:
        field = parse_field(name, Dialect.FULL, RUNS)[0]
    except QueryError:
        return []
    found = values_of(scope.viewer, field, scope.runs())
    return _best([Item(text, text, _count(count), "value") for text, count in found.items()], typed)


def offers(scope: Scope, place: Place) -> list[Item]:
    """What may stand at a place of the line."""
    match place.wanted:
        case Wanted.KEY:
            return key_items(keys_of(scope.viewer, scope.runs()), place.typed)
        case Wanted.METRIC:
            found = keys_of(scope.viewer, scope.runs()).metrics
            return _best([_keyed(Entity.METRIC, key, count, tail=") ") for key, count in found.items()], place.typed)
        case Wanted.OPERATOR:
            return operator_items(place)
        case Wanted.LIST:
            return [Item("(", "(", "a list of values", "operator")]
        case Wanted.NULLNESS:
            return _best([Item("NULL ", "NULL", "is missing"), Item("NOT NULL ", "NOT NULL", "is there")], place.typed)
        case Wanted.VALUE if place.field:
            return value_items(scope, place, place.field)
        case Wanted.JOINER:
            return joiner_items(place)
    return []


def key_items(keys: Keys, typed: str) -> list[Item]:
    """Names of runs, functions and fields that what is typed may become; the commonest fields where nothing is."""
    columns = [RUNS.columns.get(name) or RUNS.column(name, Dialect.FULL) for name in FIRST]
    first = [_column(column) for column in columns if column]
    metrics = [_keyed(Entity.METRIC, key, count) for key, count in keys.metrics.items()]
    params = [_keyed(Entity.PARAM, key, count) for key, count in keys.params.items()]
    tags = [_keyed(Entity.TAG, key, count) for key, count in keys.tags.items()]
    own = [item for item in metrics if not item.label.startswith("metrics.system/")]
    if not typed:
        plain = [item for item in tags if not item.label.startswith("tags.mlflow.")]
        return [*own[:3], *params[:3], *plain[:1], *first[:5]]
    others = [_column(column) for column in RUNS.columns.values() if column.name not in FIRST]
    data = [Item(f"dataset.{key} ", f"dataset.{key}", "dataset", "dataset") for key in ("name", "digest", "context")]
    functions = [Item(f"{name}(", f"{name}(…)", words, "function") for name, words in FUNCTIONS.items()]
    words = [Item("NOT ", "NOT", "the others", "word")]
    return _best([*own, *params, *tags, *first, *others, *data, *functions, *words, *metrics], typed)


def operator_items(place: Place) -> list[Item]:
    """What the field can be compared by; after a bare word what joins it."""
    field = place.field
    if field is None:
        return joiner_items(place)
    if field.entity is Entity.ATTRIBUTE:
        known = RUNS.columns[field.key].ops(Dialect.FULL)
    else:
        known = keyed_ops(field.entity, Dialect.FULL)
    if place.op is Op.NOT_IN:
        return [Item("IN (", "IN", OP_WORDS[Op.NOT_IN], "operator")]
    tails = {Op.IN: " (", Op.NOT_IN: " (", Op.IS_NULL: " ", Op.IS_NOT_NULL: " "}
    items = [Item(f"{op.value}{tails.get(op, ' ')}", op.value, OP_WORDS[op], "operator") for op in Op if op in known]
    return _best(items, place.typed)


def joiner_items(place: Place) -> list[Item]:
    if place.in_list:
        return [Item(", ", ",", "a further value", "word"), Item(") ", ")", "the list ends", "word")]
    joins = [Item("AND ", "AND", "both", "word"), Item("OR ", "OR", "either", "word")]
    return _best(joins, place.typed)


def value_items(scope: Scope, place: Place, field: Field) -> list[Item]:
    """What the field can be compared with: its words, or what the newest runs have in it."""
    tail = "" if place.in_list else " "
    if field.entity is Entity.METRIC:
        figures = figures_of(scope.viewer, field, scope.runs())
        chosen = {"highest": figures[-1], "median": figures[len(figures) // 2], "lowest": figures[0]} if figures else {}
        items = [Item(f"{value:.6g}{tail}", f"{value:.6g}", word, "value") for word, value in chosen.items()]
        return _best(items, place.typed)
    column = RUNS.columns.get(field.key) if field.entity is Entity.ATTRIBUTE else None
    if column and (fixed := _fixed(column)):
        return _best([Item(f"{text}{tail}", text, note, "value") for text, note in fixed.items()], place.typed)
    found = values_of(scope.viewer, field, scope.runs())
    as_number = field.entity is Entity.PARAM and place.op in (Op.LT, Op.LE, Op.GT, Op.GE)
    items = []
    for text, count in found.items():
        put = text if as_number else written_text(text)
        if not as_number or is_number(text):
            items.append(Item(f"{put}{tail}", text, _count(count), "value"))
    return _best(items, place.typed)


def _fixed(column: Column) -> Mapping[str, str]:
    """The values of a column that are the same for all runs, as they are written."""
    match column.kind:
        case Kind.CHOICE:
            return {written_text(word): "" for word in column.words.values()}
        case Kind.FLAG:
            return {"true": "", "false": ""}
        case Kind.TIME:
            today = now().astimezone(dt.UTC).date()
            return {**_TIMES, f"'{today.isoformat()}'": "today", f"'{today.replace(day=1).isoformat()}'": "this month"}
        case Kind.DURATION:
            return _DURATIONS
    return {}


def _keyed(entity: Entity, key: str, count: int, tail: str = " ") -> Item:
    what = {Entity.METRIC: "metric", Entity.PARAM: "param", Entity.TAG: "tag"}[entity]
    return Item(f"{Field(entity, key)}{tail}", f"{entity.value}.{key}", f"{what}, {_count(count)}", what)


def _column(column: Column) -> Item:
    name = "created" if column.name == "start_time" else column.name
    return Item(f"{name} ", name, "field", "field")


def _count(number: int) -> str:
    return f"{number:,} run{'' if number == 1 else 's'}"


def _best(items: Sequence[Item], typed: str) -> list[Item]:
    """The items that fit what is typed, those that begin with it first, otherwise as they come."""
    wanted = typed.strip().lower()
    placed: Iterable[tuple[int, Item]] = ((place, item) for item in items if (place := _fit(item, wanted)) is not None)
    found = dict.fromkeys(item for _, item in sorted(placed, key=lambda pair: pair[0]))
    return list(found)[:OFFERED]


def _fit(item: Item, wanted: str) -> int | None:
    """How well it fits: 0 if it, its key or a part of its key begins so, 1 if a part of it does, 2 if it holds it."""
    label, wanted = item.label.lower().strip("'"), wanted.strip("'")
    is_key = item.kind in ("metric", "param", "tag")
    parts = [part.startswith(wanted) for part in _SPLIT.split(label)]
    if label.startswith(wanted) or (is_key and (any(parts) or label.partition(".")[2].startswith(wanted))):
        return 0
    return 1 if any(parts) else 2 if wanted in label else None
