"""Curves as figures and texts as letters, before anything is typeset."""

import unicodedata

import pytest

from audit.compliance.reports.facts import Curve
from audit.compliance.reports.pdf import render
from audit.compliance.reports.pdf.letters import CHUNK, Letters, chunks, known_letters
from audit.compliance.reports.pdf.plots import POINTS_MAX, SIDE, Scale, plot, short, thinned
from tests.compliance.pdf_pages import Printed
from tests.compliance.report_facts import Fact, a_curve, a_head, a_run_section

pytestmark = pytest.mark.once


def test_points_lie_within_the_figure_and_ticks_are_round():
    made = plot(a_curve("loss", 3, points=5000))
    assert made
    assert len(made["points"]) <= POINTS_MAX
    assert all(0 <= at <= SIDE for point in made["points"] for at in point)
    assert [word for _, word in made["across"]] == ["0", "50,000", "100,000", "150,000", "200,000", "250,000"]
    assert [word for _, word in made["up"]] == ["1", "0.75", "0.5", "0.25", "0"][::-1]
    assert made["note"] == "by step, 160 of 310,000 points"


def test_thinning_keeps_the_lowest_and_the_highest():
    points = [(float(step), 0.5) for step in range(10_000)]
    points[4321], points[8765] = (4321.0, 9.0), (8765.0, -9.0)
    kept = thinned(points, 100)
    assert len(kept) <= 100
    assert {(4321.0, 9.0), (8765.0, -9.0), points[0], points[-1]} <= set(kept)
    assert kept == sorted(kept)
    assert thinned(points[:100], 100) == points[:100]


@pytest.mark.parametrize(
    ("values", "ticks"),
    [
        ([1.0], ["0.5", "0.75", "1", "1.25", "1.5"]),
        ([0.0, 0.0], ["-0.5", "-0.25", "0", "0.25", "0.5"]),
        ([1e-9, 4e-9], ["1e-9", "2e-9", "3e-9", "4e-9"]),
        ([1e6, 3e6], ["1e6", "1.5e6", "2e6", "2.5e6", "3e6"]),
        ([0.001, 1.0, 100.0], ["0.001", "0.01", "0.1", "1", "10", "100"]),
        ([-3.2, 7.9], ["-5", "0", "5", "10"]),
    ],
)
def test_an_axis_has_round_ticks_whatever_the_numbers(values, ticks):
    made = plot(Curve("m", [float(step) for step in range(len(values))], values, points=len(values)))
    assert made
    assert [word for _, word in made["up"]] == ticks


@pytest.mark.parametrize(
    "values",
    [
        [1.7e308, -1.7e308],
        [5e-324, 0.0],
        [1e16, 1e16 + 2],
        [float("nan"), 1.0],
        [float("inf"), 2.0, 3.0],
        [1e-300, 1e300],
    ],
)
def test_numbers_at_the_edges_still_make_a_figure(values):
    made = plot(Curve("m", [float(step) for step in range(len(values))], values, points=len(values), gaps=1))
    assert made
    assert all(0 <= at <= SIDE for point in made["points"] for at in point)
    assert len(made["up"]) >= 2
    assert "1 not a number" in made["note"]


def test_no_number_makes_no_figure():
    assert plot(Curve("m", [0.0], [float("nan")], points=1, gaps=1)) is None
    assert plot(Curve("m", [], [], points=0)) is None


def test_a_logarithmic_axis_says_so():
    made = plot(Curve("m", [0.0, 1.0], [0.001, 500.0], points=2))
    assert made
    assert "logarithmic scale" in made["note"]
    assert Scale([0.001, 500.0], ticks=4, is_log=True).at(1.0) == SIDE // 2


def test_ticks_are_short():
    assert [short(number) for number in (0, 1500, 0.25, 1e-7, 2.5e9, -0.333333)] == [
        "0", "1,500", "0.25", "1e-7", "2.5e9", "-0.3333",
    ]  # fmt: skip


def test_long_words_come_in_chunks_and_short_ones_as_they_are():
    letters = Letters()
    assert letters.flowing("two words") == "two words"
    assert letters.flowing("a\nb") == ["a", 0, "b"]
    word = "checkpoints/epoch-0001/weights.bin" + "x" * 50
    (pieces,) = letters.flowing(word)
    assert pieces == chunks(word)
    assert "".join(chunks(word)) == word
    assert all(len(chunk) <= CHUNK for chunk in chunks(word))
    assert chunks(word)[:4] == ["checkpoints", "/epoch-", "0001/", "weights."]
    assert letters.flowing("metricdirection, experimenttag:") == [["metricdirection,"], " experimenttag:"]
    assert letters.flowing("-1.2345678901234567e-105") == [["-1.2345678901234567e-105"]]


def test_what_was_replaced_is_remembered_once():
    letters = Letters()
    for _ in range(3):
        assert letters.line("患\u202ea\tb") == "□□a b"
    assert letters.replaced == {"□□a b": "U+60A3 U+202E"}


def test_the_fonts_have_every_letter_that_is_set():
    known = known_letters()
    assert len(known) > 7000
    assert not [letter for letter in known if unicodedata.category(letter) in ("Cc", "Cf", "Co", "Cs", "Cn")]
    lines = [" ".join(known[start : start + 500]) for start in range(0, len(known), 500)]
    content = render(
        a_head(), [a_run_section(tags=[Fact(str(n), line) for n, line in enumerate(lines)])], volume=1, of=1, digest="0"
    )
    # Were one of them missing, the volume would be set in plain letters alone.
    text = Printed(content).text
    assert {"Ж", "Ω", "ש", "✓", "≤", "ع"} <= set(text)
    assert text.count("□") == 1
