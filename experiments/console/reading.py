"""Lines of a text of any size, by ranges: a gigabyte takes as much memory as a page, and so does a line of a gigabyte.

An Index is how many line ends lie before each mebibyte. It is made by reading the text once, and finds any line.
"""

from array import array
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from time import monotonic
from typing import BinaryIO, Final
from zlib import crc32

CHUNK: Final = 1 << 20
LINE_SHOWN: Final = 2_000  # bytes of one line
WINDOW_BYTES: Final = 400_000  # of the lines that are given at once
MATCHES: Final = 5_000
SECONDS: Final = 20  # that one search may take
_MARK: Final = 256


@dataclass(frozen=True, slots=True)
class Line:
    """One line. text: its beginning, or what stood there last where it was written over; hidden: bytes left out."""

    number: int
    text: str
    hidden: int = 0
    is_open: bool = False  # no line end yet: it may go on


@dataclass(frozen=True, slots=True)
class Index:
    """Line ends before each chunk, and in all; size: of the text; is_open: the last line has no end yet."""

    before: "array[int]"
    ends: int
    size: int
    is_open: bool

    @property
    def lines(self) -> int:
        """How many lines there are."""
        return self.ends + int(self.is_open)


@dataclass(frozen=True, slots=True)
class Found:
    """The numbers of lines that hold something. is_more: searching stopped at the last of them."""

    lines: list[int] = field(default_factory=list)
    is_more: bool = False


def indexed(reader: BinaryIO, size: int) -> Index:
    """Read the text once, from its start."""
    before: array[int] = array("Q")
    ends, last = 0, b"\n"
    for chunk in _chunks(reader, 0, size):
        before.append(ends)
        ends += chunk.count(b"\n")
        last = chunk[-1:]
    return Index(before, ends, size, last != b"\n")


def offset_of(reader: BinaryIO, index: Index, line: int) -> int:
    """Where a line begins, counted from 1; the size of the text for one behind its end."""
    if line <= 1:
        return 0
    if line - 1 > index.ends:
        return index.size
    place = bisect_left(index.before, line - 1) - 1
    wanted = line - 1 - index.before[place]
    chunk = next(_chunks(reader, place * CHUNK, index.size), b"")
    return place * CHUNK + _nth_end(chunk, wanted) + 1


def lines_from(reader: BinaryIO, index: Index, first: int, count: int) -> list[Line]:
    """So many lines from this one on, fewer where they are long or the text ends."""
    found: list[Line] = []
    start, spent = offset_of(reader, index, first), 0
    if count < 1 or start >= index.size:
        return found
    line = _Reading()
    for chunk in _chunks(reader, start, index.size):
        *whole, rest = chunk.split(b"\n", count - len(found))
        for piece in whole:
            line.add(piece)
            found.append(line.made(first + len(found)))
            spent += len(line.shown)
            line = _Reading()
            if len(found) == count or spent > WINDOW_BYTES:
                return found
        line.add(rest)
    if line.length:
        found.append(line.made(first + len(found), is_open=True))
    return found


def last_lines(reader: BinaryIO, index: Index, count: int) -> list[Line]:
    """The last lines, so many or as many as fit into a window."""
    return lines_before(reader, index, index.lines + 1, count)


def lines_before(reader: BinaryIO, index: Index, until: int, count: int) -> list[Line]:
    """The lines right before this one, so many or as many as fit into a window."""
    found: list[Line] = []
    for most in (count, count // 4, 50, 10, 1):
        first = max(1, until - most)
        found = lines_from(reader, index, first, until - first)
        if not found or found[-1].number == until - 1:
            break
    return found


def find_lines(reader: BinaryIO, index: Index, words: str, limit: int = MATCHES) -> Found:
    """The lines that hold the words, capital letters of ASCII like small ones. Gives up after a while, and says so."""
    needle = words.encode().lower()
    found: list[int] = []
    until = monotonic() + SECONDS
    kept = b""  # the end of the chunk before: what is searched for may begin there
    for place, chunk in enumerate(_chunks(reader, 0, index.size if needle else 0)):
        text = kept + chunk.lower()
        if needle in text:
            first = index.before[place] + 1 - kept.count(b"\n")
            found += [line for line in _lines_with(needle, text, first) if not found or line > found[-1]]
        if len(found) > limit or monotonic() > until:
            return Found(found[:limit], is_more=True)
        kept = text[len(text) - len(needle) + 1 :] if len(needle) > 1 else b""
    return Found(found)


def _lines_with(needle: bytes, text: bytes, first: int) -> Iterator[int]:
    """The numbers of the lines that hold it; first: the number of the line that the text begins in."""
    number, counted, at = first, 0, text.find(needle)
    while at >= 0:
        number += text.count(b"\n", counted, at)
        yield number
        counted = text.find(b"\n", at)
        if counted < 0:
            return
        at = text.find(needle, counted)


def mark_of(reader: BinaryIO, size: int) -> str:
    """A short sign of the bytes before this place: whether a text only grew since is told by it."""
    start = max(0, size - _MARK)
    reader.seek(start)
    return f"{size}-{crc32(reader.read(size - start)):08x}"


def grew_from(reader: BinaryIO, size: int, mark: str) -> bool:
    """Whether the text begins with what had this mark."""
    before = mark.partition("-")[0]
    if not before.isascii() or not before.isdigit() or len(before) > 18 or int(before) > size:
        return False
    return mark_of(reader, int(before)) == mark


@dataclass(slots=True)
class _Reading:
    """A line on its way: of all its pieces no more is held than is shown."""

    shown: bytearray = field(default_factory=bytearray)
    length: int = 0
    returned: bool = False  # the last byte moved the cursor to the line's beginning

    def add(self, piece: bytes) -> None:
        self.length += len(piece)
        body = piece.rstrip(b"\r")
        if body:
            turn = body.rfind(b"\r")
            if turn >= 0 or self.returned:
                self.shown = bytearray()
            self.shown += body[turn + 1 : turn + 1 + LINE_SHOWN + 1 - len(self.shown)]
        self.returned = len(body) < len(piece) or (self.returned and not body)

    def made(self, number: int, *, is_open: bool = False) -> Line:
        text = bytes(self.shown[:LINE_SHOWN]).decode("utf-8", "replace")
        is_cut = len(self.shown) > LINE_SHOWN
        if is_cut:
            text = text.rstrip("\ufffd")
        return Line(number, text, self.length - len(self.shown[:LINE_SHOWN]) if is_cut else 0, is_open)


def _chunks(reader: BinaryIO, start: int, end: int) -> Iterator[bytes]:
    """The bytes from start to end in pieces that begin at whole mebibytes, but for the first."""
    reader.seek(start)
    at = start
    while at < end:
        chunk = reader.read(min(CHUNK - at % CHUNK, end - at))
        if not chunk:
            return
        at += len(chunk)
        yield chunk


def _nth_end(chunk: bytes, wanted: int) -> int:
    """The place of the n-th line end, which is in the chunk: halves are counted until few are left."""
    low, high = 0, len(chunk)
    while high - low > 4096:
        middle = (low + high) // 2
        ends = chunk.count(b"\n", low, middle)
        low, high, wanted = (low, middle, wanted) if ends >= wanted else (middle, high, wanted - ends)
    at = low - 1
    for _ in range(wanted):
        at = chunk.index(b"\n", at + 1)
    return at
