"""How tests read filters."""

import pytest

from experiments.search.columns import Dialect
from experiments.search.errors import QueryError
from experiments.search.grammar import parse
from experiments.search.tree import (
    Aggregate,
    Comparison,
    Entity,
    Field,
)
from experiments.search.vocabularies import RUNS

FULL, MLFLOW = Dialect.FULL, Dialect.MLFLOW
BOTH = pytest.mark.parametrize("dialect", [MLFLOW, FULL])


def only(text: str, dialect: Dialect = MLFLOW) -> Comparison:
    """The single condition of a filter."""
    node = parse(text, dialect, RUNS)
    assert isinstance(node, Comparison), node
    return node


def mistake(text: str, dialect: Dialect = MLFLOW) -> QueryError:
    """The error that a filter gives."""
    with pytest.raises(QueryError) as caught:
        parse(text, dialect, RUNS)
    error = caught.value
    assert 0 <= error.start <= len(text)
    assert error.start + error.length <= len(text)
    return error


def metric(key: str, aggregate: Aggregate = Aggregate.LAST) -> Field:
    return Field(Entity.METRIC, key, aggregate)
