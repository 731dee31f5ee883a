"""Filters: text to tree, for both dialects, and errors that name the place."""

import datetime as dt
import string
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.search import limits
from experiments.search.columns import Dialect
from experiments.search.errors import QueryError
from experiments.search.grammar import parse
from experiments.search.ordering import parse_order
from experiments.search.tree import (
    EVERYTHING,
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
from experiments.search.vocabularies import EXPERIMENTS, RUNS
from kernel.errors import Invalid
from tests.search.random_queries import random_query

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


# What both dialects know.


@BOTH
@pytest.mark.parametrize("text", ["", " ", "\n\t"])
def test_an_empty_filter_matches_everything(dialect, text):
    assert parse(text, dialect, RUNS) == EVERYTHING


@BOTH
@pytest.mark.parametrize(
    ("prefix", "entity"),
    [
        ("metric", Entity.METRIC),
        ("metrics", Entity.METRIC),
        ("param", Entity.PARAM),
        ("params", Entity.PARAM),
        ("parameter", Entity.PARAM),
        ("parameters", Entity.PARAM),
        ("tag", Entity.TAG),
        ("tags", Entity.TAG),
    ],
)
def test_entity_words_in_singular_and_plural(dialect, prefix, entity):
    value = "1" if entity is Entity.METRIC else "'1'"
    assert only(f"{prefix}.x = {value}", dialect).field == Field(entity, "x")


@BOTH
@pytest.mark.parametrize("prefix", ["attribute.", "attributes.", "attr.", "run.", ""])
def test_an_attribute_needs_no_prefix(dialect, prefix):
    found = only(f"{prefix}status = 'FINISHED'", dialect)
    assert found == Comparison(Field(Entity.ATTRIBUTE, "status"), Op.EQ, "FINISHED")


@BOTH
@pytest.mark.parametrize("written", ["params.`a b/c`", 'params."a b/c"', "`params`.`a b/c`"])
def test_keys_with_odd_characters_are_quoted_by_backticks_or_double_quotes(dialect, written):
    assert only(f"{written} = 'x'", dialect).field == Field(Entity.PARAM, "a b/c")


@BOTH
def test_only_the_first_dot_splits_entity_and_key(dialect):
    assert only("tags.mlflow.source.name = 'x'", dialect).field == Field(Entity.TAG, "mlflow.source.name")
    assert only("metrics.`a.b` = 1", dialect).field == metric("a.b")


@BOTH
@pytest.mark.parametrize(
    ("written", "op"),
    [("like", Op.LIKE), ("iLike", Op.ILIKE), ("is  not\nnull", Op.IS_NOT_NULL), ("Is Null", Op.IS_NULL)],
)
def test_operators_are_case_insensitive(dialect, written, op):
    value = " 'x'" if op in (Op.LIKE, Op.ILIKE) else ""
    assert only(f"params.a {written}{value}", dialect).op is op
    assert parse(f"params.a {written}{value} And params.b = 'x'", dialect, RUNS) == And(
        (only(f"params.a {written}{value}", dialect), only("params.b = 'x'", dialect))
    )


@BOTH
@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("1", 1),
        ("-1", -1),
        (".5", 0.5),
        ("1.", 1.0),
        ("1e-3", 1e-3),
        ("-2.5E+3", -2500.0),
        ("9223372036854775808", 2.0**63),
    ],
)
def test_a_metric_is_compared_with_any_written_number(dialect, written, value):
    assert only(f"metrics.a>={written}", dialect) == Comparison(metric("a"), Op.GE, value)


@BOTH
@pytest.mark.parametrize(
    ("written", "value"),
    [("'it''s'", "it's"), ('"it\'s"', "it's"), ("'say \"hi\"'", 'say "hi"'), ("''", ""), ("' a\n b '", " a\n b ")],
)
def test_values_stand_in_single_or_double_quotes_and_contain_the_other_kind(dialect, written, value):
    assert only(f"params.a = {written}", dialect).value == value


@BOTH
@pytest.mark.parametrize("alias", ["created", "Created", "attributes.created", "`Created`"])
def test_created_means_start_time(dialect, alias):
    assert only(f"{alias} > 5", dialect) == Comparison(Field(Entity.ATTRIBUTE, "start_time"), Op.GT, 5)


@BOTH
@pytest.mark.parametrize("alias", ["`run name`", '"Run name"', "attr.`Run Name`", "run_name"])
def test_run_name_has_the_names_that_the_web_page_shows(dialect, alias):
    assert only(f"{alias} = 'x'", dialect).field.key == "run_name"


@BOTH
def test_run_ids_may_be_a_list(dialect):
    found = only("attributes.run_id NOT IN ('a', \"b\",)", dialect)
    assert found == Comparison(Field(Entity.ATTRIBUTE, "run_id"), Op.NOT_IN, ("a", "b"))


