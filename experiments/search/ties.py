"""Orders by a value that many runs share, such as a param of few values.

An index has the order of the values, and no index that of the starts among the many with the same one: they were read
and sorted whole for each page. Here the value that a page ends with is looked up first; what comes before it are a few
rows, and those that share it are walked from the newest run until the page is full.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from experiments.search.compile import Compiler
from experiments.search.databases import Sql, fetch, joined
from experiments.search.limits import SHARED, TEXT_INDEX_LENGTH
from experiments.search.ordering import OrderKey, Stage, Value
from experiments.search.rare import remembering
from experiments.search.statement import Lane, Statement, Walks
from experiments.search.tree import Comparison, Node, Op


@dataclass(frozen=True, slots=True)
class Ties:
    """The one key of an order, and where to follow the starts of runs."""

    key: OrderKey
    node: Node
    compiler: Compiler
    walks: Walks | None

    def rows(self, statement: Statement, stage: Stage, position: Sequence[object] | None, limit: int) -> list[Any]:
        """The rows of a stage, the same and in the same order as its one statement gives them."""
        if position is None or not self.is_shared(position[0]):
            return self.beyond(statement, statement, stage, position, limit)
        found = fetch(self.sharing(statement, position[0]).of_stage(stage, position, limit))
        if len(found) < limit:
            rest = _bounded(statement, stage.values[0], position[0], beyond=True)
            found += self.beyond(statement, rest, stage, None, limit - len(found))
        return found

    def beyond(
        self, statement: Statement, rest: Statement, stage: Stage, position: Sequence[object] | None, limit: int
    ) -> list[Any]:
        """From the start, or after a row whose value few share. rest: the rows of the statement that are asked for."""
        stretch = (str(rest.where), stage.condition.text, position and position[0])
        asked = (self.compiler.scope.within, self.key, str(self.node), stretch)
        [ends_shared] = remembering(asked, lambda: (int(self.is_shared(_last(rest, stage, position, limit))),))
        last = _last(rest, stage, position, limit) if ends_shared else None
        if last is None or not self.is_shared(last):  # what is remembered may be of a shorter page
            return fetch(rest.of_stage(stage, position, limit))
        short = _bounded(rest, stage.values[0], last, beyond=False)
        found = fetch(short.of_stage(stage, position, limit))
        if len(found) < limit:
            found += fetch(self.sharing(statement, last).of_stage(stage, None, limit - len(found)))
        if len(found) < limit:  # some went meanwhile: the page does not end for that
            further = _bounded(rest, stage.values[0], last, beyond=True)
            found += fetch(further.of_stage(stage, None, limit - len(found)))
        return found

    def sharing(self, statement: Statement, value: Any) -> Statement:
        """Those with this value, walked by their starts."""
        node, probing = self._has(value), replace(self.compiler, rare=frozenset())
        lane = Lane(value, probing.holder(node, probing.test(node)), self.compiler.database.constant(value))
        return replace(statement, lanes=(lane,), walks=self.walks, where_walked=None)

    def is_shared(self, value: Any) -> bool:
        """Whether so many hold it that walking the runs costs less than sorting them; never of a text that was cut."""
        if value is None or (isinstance(value, str) and len(value) >= TEXT_INDEX_LENGTH):
            return False
        node = self._has(value)
        held = self.compiler.holders(node, self.compiler.test(node))
        statement = Sql(f"SELECT COUNT(*) FROM ({held.text} LIMIT {SHARED}) f", held.params)  # noqa: S608
        asked = (self.compiler.scope.within, node)
        return remembering(asked, lambda: tuple(fetch(statement, by_index=True)[0]))[0] == SHARED

    def _has(self, value: Any) -> Comparison:
        return Comparison(self.key.field, Op.EQ, value)


def _last(statement: Statement, stage: Stage, position: Sequence[object] | None, limit: int) -> Any:
    """The value that the page ends with, or one behind it; None where the page is not filled."""
    alone = Stage(stage.condition, stage.values[:1], has_first_key=True)
    rows = fetch(statement.found(alone, position and position[:1], limit))
    return rows[-1][1] if len(rows) == limit else None


def _bounded(statement: Statement, value: Value, edge: Any, *, beyond: bool) -> Statement:
    """The rows beyond a value, or short of it, in the direction of the order."""
    sign = ">" if beyond is not value.descending else "<"
    bound = Sql(f"{value.sql.text} {sign} %s", (*value.sql.params, edge))
    walked = statement.where_walked and joined("AND", [statement.where_walked, bound])
    return replace(statement, where=joined("AND", [statement.where, bound]), where_walked=walked)
