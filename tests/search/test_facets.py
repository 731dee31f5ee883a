"""What forms make of a filter: each condition is read alone, written back alone, and leaves the others as they are."""

import datetime as dt
import string
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.search.columns import Dialect
from experiments.search.errors import QueryError
from experiments.search.facets import Bound, Choice, Facet, Mode, Named, Range, Single, read, written
from experiments.search.grammar import parse
from experiments.search.tree import Aggregate, Ago, Comparison, Day, Entity, Field, Op
from experiments.search.vocabularies import RUNS
from tests.search.random_queries import random_query
from tests.search.reading import metric

FULL = Dialect.FULL


def attribute(name: str) -> Field:
    return Field(Entity.ATTRIBUTE, name)


@pytest.mark.parametrize(
    ("text", "facet"),
    [
        ("gru 'big one'", Named(("gru", "big one"))),
        ("status = 'FAILED'", Choice(attribute("status"), ("failed",))),
        ("status NOT IN ('failed', 'stopped')", Choice(attribute("status"), ("failed", "stopped"), Mode.NONE)),
        ("NOT status = 'failed'", Choice(attribute("status"), ("failed",), Mode.NONE)),
        ("tag IN ('a', 'b=c')", Choice(attribute("tag"), ("a", "b=c"))),
        ("tag = 'a' AND created > 7d AND tag = 'b'", Choice(attribute("tag"), ("a", "b"), Mode.ALL)),
        ("NOT tag IN ('a', 'b')", Choice(attribute("tag"), ("a", "b"), Mode.NONE)),
        ("params.arch IN ('gru', 'tcn')", Choice(Field(Entity.PARAM, "arch"), ("gru", "tcn"))),
        (
            "best(acc) >= 0.5 AND best(metrics.acc) < 1",
            Range(metric("acc", Aggregate.BEST), Bound(Op.GE, 0.5), Bound(Op.LT, 1)),
        ),
        ("created > 7d", Range(attribute("start_time"), Bound(Op.GT, Ago(7, "d")))),
        (
            "created <= '2026-01-31' AND created >= '2026-01-01'",
            Range(
                attribute("start_time"),
                Bound(Op.GE, Day(dt.date(2026, 1, 1))),
                Bound(Op.LE, Day(dt.date(2026, 1, 31))),
            ),
        ),
        ("locked = true", Single(Comparison(attribute("locked"), Op.EQ, True))),
        ("params.note LIKE 'x%'", Single(Comparison(Field(Entity.PARAM, "note"), Op.LIKE, "x%"))),
    ],
)
def test_a_form_knows_these_conditions(text: str, facet: Facet):
    assert read(text, RUNS).facets[0] == facet


@pytest.mark.parametrize(
    "text",
    [
        "status = 'failed' OR status = 'stopped'",
        "(metrics.a > 1 AND metrics.b > 1)",
        "NOT params.lr = '1'",
        "NOT gru",
        "NOT (tag = 'a')",
    ],
)
def test_what_no_form_knows_is_left_to_the_line(text: str):
    line = read(text, RUNS)
    if text == "NOT (tag = 'a')":  # brackets around one condition are none
        assert line.facets == [Choice(attribute("tag"), ("a",), Mode.NONE)]
        return
    assert [piece.facet for piece in line.pieces] == [None]
    assert line.text_of(line.pieces[0]) == text
    assert line.added(["locked = true"]) == f"{f'({text})' if ' OR ' in text else text} AND locked = true"


def test_two_values_of_one_thing_are_no_alternative():
    line = read("params.lr = '1' AND params.lr = '2' AND metrics.a > 1 AND metrics.a > 2", RUNS)
    assert len(line.pieces) == 4


def test_a_piece_is_changed_and_taken_out_where_it_stands():
    line = read("metrics.a  >  1 and (x OR y) AND status='failed' AND metrics.a <9", RUNS)
    bounds, status, rest = line.pieces
    assert line.replaced(status, []) == "metrics.a  >  1 AND (x OR y) AND metrics.a <9"
    assert line.replaced(bounds, ["locked = true"]) == "locked = true AND (x OR y) AND status='failed'"
    assert line.replaced(rest, []) == "metrics.a  >  1 AND status='failed' AND metrics.a <9"
    assert read("x", RUNS).replaced(read("x", RUNS).pieces[0], []) == ""


