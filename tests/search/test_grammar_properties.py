"""Whatever the text, the answer is a tree or an error with its place; what is printed reads back."""

import string
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.search.columns import Dialect
from experiments.search.errors import QueryError
from experiments.search.grammar import parse
from experiments.search.ordering import parse_order
from experiments.search.tree import (
    Comparison,
    Entity,
    Field,
    Node,
    Op,
)
from experiments.search.vocabularies import RUNS
from tests.search.random_queries import random_query
from tests.search.reading import mistake

PIECES = [
    "metrics",
    "params.",
    "tags",
    ".",
    "`",
    '"',
    "'",
    "(",
    ")",
    ",",
    ";",
    "=",
    "!=",
    "<",
    ">=",
    "LIKE",
    "in",
    "NOT",
    "is",
    "NULL",
    "AND",
    "or",
    "best(",
    "status",
    "created",
    "run_id",
    "dataset.name",
    "'x'",
    "1",
    "-1e3",
    "7d",
    "2026-01-01",
    "é",
    "%",
]
TEXT = (
    st.text(max_size=60)
    | st.lists(st.sampled_from([*PIECES, " ", "\n"]), max_size=25).map("".join)
    | st.text(string.printable)
)


@settings(max_examples=1500, deadline=None)
@given(text=TEXT, dialect=st.sampled_from(Dialect))
def test_any_text_is_a_tree_or_an_error_with_its_place(text, dialect):
    try:
        node = parse(text, dialect, RUNS)
    except QueryError:
        mistake(text, dialect)
    else:
        assert parse(str(node), dialect, RUNS) == node


@settings(max_examples=500, deadline=None)
@given(text=TEXT, dialect=st.sampled_from(Dialect))
def test_any_order_is_a_key_or_an_error(text, dialect):
    try:
        key = parse_order(text, dialect, RUNS)
    except QueryError as error:
        field = error.field
    else:
        assert parse_order(str(key), dialect, RUNS) == key
        return
    assert field == "order_by"


@settings(max_examples=1000, deadline=None)
@given(seed=st.integers(), dialect=st.sampled_from(Dialect))
def test_a_printed_tree_parses_back_to_itself(seed, dialect):
    node = random_query(Random(seed), dialect)
    assert parse(str(node), dialect, RUNS) == node


@settings(max_examples=300, deadline=None)
@given(
    key=st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=30),
    value=st.text(st.characters(codec="utf-8", exclude_characters="\0")),
)
def test_any_key_and_any_value_can_be_written(key, value):
    node: Node = Comparison(Field(Entity.TAG, key), Op.EQ, value)
    for dialect in Dialect:
        assert parse(str(node), dialect, RUNS) == node
