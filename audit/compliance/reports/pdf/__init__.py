"""Reports as PDF/A-2a and PDF/UA-1: laid out from the facts, typeset by typst in a process apart."""

from collections.abc import Iterable

from audit.compliance.reports.facts import Head, Section
from audit.compliance.reports.pdf.layout import Layout
from audit.compliance.reports.pdf.press import CannotTypeset, printed

__all__ = ["CannotTypeset", "render"]


def render(head: Head, sections: Iterable[Section], *, volume: int, of: int, digest: str) -> bytes:
    """One volume as a PDF; the same facts give the same bytes.

    sections: read one after the other, never held together; digest: of the content of the whole report. Raises
    CannotTypeset when typesetting takes more time or memory than a volume is given.
    """
    return printed(Layout(head, volume=volume, of=of, digest=digest).parts(sections))
