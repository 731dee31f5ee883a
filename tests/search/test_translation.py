"""Our filters for MLflow's clients: in MLflow's own words where it has them, else marked as ours."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.search.columns import Dialect
from experiments.search.errors import QueryError
from experiments.search.grammar import parse
from experiments.search.translation import asked_by_client, for_client
from experiments.search.vocabularies import RUNS
from tests.search.random_queries import random_query
from tests.search.zoo import found, names


@pytest.mark.parametrize(
    ("text", "order", "filter_string", "order_by"),
    [
        ("", [], "", []),
        ("status = 'failed'", [], "status = 'FAILED'", []),
        ("metrics.val/loss < 0.3 and tags.a = 'b'", [], "metrics.`val/loss` < 0.3 AND tags.a = 'b'", []),
        ("resnet", ["metrics.acc DESC"], "run_name ILIKE '%resnet%'", ["metrics.acc DESC"]),
        ("created > '1970-01-02'", [], "start_time >= 172800000", []),
        ("created = '1970-01-02'", [], "start_time >= 86400000 AND start_time < 172800000", []),
        ("created > 7d", [], "mled: created > 7d", []),
        ("100%", [], "mled: 100%", []),
        ("best(acc) > 0.5 OR resnet", ["run_name ASC"], "mled: best(acc) > 0.5 OR resnet", ["run_name ASC"]),
        ("params.lr IN ('1', '2')", [], "mled: params.lr IN ('1', '2')", []),
        ("", ["params.lr ASC"], "mled:", ["params.lr ASC"]),
        ("status = 'failed'", ["best(metrics.acc) DESC"], "mled: status = 'failed'", ["best(metrics.acc) DESC"]),
        ("", ["duration DESC"], "mled:", ["duration DESC"]),
    ],
)
def test_a_filter_is_said_in_mlflows_words_where_it_has_them(text, order, filter_string, order_by):
    assert for_client(text, order, RUNS) == (filter_string, order_by)


def test_a_marked_filter_is_ours_and_errors_name_its_columns():
    assert asked_by_client("metrics.a > 1") == ("metrics.a > 1", Dialect.MLFLOW)
    text, dialect = asked_by_client(" MLED: metrics.a >> 1")
    assert dialect is Dialect.FULL
    with pytest.raises(QueryError) as caught:
        parse(text, dialect, RUNS)
    assert caught.value.start == " MLED: metrics.a >> 1".index(">>")
    with pytest.raises(QueryError):
        parse("mled: metrics.a > 1", Dialect.MLFLOW, RUNS)


@settings(max_examples=500, deadline=None)
@given(seed=st.integers(), dialect=st.sampled_from(Dialect))
def test_whatever_is_asked_can_be_sent(seed: int, dialect: Dialect):
    filter_string, _ = for_client(str(random_query(Random(seed), dialect)), [], RUNS)
    assert parse(*asked_by_client(filter_string), RUNS)


@pytest.mark.parametrize(
    "text",
    ["created > '1970-01-01'", "created <= '1970-01-01'", "created = '1970-01-01'", "ant", "acc.x OR bee", "NOT elk"],
)
def test_both_ways_find_the_same(zoo, text: str):
    filter_string, _ = for_client(text, [], RUNS)
    sent, dialect = asked_by_client(filter_string)
    assert found(zoo, text) == found(zoo, sent, dialect)


def test_tags_data_and_verdicts_are_asked_by_name(zoo):
    assert found(zoo, "tag = 'team'") == found(zoo, "tag = 'team=vision'") == "a"
    assert found(zoo, "tag = 'team=sound'") == ""
    assert found(zoo, "data = 'mnist'") == found(zoo, "data IN ('mnist v2', 'x')") == "a"
    assert found(zoo, "data != 'mnist'") == "bcdef"
    assert found(zoo, "data = 'mnist v1' AND data = 'mnist v2'") == "a"
    assert found(zoo, "verdict = 'not reviewed'") == "abcdef"
    assert found(zoo, "project_tag IS NOT NULL") == ""
    assert names(zoo, "verdict = 'flagged'") == []