@BOTH
@pytest.mark.parametrize("key", ["name", "digest", "context"])
@pytest.mark.parametrize("rest", ["= 'x'", "!= 'x'", "LIKE 'x%'", "ILIKE 'X'", "IN ('x', 'y')", "NOT IN ('x')"])
def test_datasets_by_name_digest_and_context(dialect, key, rest):
    assert only(f"datasets.{key} {rest}", dialect).field == Field(Entity.DATASET, key)


@BOTH
@pytest.mark.parametrize(
    "text",
    [
        "metrics.a = '1'",
        "metrics.a = one",
        "metrics.a LIKE 'x'",
        "params.a = 1x",
        "params.a = x",
        "tags.a = 1",
        "tags.a > '1'",
        "status = FINISHED",
        "status > 'FINISHED'",
        "start_time = '5x'",
        "start_time LIKE '5'",
        "run_name = `x`",
        "dataset.profile = 'x'",
        "dataset.name > 'x'",
        "m.a > 1",
        "metrics. > 1",
        "metrics.`` > 1",
        "acc > 1",
        "params.a =",
        "params.a",
        "params.a = 'x' AND",
        "AND params.a = 'x'",
        "params.a = 'x' params.b = 'y'",
        "params.a = 'x'; params.b = 'y'",
        "params.a = 'x';",
        "params.a = 'x' NAND params.b = 'y'",
        "params.a == 'x'",
        "params.a <> 'x'",
        "params.a = 'x",
        "params.'a = 'x'",
        "`metrics.a > 1",
        "metrics`.a > 1",
        "1 = 1",
        "'a' = 'a'",
        "run_id IN ()",
        "run_id IN (1)",
        "run_id IN 'a'",
        "run_id IN ('a' 'b')",
        "run_id IN ('a'",
        "params.a IS 'x'",
        "params.a NOT LIKE 'x'",
        "params.a = 'x\0'",
        "params.a = '\ud800'",
        ")",
        "=",
        "IN",
    ],
)
def test_what_is_wrong_in_both_dialects(dialect, text):
    error = mistake(text, dialect)
    assert isinstance(error, Invalid)
    assert error.reason
    assert f"Column {error.start + 1}" in str(error)


# MLflow's dialect.


@pytest.mark.parametrize(
    "text",
    [
        "metrics.a > 1 OR metrics.b > 1",
        "(metrics.a > 1)",
        "metrics.a > 1 AND (metrics.b > 1)",
        "NOT metrics.a > 1",
        "best(metrics.a) > 1",
        "resnet",
        "metrics.a IN (1, 2)",
        "params.a IN ('x')",
        "tags.a NOT IN ('x')",
        "status IN ('FINISHED')",
        "metrics.a IS NULL",
        "end_time IS NULL",
        "dataset.name IS NULL",
        "params.lr < 1",
        "params.lr = 1",
        "start_time > '2026-01-01'",
        "start_time > 7d",
        "metrics.a > inf",
        "metrics.a/b > 1",
        "params.a-b = 'x'",
        "Metrics.a > 1",
        "STATUS = 'FINISHED'",
        "name = 'x'",
        "experiment = 'x'",
        "duration > '2h'",
        "locked = true",
        "attribute.lifecycle_stage = 'active'",
    ],
)
def test_mlflows_dialect_knows_no_more_than_mlflow(text):
    mistake(text)


def test_an_unknown_status_is_no_mistake_for_mlflow():
    assert only("status = 'unheard of'").value == "unheard of"


def test_the_mlflow_client_library_accepts_what_we_accept():
    """The peer's own parser reads every random filter of its dialect that we write."""
    peer = pytest.importorskip("mlflow.utils.search_utils").SearchUtils
    for seed in range(300):
        node = random_query(Random(seed), MLFLOW)
        text = str(node)
        if any(odd in text for odd in ("e+", "''", "\\")):
            continue  # exponents with a plus and doubled quotes are ours
        expected = len(node.terms) if isinstance(node, And) else 1
        assert len(peer.parse_search_filter(text)) == expected, text


# Our own dialect.


def test_not_binds_tighter_than_and_which_binds_tighter_than_or():
    a, b, c = (only(f"metrics.{key} > 1") for key in "abc")
    assert parse("metrics.a > 1 OR NOT metrics.b > 1 AND metrics.c > 1", FULL, RUNS) == Or((a, And((Not(b), c))))
    assert parse("(metrics.a > 1 OR NOT metrics.b > 1) AND metrics.c > 1", FULL, RUNS) == And((Or((a, Not(b))), c))


@pytest.mark.parametrize("text", ["best(val/auc) > 1", "BEST( metrics.val/auc ) > 1", "best(metrics.`val/auc`) > 1"])
def test_an_aggregate_takes_a_metric_with_or_without_its_prefix(text):
    assert only(text, FULL) == Comparison(metric("val/auc", Aggregate.BEST), Op.GT, 1)


