"""What a filter and an order mean, said once more in plain Python over plain dataclasses."""

import datetime as dt
import functools
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from experiments.search.tree import (
    Aggregate,
    Ago,
    And,
    Comparison,
    Day,
    Entity,
    Field,
    Instant,
    Node,
    Not,
    Op,
    Or,
    Words,
)

UNITS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}


@dataclass
class PlainRun:
    """A run as the reference sees it. metrics: key -> values by step; datasets: (name, digest, context)."""

    uid: str
    name: str
    status: str = "RUNNING"
    user: str = ""
    started_ms: int | None = None
    ended_ms: int | None = None
    metrics: dict[str, list[float]] = field(default_factory=dict)
    params: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    datasets: list[tuple[str, str, str]] = field(default_factory=list)
    higher: bool = True

    def metric(self, key: str, aggregate: Aggregate) -> float | None:
        values = self.metrics.get(key)
        if values is None:
            return None
        if aggregate is Aggregate.LAST:
            return values[-1]
        if aggregate is Aggregate.FIRST:
            return values[0]
        numbers = [value for value in values if not math.isnan(value)]
        highest = aggregate is Aggregate.MAX or (aggregate is Aggregate.BEST and self.higher)
        return math.nan if not numbers else max(numbers) if highest else min(numbers)


def number_of(text: str) -> float | None:
    """The number that a param's text is, if it is a finite one."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def matches(node: Node, run: PlainRun, now_ms: int) -> bool:
    """Whether the run satisfies the filter."""
    match node:
        case And(terms):
            return all(matches(term, run, now_ms) for term in terms)
        case Or(terms):
            return any(matches(term, run, now_ms) for term in terms)
        case Not(term):
            return not matches(term, run, now_ms)
        case Words(words):
            return all(word.lower() in run.name.lower() for word in words)
        case Comparison(on, op, value):
            return _holds(run, on, op, value, now_ms)


def _holds(run: PlainRun, on: Field, op: Op, value: Any, now_ms: int) -> bool:
    if on.entity is Entity.DATASET:
        at = ("name", "digest", "context").index(on.key)
        held = [dataset[at] for dataset in run.datasets if at < 2 or dataset[at]]
        if op in (Op.IS_NULL, Op.IS_NOT_NULL):
            return bool(held) is (op is Op.IS_NOT_NULL)
        return any(_compare(item, op, value) for item in held)
    left = _left(run, on)
    if op in (Op.IS_NULL, Op.IS_NOT_NULL):
        return (left is None) is (op is Op.IS_NULL)
    if left is None:
        return False
    if on.key in ("start_time", "end_time"):
        return _compare_time(left, op, value, now_ms)
    if on.entity is Entity.PARAM and not isinstance(value[0] if isinstance(value, tuple) else value, str):
        left = number_of(left)
        if left is None:
            return op in (Op.NE, Op.NOT_IN)
    return _compare(left, op, value)


def _left(run: PlainRun, on: Field) -> Any:
    match on.entity:
        case Entity.METRIC:
            return run.metric(on.key, on.aggregate)
        case Entity.PARAM:
            return run.params.get(on.key)
        case Entity.TAG:
            return run.tags.get(on.key)
    return {
        "run_name": run.name,
        "user_id": run.user,
        "status": run.status,
        "start_time": run.started_ms,
        "end_time": run.ended_ms,
        "run_id": run.uid,
    }[on.key]


def _compare(left: Any, op: Op, right: Any) -> bool:
    match op:
        case Op.EQ:
            return bool(left == right)
        case Op.NE:
            return bool(left != right)
        case Op.LT:
            return bool(left < right)
        case Op.LE:
            return bool(left <= right)
        case Op.GT:
            return bool(left > right)
        case Op.GE:
            return bool(left >= right)
        case Op.IN:
            return any(left == item for item in right)
        case Op.NOT_IN:
            return all(left != item for item in right)
        case Op.LIKE:
            return like(left, right)
        case Op.ILIKE:
            return like(left.lower(), right.lower())
    raise AssertionError(op)


def like(text: str, pattern: str) -> bool:
    """Only % and _ are wildcards."""
    parts = {"%": ".*", "_": "."}
    return re.fullmatch("".join(parts.get(sign, re.escape(sign)) for sign in pattern), text, re.DOTALL) is not None


def _compare_time(left: int, op: Op, right: Any, now_ms: int) -> bool:
    match right:
        case Day(date):
            start = (date - dt.date(1970, 1, 1)).days * UNITS["d"]
            end = start + UNITS["d"]
            return {
                Op.EQ: start <= left < end,
                Op.NE: not start <= left < end,
                Op.LT: left < start,
                Op.LE: left < end,
                Op.GT: left >= end,
                Op.GE: left >= start,
            }[op]
        case Instant(ms):
            return _compare(left, op, ms)
        case Ago(amount, unit):
            return _compare(left, op, now_ms - amount * UNITS[unit])
    return _compare(left, op, right)


# Order.


def in_order(runs: Sequence[PlainRun], keys: Sequence[tuple[Field, bool]], *, numeric_params: bool) -> list[PlainRun]:
    """Sorted by the keys (field, descending), then newest start first, then by id."""
    ties = [(Field(Entity.ATTRIBUTE, "start_time"), True), (Field(Entity.ATTRIBUTE, "run_id"), False)]

    def compare(a: PlainRun, b: PlainRun) -> int:
        for on, descending in [*keys, *ties]:
            (rank_a, value_a), (rank_b, value_b) = (_sorted_by(run, on, numeric_params) for run in (a, b))
            if rank_a != rank_b:
                return rank_a - rank_b
            if value_a != value_b:
                return (1 if value_a > value_b else -1) * (-1 if descending else 1)
        return 0

    key: Callable[[PlainRun], Any] = functools.cmp_to_key(compare)
    return sorted(runs, key=key)


def _sorted_by(run: PlainRun, on: Field, numeric_params: bool) -> tuple[int, Any]:
    """(rank, value): numbers, then NaN or texts, then what is missing."""
    value = _left(run, on)
    if value is None:
        return 9, 0
    if on.entity is Entity.METRIC:
        return (1, 0) if math.isnan(value) else (0, value)
    if on.entity is Entity.PARAM and numeric_params:
        number = number_of(value)
        return (1, value[:200]) if number is None else (0, number)
    return 0, value[:200] if isinstance(value, str) else value
