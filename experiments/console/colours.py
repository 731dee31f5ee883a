"""What programs print for a terminal, as pieces of plain text with the names of their looks, and nothing else."""

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

_ESCAPE = re.compile(
    r"\x1b\[([0-9;:]*)m"  # looks: the only ones that are kept
    r"|\x1b\[[0-?]*[ -/]*[@-~]"
    r"|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?"
    r"|\x1b[PX^_].*?(?:\x1b\\|$)"
    r"|\x1b[ -/]*[0-~]?"
    r"|[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]"
)
COLOURS = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")
_ON = {1: "bold", 2: "dim", 3: "italic", 4: "under", 7: "bold", 9: "struck"}
_OFF = {22: ("bold", "dim"), 23: ("italic",), 24: ("under",), 27: ("bold",), 29: ("struck",)}


@dataclass(frozen=True, slots=True)
class Piece:
    """Text in one look. looks: such as ("bold", "red"); is_found: it is what was searched for."""

    text: str
    looks: tuple[str, ...] = ()
    is_found: bool = False


def pieces_of(text: str, find: str = "") -> list[Piece]:
    """The text without signs for a terminal, in pieces of one look, with what is searched for marked."""
    pieces = list(_coloured(text))
    return list(_marked(pieces, find)) if find else pieces


def plain(text: str) -> str:
    """The text alone."""
    return _ESCAPE.sub("", text)


def _coloured(text: str) -> Iterator[Piece]:
    looks: tuple[str, ...] = ()
    at = 0
    for sign in _ESCAPE.finditer(text):
        if sign.start() > at:
            yield Piece(text[at : sign.start()], looks)
        at = sign.end()
        if sign[1] is not None:
            looks = _changed(looks, sign[1])
    if at < len(text):
        yield Piece(text[at:], looks)


def _changed(looks: tuple[str, ...], codes: str) -> tuple[str, ...]:
    numbers = [int(code) if code.isdigit() and len(code) < 4 else 0 for code in re.split("[;:]", codes)]
    while numbers:
        code = numbers.pop(0)
        if code == 0:
            looks = ()
        elif code in (38, 48):
            colour, numbers = _of_many(numbers)
            looks = _with_colour(looks, colour) if code == 38 and colour else looks
        elif code in _ON:
            looks = tuple(dict.fromkeys((*looks, _ON[code])))
        elif code in _OFF:
            looks = tuple(look for look in looks if look not in _OFF[code])
        elif 30 <= code <= 37 or 90 <= code <= 97:
            looks = _with_colour(looks, COLOURS[code % 10])
        elif code == 39:
            looks = _with_colour(looks, "")
    return looks


def _of_many(numbers: list[int]) -> tuple[str, list[int]]:
    """The name of a colour out of 256, where it is one of the first sixteen, and the codes behind it."""
    if numbers[:1] == [5]:
        place = numbers[1] if len(numbers) > 1 else 16
        return (COLOURS[place % 8] if place < 16 else ""), numbers[2:]
    return "", numbers[4:] if numbers[:1] == [2] else numbers


def _with_colour(looks: tuple[str, ...], colour: str) -> tuple[str, ...]:
    others = tuple(look for look in looks if look not in COLOURS)
    return (*others, colour) if colour else others


def _marked(pieces: list[Piece], find: str) -> Iterator[Piece]:
    """The pieces, cut where something that was found begins or ends."""
    text = "".join(piece.text for piece in pieces)
    starts = {hit.start(): hit.end() for hit in re.finditer(re.escape(find), text, re.IGNORECASE)}
    cuts = sorted({*starts, *starts.values(), len(text)})
    at, place, until = 0, 0, 0  # until: where what was found last ends
    for piece in pieces:
        end = at + len(piece.text)
        while at < end:
            until = starts.get(at, until)
            place = bisect_right(cuts, at, place)
            stop = min(end, cuts[place])
            yield Piece(text[at:stop], piece.looks, at < until)
            at = stop
