"""Two texts against each other."""

import random
import time

from experiments.compare.texts import LINES_MAX, WORD_LINES_MAX, text_diff, words_changed


def shown(diff):
    return [
        (line.kind, line.old and line.old.number, line.new and line.new.number)
        for hunk in diff.hunks
        for line in hunk.lines
    ]


def test_the_same_text_has_no_difference_whatever_its_line_ends():
    assert text_diff("a\nb\n", "a\r\nb").is_same
    assert text_diff("", "").is_same


def test_a_changed_line_stands_beside_the_old_one_with_its_words_marked():
    diff = text_diff("a\nlr = 0.1\nb\n", "a\nlr = 0.3\nb\n")
    assert shown(diff) == [("same", 1, 1), ("changed", 2, 2), ("same", 3, 3)]
    changed = diff.hunks[0].lines[1]
    assert [piece.text for piece in changed.old.pieces if piece.changed] == ["1"]
    assert [piece.text for piece in changed.new.pieces if piece.changed] == ["3"]
    assert "".join(piece.text for piece in changed.new.pieces) == "lr = 0.3"
    assert (diff.added, diff.removed) == (1, 1)


def test_added_and_removed_lines_are_numbered_in_their_own_text():
    diff = text_diff("a\nb\nc\n", "a\nc\nd\n")
    assert shown(diff) == [("same", 1, 1), ("removed", 2, None), ("same", 3, 2), ("added", None, 3)]


def test_lines_that_have_nothing_in_common_are_not_marked_word_by_word():
    old, new = words_changed("alpha beta gamma", "import os, sys")
    assert not any(piece.changed for piece in (*old, *new))


def test_far_lines_are_left_out_and_counted():
    lines = [str(n) for n in range(100)]
    other = [*lines[:20], "x", *lines[21:80], "y", *lines[81:]]
    diff = text_diff("\n".join(lines), "\n".join(other))
    assert [hunk.skipped for hunk in diff.hunks] == [17, 53]
    assert diff.after == 16
    assert sum(len(hunk.lines) for hunk in diff.hunks) + 17 + 53 + 16 == 100


def test_a_text_against_nothing_is_all_new():
    diff = text_diff("", "a\nb\n")
    assert shown(diff) == [("added", None, 1), ("added", None, 2)]


def test_texts_that_differ_in_too_many_lines_are_said_to():
    many = "\n".join(f"x{n}" for n in range(LINES_MAX + 1))
    diff = text_diff("a\n", many)
    assert diff.is_cut
    assert not diff.is_same


def test_hard_texts_take_little_time():
    rng = random.Random(3)
    one, other = ("\n".join(str(rng.randrange(110)) for _ in range(LINES_MAX)) for _ in range(2))
    began = time.process_time()
    diff = text_diff(one, other)
    assert time.process_time() - began < 30
    rebuilt = [line.new.pieces for hunk in diff.hunks for line in hunk.lines if line.new]
    assert len(rebuilt) + sum(hunk.skipped for hunk in diff.hunks) + diff.after == LINES_MAX


def test_words_are_told_apart_in_the_first_lines_only_where_very_many_changed():
    one, other = ("\n".join(f"line {n} of {word}" for n in range(WORD_LINES_MAX + 20)) for word in ("this", "that"))
    diff = text_diff(one, other)
    lines = [line for hunk in diff.hunks for line in hunk.lines]
    assert diff.unmarked == 20
    assert len(lines[WORD_LINES_MAX - 1].new.pieces) > 1
    assert [piece.text for piece in lines[WORD_LINES_MAX].new.pieces] == [f"line {WORD_LINES_MAX} of that"]
    assert text_diff("a b\n", "a c\n").unmarked == 0


def test_long_lines_that_all_changed_take_little_time():
    rng = random.Random(7)
    one, other = ("\n".join(" ".join(rng.choices("abcdefgh", k=74)) for _ in range(LINES_MAX)) for _ in range(2))
    began = time.process_time()
    text_diff(one, other)
    assert time.process_time() - began < 15
