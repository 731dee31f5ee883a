"""Layered drawings: what came from something is right of it, lines cross little, nothing overlaps."""

from __future__ import annotations

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from registry.lineage.drawing import cut
from registry.lineage.layout import Measures, crossings, curve, lay_out, order, spread

SIZES = Measures()
NAMES = [f"n{number}" for number in range(14)]
EDGES = st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)), max_size=40)


def test_a_chain_is_a_level_line_from_left_to_right():
    drawing = lay_out(["data", "run", "model"], [("data", "run"), ("run", "model")])
    assert [drawing.ranks[node] for node in ("data", "run", "model")] == [0, 1, 2]
    assert len({y for _, y in drawing.spots.values()}) == 1
    (start, end) = drawing.lines["data", "run"]
    assert start == (drawing.spots["data"][0] + SIZES.width, drawing.spots["data"][1] + SIZES.height / 2)
    assert end == (drawing.spots["run"][0], start[1])


def test_a_node_alone_and_nothing_at_all_are_drawings_too():
    assert lay_out(["only"], []).spots == {"only": (SIZES.margin, SIZES.margin)}
    assert lay_out([], []).spots == {}


def test_one_stands_in_the_middle_of_those_that_hang_on_it():
    runs = [f"run {number}" for number in range(5)]
    drawing = lay_out(["data", *runs], [("data", run) for run in runs])
    assert drawing.spots["data"][1] == drawing.spots["run 2"][1]


def test_what_stands_on_one_node_alone_is_level_with_it():
    edges = [("run", "model"), ("model", "evaluation"), ("model", "version"), ("version", "alias")]
    drawing = lay_out(["run", "model", "evaluation", "version", "alias"], edges)
    assert abs(drawing.spots["alias"][1] - drawing.spots["version"][1]) < 0.01


def test_a_source_stands_beside_what_it_feeds():
    edges = [("a", "b"), ("b", "c"), ("late", "c")]
    assert lay_out(["a", "b", "c", "late"], edges).ranks["late"] == 1


def test_an_edge_past_a_rank_goes_round_the_nodes_there():
    drawing = lay_out(["a", "b", "c"], [("a", "b"), ("b", "c"), ("a", "c")])
    points = drawing.lines["a", "c"]
    assert len(points) == 4
    middle = points[1][1]
    top = drawing.spots["b"][1]
    assert middle < top or middle > top + SIZES.height


def test_tall_nodes_take_their_room():
    drawing = lay_out(["a", "b", "c"], [("a", "b"), ("a", "c")], heights={"b": 300})
    assert drawing.spots["c"][1] - drawing.spots["b"][1] == 300 + SIZES.node_gap
    assert drawing.height == 300 + SIZES.node_gap + SIZES.height + 2 * SIZES.margin


def test_a_cycle_ends_and_is_drawn():
    drawing = lay_out(["a", "b"], [("a", "b"), ("b", "a")])
    assert set(drawing.lines) == {("a", "b"), ("b", "a")}
    assert drawing.ranks["a"] != drawing.ranks["b"]


def test_crossings_are_counted():
    assert crossings([["a", "b"], ["c", "d"]], [("a", "d"), ("b", "c")]) == 1
    assert crossings([["a", "b"], ["c", "d"]], [("a", "c"), ("b", "d")]) == 0


def test_crossings_that_need_not_be_are_taken_out():
    first, second = [f"a{n}" for n in range(8)], [f"b{n}" for n in range(8)]
    pairs = [(f"a{n}", f"b{7 - n}") for n in range(8)]
    assert crossings([first, second], pairs) == 28
    assert crossings(order([first, second], pairs), pairs) == 0


@given(EDGES)
@settings(max_examples=150, deadline=None)
def test_any_graph_is_drawn_without_overlap_and_from_left_to_right(edges):
    drawing = lay_out(NAMES, edges)
    assert set(drawing.spots) == set(NAMES)
    assert set(drawing.lines) == {edge for edge in edges if edge[0] != edge[1]}
    columns: dict[float, list[float]] = {}
    for x, y in drawing.spots.values():
        columns.setdefault(x, []).append(y)
        assert 0 <= x <= drawing.width - SIZES.width
        assert -0.01 <= y - SIZES.margin <= drawing.height - SIZES.height - 2 * SIZES.margin + 0.01
    for heights in columns.values():
        ordered = sorted(heights)
        assert all(b - a >= SIZES.height + SIZES.node_gap - 0.01 for a, b in itertools.pairwise(ordered))
    assert all(drawing.ranks[above] != drawing.ranks[below] for above, below in drawing.lines)


@given(EDGES)
@settings(max_examples=50, deadline=None)
def test_the_same_graph_is_drawn_the_same(edges):
    assert lay_out(NAMES, edges) == lay_out(NAMES, edges)


@given(st.lists(st.tuples(EDGES.map(len), st.floats(-100, 100)), max_size=12))
def test_places_keep_their_order_and_their_distance(wanted):
    offsets = [float(10 * at) for at in range(len(wanted))]
    places = spread([want for _, want in wanted], offsets)
    assert all(b - a >= 10 - 1e-6 for a, b in itertools.pairwise(places))


def test_places_that_fit_stay_where_they_are_wanted():
    assert spread([0, 50, 90], [0, 10, 20]) == [0, 50, 90]
    assert spread([5, 5], [0, 10]) == [0, 10]


def test_a_curve_is_level_at_its_ends():
    assert curve([(0, 0), (10, 0)]) == "M0.0 0.0H10.0"
    assert curve([(0, 0), (10, 20)]) == "M0.0 0.0C5.0 0.0 5.0 20.0 10.0 20.0"


def test_a_text_is_cut_where_its_box_ends():
    assert cut("short", 138) == "short"
    assert cut("W" * 100, 138) == "W" * 14 + "…"
    assert len(cut("i" * 100, 138)) > len(cut("日" * 100, 138))