KEYS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=12)
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=9).filter(str.strip)
NUMBERS = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
DAYS = st.dates().map(Day)
VALUES = st.lists(TEXTS, min_size=1, max_size=4, unique=True).map(tuple)


def _choice(field: Field, values: tuple[str, ...], mode: Mode, several: bool) -> Choice:
    allowed = mode is not Mode.ALL or (several and len(values) > 1)
    return Choice(field, values, mode if allowed else Mode.ANY)


def _range(field: Field, values) -> Range:
    low, high, strict = values
    return Range(
        field,
        None if low is None else Bound(Op.GT if strict else Op.GE, low),
        None if high is None else Bound(Op.LT if strict else Op.LE, high),
    )


def _ends(values):
    return st.tuples(st.none() | values, st.none() | values, st.booleans()).filter(
        lambda ends: ends[0] is not None or ends[1] is not None
    )


SEVERAL = st.sampled_from(["tag", "project_tag", "data", "user"]).map(attribute)
FACETS = st.one_of(
    st.lists(WORDS, min_size=1, max_size=3).map(tuple).map(Named),
    st.builds(_choice, SEVERAL, VALUES, st.sampled_from(Mode), st.just(True)),
    st.builds(_choice, KEYS.map(lambda key: Field(Entity.PARAM, key)), VALUES, st.sampled_from(Mode), st.just(False)),
    st.builds(_choice, KEYS.map(lambda key: Field(Entity.TAG, key)), VALUES, st.sampled_from(Mode), st.just(False)),
    st.builds(
        _choice,
        st.sampled_from(["status"]).map(attribute),
        st.lists(st.sampled_from(["failed", "running", "stopped", "queued"]), min_size=1, unique=True).map(tuple),
        st.sampled_from([Mode.ANY, Mode.NONE]),
        st.just(False),
    ),
    st.builds(_range, st.builds(metric, KEYS, st.sampled_from(Aggregate)), _ends(NUMBERS)),
    st.builds(_range, st.just(attribute("start_time")), _ends(DAYS)),
    st.just(Single(Comparison(attribute("locked"), Op.EQ, True))),
)


def same_field(facet: Facet) -> object:
    """What facets are told apart by: two about one field may become one."""
    return facet.field if isinstance(facet, Choice | Range) else type(facet)


@settings(max_examples=600, deadline=None)
@given(st.lists(FACETS, max_size=6, unique_by=same_field))
def test_what_a_form_writes_it_reads_again(form: list[Facet]):
    text = " AND ".join(one for facet in form for one in written(facet))
    assert read(text, RUNS).facets == form
    assert parse(text, FULL, RUNS)


@settings(max_examples=400, deadline=None)
@given(seed=st.integers(), at=st.integers(0, 10), new=FACETS)
def test_adding_and_removing_touches_no_other_condition(seed: int, at: int, new: Facet):
    text = str(random_query(Random(seed), FULL))
    line = read(text, RUNS)
    texts = [part.text for part in line.parts]
    more = read(line.added(written(new)), RUNS)
    kept = [f"({texts[0]})"] if line.parts[0].is_loose else texts
    assert [part.text for part in more.parts][: len(texts)] == kept
    piece = line.pieces[at % len(line.pieces)]
    less = read(line.replaced(piece, []), RUNS)
    assert [part.text for part in less.parts] == [one for place, one in enumerate(texts) if place not in piece.ats]


@settings(max_examples=400, deadline=None)
@given(st.text(string.printable, max_size=40))
def test_any_text_is_read_or_is_no_filter(text: str):
    try:
        parse(text, FULL, RUNS)
    except QueryError:
        with pytest.raises(QueryError):
            read(text, RUNS)
    else:
        line = read(text, RUNS)
        assert sorted(at for piece in line.pieces for at in piece.ats) == list(range(len(line.parts)))
