"""What is no filter, and how the error names the place."""

from random import Random

import pytest

from experiments.search import limits
from experiments.search.columns import Dialect
from experiments.search.errors import QueryError
from experiments.search.grammar import parse
from experiments.search.tree import (
    And,
)
from experiments.search.vocabularies import EXPERIMENTS
from kernel.errors import Invalid
from tests.search.random_queries import random_query
from tests.search.reading import BOTH, FULL, MLFLOW, mistake, only


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
