"""The beginning or the end of a text file, in whichever of the usual encodings it was written."""

import codecs
import re
from dataclasses import dataclass, replace
from typing import BinaryIO, Final

SHOWN: Final = 200_000  # bytes
LINES_SHOWN: Final = 5_000
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig", "UTF-8 with a byte order mark"),
    (codecs.BOM_UTF32_LE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF32_BE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF16_LE, "utf-16", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16", "UTF-16"),
)
# What no text of the Windows-1252 kind holds: control characters but tab, line ends, page feed and escape, and holes.
_NO_TEXT: Final = re.compile(rb"[\x00-\x07\x0e-\x1a\x1c-\x1f\x7f\x81\x8d\x8f\x90\x9d]")
_ESCAPES: Final = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|[\x00-\x08\x0b\x0e-\x1f\x7f]")


class NotText(ValueError):
    """These bytes are no text."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A part of a text. encoding: "" for plain UTF-8. is_cut: there is more of the file."""

    text: str
    encoding: str
    is_cut: bool
    is_end: bool = False

    @property
    def lines(self) -> list[str]:
        """The first lines, of an end the last, without colours and other signs for a terminal."""
        lines = _ESCAPES.sub("", self.text.replace("\r\n", "\n")).rstrip("\n").split("\n")
        return lines[-LINES_SHOWN:] if self.is_end else lines[:LINES_SHOWN]

    @property
    def hides_lines(self) -> bool:
        """Whether lines of the passage are left out."""
        return self.text.count("\n") > LINES_SHOWN

    @property
    def has_long_lines(self) -> bool:
        """Whether lines had better be wrapped."""
        return any(len(line) > 240 for line in self.lines)


def beginning_of(reader: BinaryIO, limit: int = SHOWN) -> Passage:
    """The first bytes of a file as text. Raises NotText."""
    begin = reader.read(limit + 1)
    return decoded(begin[:limit], is_cut=len(begin) > limit)


def end_of(reader: BinaryIO, size_bytes: int, limit: int = SHOWN) -> Passage:
    """The last bytes of a file as text, from the beginning of a line. Raises NotText."""
    if size_bytes <= limit:
        return beginning_of(reader, limit)
    mark = reader.read(4)
    reader.seek((size_bytes - limit) // 4 * 4)
    tail = reader.read(limit + 4)
    for sign, encoding, _ in _MARKS[1:]:
        if mark.startswith(sign):
            return Passage(codecs.decode(sign + tail, encoding, "replace"), encoding.upper(), True, is_end=True)
    return replace(decoded(tail.partition(b"\n")[2] or tail, is_cut=True, from_middle=True), is_end=True)


def decoded(content: bytes, *, is_cut: bool = False, from_middle: bool = False) -> Passage:
    """Bytes as text. Raises NotText."""
    for sign, encoding, name in _MARKS:
        if content.startswith(sign):
            return _marked(content, encoding, name, is_cut)
    if b"\x00" in content:
        raise NotText("a zero byte is no text")
    try:
        return Passage(_utf8(content, is_cut=is_cut, from_middle=from_middle), "", is_cut)
    except UnicodeDecodeError:
        if _NO_TEXT.search(content):
            raise NotText("neither UTF-8 nor Windows-1252") from None
        return Passage(content.decode("cp1252"), "Windows-1252", is_cut)


def _utf8(content: bytes, *, is_cut: bool, from_middle: bool) -> str:
    """A character that the cut divided is left out; any other that is none is an error."""
    start = 0
    while from_middle and start < 3 and content[start : start + 1] and content[start] & 0xC0 == 0x80:
        start += 1
    return codecs.getincrementaldecoder("utf-8")("strict").decode(content[start:], final=not is_cut)


def _marked(content: bytes, encoding: str, name: str, is_cut: bool) -> Passage:
    try:
        text = codecs.getincrementaldecoder(encoding)("strict").decode(content, final=not is_cut)
    except UnicodeDecodeError:
        raise NotText(f"not what its {name} mark says") from None
    return Passage(text, name, is_cut)
