"""What differs between two texts: line by line, and within changed lines word by word.

Plain text in, plain data out; nothing here reads a file.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import Final

LINES_MAX: Final = 3_000  # of the part in which two texts differ
CONTEXT: Final = 3  # lines that are the same, around a change
_WORDS_MAX: Final = 150  # words of a line that are told apart: twice as many take four times as long
WORD_LINES_MAX: Final = 400  # changed lines whose words are told apart: the rest of a long text is marked by line
_ALIKE: Final = 0.4  # lines less alike than this are other lines, not changed ones
_WORD: Final = re.compile(r"\w+|\s+|[^\w\s]")


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a line. changed: it is not in the other text's line."""

    text: str
    changed: bool


@dataclass(frozen=True, slots=True)
class Side:
    """A line of one of the texts, numbered from 1."""

    number: int
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """Two lines beside each other; None where one text has none there. kind: same, changed, added or removed."""

    kind: str
    old: Side | None
    new: Side | None


@dataclass(frozen=True, slots=True)
class Hunk:
    """Lines around a change. skipped: how many same lines were left out before them."""

    skipped: int
    lines: list[Line]


@dataclass(frozen=True, slots=True)
class TextDiff:
    """Two texts against each other. added and removed: lines; after: same lines left out at the end.

    is_cut: they differ in more lines than are compared; then there are no hunks. unmarked: changed lines whose words
    were not told apart, because there are so many.
    """

    hunks: list[Hunk]
    added: int
    removed: int
    after: int
    is_cut: bool = False
    unmarked: int = 0

    @property
    def is_same(self) -> bool:
        return not self.hunks and not self.is_cut


def text_diff(old: str, new: str, *, context: int = CONTEXT) -> TextDiff:
    """Compare two texts. Ends of lines and spaces at them are part of a line; kinds of line ends are not."""
    before, after = _lines(old), _lines(new)
    head = _same_at_the_start(before, after)
    tail = _same_at_the_start(before[head:][::-1], after[head:][::-1])
    middle_old, middle_new = before[head : len(before) - tail], after[head : len(after) - tail]
    if max(len(middle_old), len(middle_new)) > LINES_MAX:
        return TextDiff([], len(middle_new), len(middle_old), 0, is_cut=True)
    matcher = SequenceMatcher(None, middle_old, middle_new)
    lines, words_left = [_same(before, at, at) for at in range(max(0, head - context), head)], WORD_LINES_MAX
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        if tag == "equal":
            lines += [_same(before, head + i1 + by, head + j1 + by) for by in range(i2 - i1)]
        else:
            pairs = min(i2 - i1, j2 - j1)
            lines += _changed(middle_old[i1:i2], middle_new[j1:j2], head + i1, head + j1, max(0, words_left))
            words_left -= pairs
    ends = (len(before) - tail, len(after) - tail)
    lines += [_same(before, ends[0] + by, ends[1] + by) for by in range(min(tail, context))]
    hunks, left = _hunks(lines, context)
    if not hunks:
        return TextDiff([], 0, 0, 0)
    first = hunks[0]
    hunks[0] = Hunk(max(0, head - context) + first.skipped, first.lines)
    added = sum(line.kind != "same" and line.new is not None for line in lines)
    removed = sum(line.kind != "same" and line.old is not None for line in lines)
    return TextDiff(hunks, added, removed, left + max(0, tail - context), unmarked=max(0, -words_left))


def _lines(text: str) -> list[str]:
    return text.replace("\r\n", "\n").removesuffix("\n").split("\n") if text else []


def _same_at_the_start(one: Sequence[str], other: Sequence[str]) -> int:
    count = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        count += 1
    return count


def _same(before: Sequence[str], old: int, new: int) -> Line:
    pieces = (Piece(before[old], False),)
    return Line("same", Side(old + 1, pieces), Side(new + 1, pieces))


def _changed(old: Sequence[str], new: Sequence[str], old_at: int, new_at: int, by_word: int) -> Iterator[Line]:
    """Lines in place of others, beside each other in their order; of the first ones the words are told apart."""
    for by, (left, right) in enumerate(zip_longest(old, new)):
        if left is None:
            yield Line("added", None, Side(new_at + by + 1, (Piece(right or "", False),)))
        elif right is None:
            yield Line("removed", Side(old_at + by + 1, (Piece(left, False),)), None)
        else:
            whole = (Piece(left, False),), (Piece(right, False),)
            one, other = words_changed(left, right) if by < by_word else whole
            yield Line("changed", Side(old_at + by + 1, one), Side(new_at + by + 1, other))


def words_changed(old: str, new: str) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
    """Both lines in pieces, with the words marked that the other has not; none where the lines are not alike."""
    before, after = _WORD.findall(old), _WORD.findall(new)
    whole = (Piece(old, False),), (Piece(new, False),)
    if max(len(before), len(after)) > _WORDS_MAX:
        return whole
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    if matcher.ratio() < _ALIKE:
        return whole
    left: list[Piece] = []
    right: list[Piece] = []
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        if i2 > i1:
            left.append(Piece("".join(before[i1:i2]), tag != "equal"))
        if j2 > j1:
            right.append(Piece("".join(after[j1:j2]), tag != "equal"))
    return tuple(left), tuple(right)


def _hunks(lines: Sequence[Line], context: int) -> tuple[list[Hunk], int]:
    """The changes with some lines around them, and how many same lines were left out after the last."""
    near: set[int] = set()
    for at, line in enumerate(lines):
        if line.kind != "same":
            near.update(range(at - context, at + context + 1))
    hunks: list[Hunk] = []
    open_lines: list[Line] | None = None
    skipped = 0
    for at, line in enumerate(lines):
        if at not in near:
            skipped, open_lines = skipped + 1, None
            continue
        if open_lines is None:
            open_lines = []
            hunks.append(Hunk(skipped, open_lines))
            skipped = 0
        open_lines.append(line)
    return hunks, skipped
