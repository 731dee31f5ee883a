"""What stands in a PDF: its texts, what is said in place of its figures, and where on a page its letters lie."""

import ctypes
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pypdfium2 as pdfium
import pypdfium2.raw as raw


@dataclass(frozen=True)
class Printed:
    """A PDF as its readers find it."""

    content: bytes

    @cached_property
    def document(self) -> pdfium.PdfDocument:
        return pdfium.PdfDocument(self.content)

    @cached_property
    def pages(self) -> list[str]:
        return [page.get_textpage().get_text_bounded() for page in self.document]

    @property
    def text(self) -> str:
        return "\n".join(self.pages)

    @cached_property
    def squeezed(self) -> str:
        return squeezed(self.text)

    def __contains__(self, words: str) -> bool:
        """Whether a text is in it, wherever lines were broken."""
        return squeezed(words) in self.squeezed

    @property
    def alternatives(self) -> list[str]:
        """The texts that stand for figures."""
        return [words for page in self.document for words in _alternatives(page)]

    def elements(self) -> set[str]:
        """The kinds of elements that it is tagged with."""
        return {kind for page in self.document for kind, _ in _elements(page)}

    def outside(self, margin: float) -> list[str]:
        """Texts that reach into the margin on the right or left, or below the foot."""
        found = []
        for page in self.document:
            text, width = page.get_textpage(), page.get_width()
            for number in range(text.count_rects()):
                left, bottom, right, top = text.get_rect(number)
                if left < margin - 8 or right > width - margin + 8 or bottom < 20:
                    found.append(text.get_text_bounded(left, bottom, right, top))
        return found

    def covered(self, letters: str) -> list[str]:
        """Words in which one of these letters is covered by the next on its line."""
        found = []
        for page in self.document:
            text = page.get_textpage()
            written = text.get_text_range()
            for at, letter in enumerate(written[: text.count_chars() - 1]):
                if letter not in letters or written[at + 1].isspace():
                    continue
                (_, _, right, _), (left, low, end, _) = text.get_charbox(at), text.get_charbox(at + 1)
                if abs(text.get_charbox(at)[1] - low) < 4 and left < right - 0.4 and end > right:
                    found.append(written[max(0, at - 9) : at + 9])
        return found


def squeezed(text: str) -> str:
    """Without blanks and line ends. Readers mark a hyphen at the end of a line by another sign."""
    return re.sub(r"\s+", "", re.sub("[\x02\ufffe]", "-", text))


def _alternatives(page: pdfium.PdfPage) -> Iterator[str]:
    return (words for _, words in _elements(page) if words)


def _elements(page: pdfium.PdfPage) -> Iterator[tuple[str, str]]:
    """Each element of a page: its kind, and what is said in its place."""
    tree = raw.FPDF_StructTree_GetForPage(page.raw)
    try:
        for index in range(raw.FPDF_StructTree_CountChildren(tree)):
            yield from _under(raw.FPDF_StructTree_GetChildAtIndex(tree, index))
    finally:
        raw.FPDF_StructTree_Close(tree)


def _under(element: Any) -> Iterator[tuple[str, str]]:
    if not element:
        return
    kind, words = (_told(read, element) for read in (raw.FPDF_StructElement_GetType, raw.FPDF_StructElement_GetAltText))
    yield kind, words
    for index in range(max(0, raw.FPDF_StructElement_CountChildren(element))):
        yield from _under(raw.FPDF_StructElement_GetChildAtIndex(element, index))


def _told(read: Any, element: Any) -> str:
    size = read(element, None, 0)
    buffer = ctypes.create_string_buffer(size)
    read(element, buffer, size)
    return buffer.raw.decode("utf-16-le").rstrip("\0")