def test_last_is_what_a_metric_means_anyway():
    assert only("last(metrics.a) > 1", FULL) == only("metrics.a > 1", FULL)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("created > '2026-01-31'", Day(dt.date(2026, 1, 31))),
        ("created > 2026-01-31", Day(dt.date(2026, 1, 31))),
        ("created > '1970-01-01T01:00Z'", Instant(3_600_000)),
        ("created > '1970-01-01 01:00:00.5+01:00'", Instant(500)),
        ("created > '7d'", Ago(7, "d")),
        ("created > 90m", Ago(90, "m")),
        ("created > '2 weeks'", Ago(2, "w")),
        ("created > 1234", 1234),
        ("duration > '2h'", Ago(2, "h")),
    ],
)
def test_times_are_written_as_dates_or_spans(text, value):
    assert only(text, FULL).value == value


@pytest.mark.parametrize(
    "text", ["created > '2026-13-01'", "created > 'soon'", "created = '7d'", "duration > 60", "duration > 'x'"]
)
def test_times_that_mean_nothing_are_refused(text):
    mistake(text, FULL)


def test_a_status_is_written_in_our_words_or_the_wires():
    assert only("status = 'stopped'", FULL).value == only("status = 'Killed'", FULL).value == "KILLED"
    error = mistake("status = 'finishd'", FULL)
    assert (error.start, error.length, error.suggestion) == (9, 9, "'finished'")


def test_bare_words_search_the_name():
    assert parse("resnet 'big one' AND status = 'running'", FULL, RUNS) == And(
        (Words(("resnet", "big one")), only("status = 'running'", FULL))
    )


def test_a_misspelt_and_is_not_a_word_to_search_for():
    error = mistake("metrics.a > 1 adn metrics.b < 2", FULL)
    assert (error.start, error.length, error.suggestion) == (14, 3, "AND")


def test_a_number_makes_a_param_a_number_and_a_text_leaves_it_text():
    assert only("params.lr = 0.001", FULL).value == 0.001
    assert only("params.lr = '0.001'", FULL).value == "0.001"
    assert only("params.lr in (1, 2.5)", FULL).value == (1, 2.5)
    assert mistake("params.lr < '0.001'", FULL).suggestion == "0.001"
    mistake("params.lr IN (1, 'a')", FULL)


@pytest.mark.parametrize(
    ("text", "start", "length", "suggestion"),
    [
        ("actor = 'ada' AND acton != 'x'", 0, 5, "author"),
        ("statu = 'x'", 0, 5, "status"),
        ("metrcs.a > 1", 0, 6, "metrics"),
        ("params.a = x", 11, 1, "'x'"),
        ("metrics.a > '1'", 12, 3, "1"),
        ("params.a lik 'x'", 9, 3, "LIKE"),
        ("dataset.nam = 'x'", 8, 3, "name"),
        ("metrics.a == 1", 10, 2, "="),
    ],
)
def test_an_error_underlines_the_place_and_says_what_was_meant(text, start, length, suggestion):
    error = mistake(text, FULL)
    assert (error.start, error.length, error.suggestion) == (start, length, suggestion)


def test_an_odd_key_without_quotes_is_shown_with_them():
    error = mistake("metrics.val/auc > 1")
    assert (error.start, error.length, error.suggestion) == (8, 7, "`val/auc`")


@pytest.mark.parametrize(
    "text",
    [
        "metrics.a > 1 AND " * limits.MAX_TERMS + "metrics.a > 1",
        "(" * (limits.MAX_DEPTH + 1) + "metrics.a > 1" + ")" * (limits.MAX_DEPTH + 1),
        "NOT " * 10_000 + "metrics.a > 1",
        "(" * 60_000,
        "x" * (limits.MAX_TEXT + 1),
        f"params.a LIKE '{'%a' * limits.MAX_PATTERN}'",
        f"params.`{'k' * (limits.MAX_KEY + 1)}` = 'x'",
        f"run_id IN ({','.join(['1'] * (limits.MAX_LIST + 1))})".replace("1", "'1'"),
        " ".join(["word"] * (limits.MAX_TERMS + 1)),
    ],
)
def test_a_filter_that_asks_too_much_is_refused(text):
    assert mistake(text, FULL).reason


def test_experiments_have_no_metrics():
    for dialect in Dialect:
        with pytest.raises(QueryError):
            parse("metrics.x > 1", dialect, EXPERIMENTS)
        with pytest.raises(QueryError):
            parse("name > 'a'", dialect, EXPERIMENTS)
        assert parse("tags.`a b` = 'x' AND name ILIKE 'v%'", dialect, EXPERIMENTS)


# Properties.

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
