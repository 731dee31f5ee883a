"""Texts as the fonts of the file can show them.

Typst brings its own fonts, which know Latin, Greek, Cyrillic, Hebrew, Arabic and many signs, and PDF/A refuses a letter
that no font has. Such a letter is shown as □, and its code points are listed at the end of the volume, so that nothing
is lost. The same goes for letters that cannot be seen or that turn the direction of a text around.
"""

import re
from functools import cache
from pathlib import Path
from typing import Final

UNKNOWN: Final = "□"
TEXT_MAX: Final = 4_000
LISTED_MAX: Final = 200
WORD_MAX: Final = 14
CHUNK: Final = 11
NUMBER_MAX: Final = 24  # the longest float has as many letters

Text = str | list[str | list[str] | int]
"""A text of short words; or its pieces: flowing text, a long word in chunks that lines may part, 0: new line."""

_WORD = re.compile(rf"\S{{{WORD_MAX + 1},}}|\n")
_JOINT = re.compile(r"[^/_.,:;=&?+\\-]*[/_.,:;=&?+\\-]+|[^/_.,:;=&?+\\-]+")
_NUMBER = re.compile(r"[+-]?[\d,]*\.?\d+(?:[eE][+-]?\d+)?")
_PLAIN = re.compile(r"[A-Z]?[a-z]{,20}[,;:.]?")
_BLANKS = re.compile(r"[\t\v\f\u00a0\u2000-\u200a\u202f\u205f\u3000]")


@cache
def _known_ranges() -> list[tuple[int, int]]:
    """letters.txt: the code points that the fonts of typst 0.15.2 have between them."""
    words = Path(__file__).with_name("letters.txt").read_text(encoding="ascii").split()
    ends = [[int(end, 16) for end in word.split("-")] for word in words]
    return [(end[0], end[-1]) for end in ends]


def known_letters() -> str:
    """Every letter that can be shown."""
    return "".join(chr(point) for first, last in _known_ranges() for point in range(first, last + 1))


@cache
def _unknown() -> re.Pattern[str]:
    known = "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in _known_ranges())
    return re.compile(f"[^\n{known}]")


class Letters:
    """Makes texts fit to be set, and remembers what had to be replaced."""

    def __init__(self) -> None:
        self.replaced: dict[str, str] = {}
        self.left_out = 0
        self.text_max = TEXT_MAX

    def line(self, text: str) -> str:
        """The text with the letters that can be shown, on one line."""
        return " ".join(self._shown(text).split())

    def flowing(self, text: str) -> Text:
        """The text with its lines, and with long words divided so that they find room. Long ones are cut, visibly."""
        more = len(text) - self.text_max
        pieces = self._pieces(self._shown(text[: self.text_max] if more > 0 else text).strip("\n"))
        if more > 0:
            pieces.append(f" … ({more:,} more characters; the data annex has all of them)")
        if len(pieces) == 1 and isinstance(pieces[0], str):
            return pieces[0]
        return pieces or ""

    def _shown(self, text: str) -> str:
        blank = _BLANKS.sub(" ", text.replace("\r\n", "\n").replace("\r", "\n"))
        shown = _unknown().sub(UNKNOWN, blank)
        if shown != blank:
            self._remember(shown, blank)
        return shown

    def _remember(self, shown: str, text: str) -> None:
        if len(self.replaced) < LISTED_MAX or shown in self.replaced:
            points = [f"U+{ord(letter):04X}" for letter in _unknown().findall(text)]
            more = f" and {len(points) - 60} more" if len(points) > 60 else ""
            self.replaced.setdefault(" ".join(shown.split())[:120], " ".join(points[:60]) + more)
        else:
            self.left_out += 1

    @staticmethod
    def _pieces(text: str) -> list[str | list[str] | int]:
        pieces: list[str | list[str] | int] = []
        at = 0
        for found in _WORD.finditer(text):
            if found.start() > at:
                pieces.append(text[at : found.start()])
            pieces.append(0 if found.group() == "\n" else chunks(found.group()))
            at = found.end()
        if at < len(text):
            pieces.append(text[at:])
        return pieces


def chunks(word: str) -> list[str]:
    """The word in pieces of at most CHUNK letters, divided after / _ . - and the like; numbers and words whole."""
    if len(word) <= NUMBER_MAX and (_NUMBER.fullmatch(word) or _PLAIN.fullmatch(word)):
        return [word]
    found: list[str] = []
    for joint in _JOINT.findall(word):
        if found and len(found[-1]) + len(joint) <= CHUNK:
            found[-1] += joint
            continue
        found.extend(joint[start : start + CHUNK] for start in range(0, len(joint), CHUNK))
    return found
