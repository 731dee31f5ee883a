"""Which conditions of a filter hold for few, looked up before the search itself is planned."""

import dataclasses
import time
from collections.abc import Callable, Sequence
from typing import Final

from django.db import connection

from experiments.search.compile import Compiler, is_numeric
from experiments.search.databases import TRUE, Sql, fetch
from experiments.search.limits import FEW, MANY, MAX_PROBES, PLANNED
from experiments.search.tree import Aggregate, And, Comparison, Entity, Node, Op, comparisons

REMEMBERED_SECONDS: Final = 30  # how many hold a condition only says where to start: the result is the same either way
_REMEMBERED_AT_MOST: Final = 2_000
_PAGE: Final = 100  # runs that a page shows, mostly
_LISTED, _LOOKED_AT = 0.6, 4.0  # what it costs to list one more run of a condition, and to look at one
_remembered: dict[object, tuple[float, tuple[int, ...]]] = {}


def with_rare_conditions(compiler: Compiler, node: Node, few: int | None = None) -> Compiler:
    """Look first which conditions hold for few (None: FEW).

    A search that starts from a list of few is quick, and so is one that walks the order and stops when its page is
    full; the other way round each reads the whole experiment. SQLite has no statistics unless told to make them, and
    PostgreSQL's mix the values of all keys: a metric above 77 was common to it, because the seconds of a run are, and
    1,000,000 runs were walked for nothing (690 ms; so 2). 0.1 ms for each condition, in one statement, and what it
    said is remembered for half a minute.
    """
    if not compiler.scope.within:
        return compiler
    asked = [c for c in comparisons(node) if compiler.lists(c)][:MAX_PROBES]
    rare = _to_start_from(compiler, node, asked, few) if asked else frozenset()
    unsure = not rare and not any(_is_indexed(c) for c in asked)
    if compiler.plans_itself and unsure and len(asked) <= PLANNED and len(compiler.scope.within) == 1:
        return compiler
    return dataclasses.replace(compiler, rare=rare)


def forget() -> None:
    """Have everything counted anew."""
    _remembered.clear()


def _to_start_from(
    compiler: Compiler, node: Node, asked: Sequence[Comparison], few: int | None
) -> frozenset[Comparison]:
    """Those of the conditions that hold for few, or whose key few have at all where no index leads to the values; on
    PostgreSQL, which intersects lists of runs well, those that hold for more, too, where that is less than a walk."""
    enough = FEW if few is None else few
    weighs = few is None and compiler.plans_itself
    counts = _counts(compiler, asked, max(enough, MANY) if weighs else enough)
    rare = frozenset(one for one, count in zip(asked, counts, strict=True) if count < enough)
    if rare or not weighs:
        return rare
    terms = node.terms if isinstance(node, And) else (node,)
    held = {one: count for one, count in zip(asked, counts, strict=True) if count < MANY and one in terms}
    return frozenset(held) if held and _lists_cost_less(compiler, list(held.values())) else rare


def _lists_cost_less(compiler: Compiler, counts: Sequence[int]) -> bool:
    """Whether to list the runs of these conditions costs less than to walk an order until a page is full of those that
    satisfy all of them, as if the conditions had nothing to do with each other."""
    runs = _runs_known(compiler)
    satisfying = float(runs)
    for count in counts:
        satisfying *= min(count, runs) / max(runs, 1)
    walk = runs * min(1.0, _PAGE / max(satisfying, 1.0)) * _LOOKED_AT
    return sum(counts) * _LISTED + satisfying * _LOOKED_AT < walk


def is_among_many(compiler: Compiler) -> bool:
    """Whether the named experiments hold so many runs that sorting them takes long."""
    return bool(compiler.scope.within) and _runs_known(compiler) >= MANY * 5


def _runs_known(compiler: Compiler) -> int:
    return remembering(("runs", compiler.scope.within), lambda: _runs_in(compiler))[0]


def _runs_in(compiler: Compiler) -> tuple[int, ...]:
    """How many runs the experiments hold, as far as it matters."""
    inside = compiler.database.among("r.experiment_id", compiler.scope.within)
    statement = f"SELECT COUNT(*) FROM (SELECT 1 FROM experiments_run r WHERE {inside.text} LIMIT {MANY * 5}) f"  # noqa: S608
    return tuple(fetch(Sql(statement, inside.params), by_index=True)[0])


def _counts(compiler: Compiler, asked: Sequence[Comparison], stop: int) -> tuple[int, ...]:
    """For how many each condition holds, counted up to so many."""
    return remembering((compiler.scope.within, tuple(asked), stop), lambda: _counted(compiler, asked, stop))


def _counted(compiler: Compiler, asked: Sequence[Comparison], stop: int) -> tuple[int, ...]:
    held = [compiler.holders(node, compiler.test(node) if _is_indexed(node) else TRUE) for node in asked]
    counts = ", ".join(f"(SELECT COUNT(*) FROM ({one.text} LIMIT {stop}) f)" for one in held)  # noqa: S608
    [found] = fetch(Sql(f"SELECT {counts}", tuple(param for one in held for param in one.params)), by_index=True)
    return tuple(found)


def remembering(question: object, ask: Callable[[], tuple[int, ...]]) -> tuple[int, ...]:
    """What was counted within the last half minute, or is now. question: names all that it depends on."""
    key, now = (connection.settings_dict["NAME"], question), time.monotonic()
    known = _remembered.get(key)
    if known is not None and known[0] > now:
        return known[1]
    if len(_remembered) >= _REMEMBERED_AT_MOST:
        _remembered.clear()
    counts = ask()
    _remembered[key] = (now + REMEMBERED_SECONDS, counts)
    return counts


def _is_indexed(node: Comparison) -> bool:
    """Whether an index leads from the key to the values that satisfy it, so that a look at a few reads only these."""
    if node.value is None or node.op in (Op.NE, Op.NOT_IN):
        return False
    if node.field.entity is Entity.METRIC:
        return node.field.aggregate is Aggregate.LAST
    return is_numeric(node.value) or node.op in (Op.EQ, Op.IN)
