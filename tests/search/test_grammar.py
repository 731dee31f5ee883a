"""Filters: text to tree, for both dialects."""

import datetime as dt
from pathlib import Path

import pytest

from experiments.search.grammar import parse
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
    Not,
    Op,
    Or,
    Words,
)
from experiments.search.vocabularies import RUNS
from tests.search.reading import BOTH, FULL, metric, mistake, only

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


def test_the_examples_of_the_documentation_are_filters():
    guide = (Path(__file__).parents[2] / "docs" / "query-language.md").read_text()
    examples = guide.split("```")[1].strip().splitlines()
    assert len(examples) == 3
    for example in examples:
        assert parse(example, FULL, RUNS) != EVERYTHING
