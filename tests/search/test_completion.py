"""What is wanted at a place of a line that is still being written."""

import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.search.completion import Wanted, place_at
from experiments.search.tree import Aggregate, Entity, Field, Op
from experiments.search.vocabularies import RUNS
from tests.search.reading import metric

STATUS = Field(Entity.ATTRIBUTE, "status")


@pytest.mark.parametrize(
    ("text", "wanted", "typed", "field"),
    [
        ("|", Wanted.KEY, "", None),
        ("met|", Wanted.KEY, "met", None),
        ("metrics.val/lo|", Wanted.KEY, "metrics.val/lo", None),
        ("metrics.`val lo|", Wanted.KEY, "metrics.val lo", None),
        ("metrics.`val loss`|", Wanted.KEY, "metrics.val loss", None),
        ("NOT (params.|", Wanted.KEY, "params.", None),
        ("best(|", Wanted.METRIC, "", None),
        ("best(val/a|", Wanted.METRIC, "val/a", None),
        ("best(acc) |", Wanted.OPERATOR, "", metric("acc", Aggregate.BEST)),
        ("status |", Wanted.OPERATOR, "", STATUS),
        ("status L|", Wanted.OPERATOR, "L", STATUS),
        ("status = |", Wanted.VALUE, "", STATUS),
        ("status ='fa|", Wanted.VALUE, "fa", STATUS),
        ("status = 'failed'|", Wanted.VALUE, "failed", STATUS),
        ("status = 'failed' |", Wanted.JOINER, "", STATUS),
        ("status = 'failed' an|", Wanted.JOINER, "an", STATUS),
        ("status IN |", Wanted.LIST, "", STATUS),
        ("status NOT IN ('failed', '|", Wanted.VALUE, "", STATUS),
        ("status IN ('failed' |", Wanted.JOINER, "", STATUS),
        ("status IN ('failed') |", Wanted.JOINER, "", None),
        ("params.lr IS |", Wanted.NULLNESS, "", Field(Entity.PARAM, "lr")),
        ("params.lr IS NOT |", Wanted.NULLNESS, "", Field(Entity.PARAM, "lr")),
        ("params.lr IS NULL |", Wanted.JOINER, "", None),
        ("gru |", Wanted.OPERATOR, "", None),
        ("gru AND sta|", Wanted.KEY, "sta", None),
        ("(a OR status = 'x') |", Wanted.JOINER, "", STATUS),
        ("tags.`a``b` = '|", Wanted.VALUE, "", Field(Entity.TAG, "a`b")),
    ],
)
def test_the_place_tells_what_is_wanted(text: str, wanted: Wanted, typed: str, field: Field | None):
    place = place_at(text.replace("|", ""), text.index("|"), RUNS)
    assert place is not None
    assert (place.wanted, place.typed, place.field) == (wanted, typed, field)


@pytest.mark.parametrize("text", ["'x' = |", "status = = |", ") |", "status IN 'a' |", "foo(|", "a; |", "x > 1 y |"])
def test_where_nothing_fits_nothing_is_wanted(text: str):
    assert place_at(text.replace("|", ""), text.index("|"), RUNS) is None


def test_the_word_around_the_place_is_replaced_and_nothing_else():
    text = "status = 'failed' AND params.lr = '1'"
    place = place_at(text, text.index("iled"), RUNS)
    assert place is not None
    assert text[place.start : place.end] == "'failed'"
    place = place_at(text, text.index("ams.lr"), RUNS)
    assert place is not None
    assert (text[place.start : place.end], place.typed) == ("params.lr", "par")


def test_a_list_remembers_its_operator():
    place = place_at("tag NOT IN ('a', ", 17, RUNS)
    assert place is not None
    assert (place.op, place.in_list) == (Op.NOT_IN, True)


@settings(max_examples=800, deadline=None)
@given(st.text(string.printable, max_size=40), st.integers(-2, 50))
def test_any_text_has_a_place_within_it_or_none(text: str, at: int):
    place = place_at(text, at, RUNS)
    assert place is None or 0 <= place.start <= place.end <= len(text)
