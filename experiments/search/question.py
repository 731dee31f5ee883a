"""What a search is asked, whatever it looks for: a filter, an order, which of them by life, and how many at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from experiments.gone import still_there
from experiments.search.compile import Compiler
from experiments.search.databases import TRUE, Sql, joined
from experiments.search.limits import MAX_PAGE
from experiments.search.ordering import OrderKey, SortKey, column_key
from experiments.search.tree import Entity, Node
from experiments.values import Lifecycle
from kernel.errors import Invalid
from kernel.paging import question_digest


class View(StrEnum):
    """Which of them, by life: as the MLflow protocol names it."""

    ACTIVE_ONLY = "ACTIVE_ONLY"
    DELETED_ONLY = "DELETED_ONLY"
    ALL = "ALL"


@dataclass(frozen=True, slots=True)
class Question:
    """A search as it was read: limit rows at most, which satisfy node."""

    node: Node
    order: tuple[OrderKey, ...]
    view: View
    limit: int

    def digest(self, scope: object) -> str:
        """What a page token is bound to."""
        return question_digest(str(self.node), [str(key) for key in self.order], self.view.value, scope)


def where_of(asked: Question, compiler: Compiler, scope: Sql) -> Sql:
    """The whole condition: within the scope, of the asked life, and what the filter says."""
    column = f"{compiler.alias}.lifecycle = %s"
    life = {
        View.ACTIVE_ONLY: Sql(column, (Lifecycle.ACTIVE.value,)),
        View.DELETED_ONLY: Sql(column, (Lifecycle.DELETED.value,)),
        View.ALL: TRUE,
    }
    return joined("AND", [scope, life[asked.view], compiler.where(asked.node)])


def run_where(asked: Question, compiler: Compiler) -> Sql:
    """The same for runs, within the scope of their compiler."""
    by_list = compiler.starts_from_list(asked.node)
    where = where_of(asked, compiler, compiler.scope.condition(compiler.database, by_list=by_list))
    return where if asked.view is View.ACTIVE_ONLY else joined("AND", [where, still_there(compiler.alias)])


def checked_limit(limit: int) -> int:
    """The limit itself. Raises Invalid."""
    if not 1 <= limit <= MAX_PAGE:
        raise Invalid(f"A page holds 1 to {MAX_PAGE:,} results, not {limit:,}.", field="max_results")
    return limit


def tie_keys(order: Sequence[OrderKey], compiler: Compiler, names: Sequence[tuple[str, bool]]) -> list[SortKey]:
    """What tells rows apart that the asked keys do not, left out where it was asked for."""
    asked = {key.field.key for key in order if key.field.entity is Entity.ATTRIBUTE}
    collation = compiler.database.collation
    columns = compiler.vocabulary.columns
    return [
        column_key(columns[name], descending=down, collation=collation) for name, down in names if name not in asked
    ]


def run_tie_keys(order: Sequence[OrderKey], compiler: Compiler) -> list[SortKey]:
    """The same for runs: the newest first."""
    return tie_keys(order, compiler, [("start_time", True), ("run_id", False)])
