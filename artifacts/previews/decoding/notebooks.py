"""Jupyter notebooks: what was written and what came out, without running or trusting any of it."""

import base64
import binascii
import io
import json
import re
from typing import IO, Any, Final

from artifacts.previews.decoding.pictures import redrawn
from artifacts.previews.decoding.refusing import CannotDecode

BYTES_MAX: Final = 32 * 1024**2
CELLS: Final = 400
TEXT: Final = 20_000  # characters of a cell or output
ALL_TEXT: Final = 600_000
MARKDOWN: Final = 100_000  # characters that are laid out; what comes after stays as it was written
PICTURES: Final = 40
PICTURE_BYTES: Final = 6 * 1024**2  # of all pictures together
_ESCAPES: Final = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|[\x00-\x08\x0b\x0e-\x1f\x7f]")


class _Budget:
    """What pictures and texts may still take."""

    def __init__(self) -> None:
        self.text = ALL_TEXT
        self.markdown = MARKDOWN
        self.pictures = PICTURES
        self.bytes = PICTURE_BYTES

    def joined(self, source: Any) -> str:
        """A text that a notebook gives in one piece or line by line, as far as there is room."""
        text = "".join(str(line) for line in source) if isinstance(source, list) else str(source or "")
        text, room = _ESCAPES.sub("", text), min(TEXT, self.text)
        self.text -= min(len(text), room)
        return text if len(text) <= room else f"{text[:room]}\n… {len(text) - room:,} more characters"

    def laid_out(self, text: str) -> bool:
        """Whether this Markdown still fits."""
        self.markdown -= len(text)
        return self.markdown >= 0

    def take(self, size: int) -> bool:
        """Whether a picture of this size still fits."""
        fits = self.pictures > 0 and size <= self.bytes
        if fits:
            self.pictures -= 1
            self.bytes -= size
        return fits


def decode(source: IO[bytes], options: dict[str, int]) -> tuple[dict[str, Any], bytes]:
    """The cells in order: kind markdown, code or raw, text, and for code what came out."""
    content = source.read(BYTES_MAX + 1)
    if len(content) > BYTES_MAX:
        raise CannotDecode(f"Only notebooks of up to {BYTES_MAX // 1024**2} MiB are shown. Download it instead.")
    try:
        book = json.loads(content)
    except (ValueError, RecursionError):
        raise CannotDecode("This is no notebook that can be read: it is not valid JSON.") from None
    cells = book.get("cells") if isinstance(book, dict) else None
    if not isinstance(cells, list):
        raise CannotDecode("This is no notebook of format 4: it has no list of cells.")
    budget = _Budget()
    shown = [_cell(cell, budget) for cell in cells[:CELLS] if isinstance(cell, dict)]
    return {"cells": shown, "total_cells": len(cells), "language": _language(book)}, b""


def _language(book: dict[str, Any]) -> str:
    about = book.get("metadata")
    kernel = about.get("kernelspec") if isinstance(about, dict) else None
    return str(kernel.get("display_name", ""))[:80] if isinstance(kernel, dict) else ""


def _cell(cell: dict[str, Any], budget: _Budget) -> dict[str, Any]:
    said, text = cell.get("cell_type"), budget.joined(cell.get("source"))
    kind = "code" if said == "code" else ("markdown" if said == "markdown" and budget.laid_out(text) else "raw")
    made: dict[str, Any] = {"kind": kind, "text": text}
    if kind == "code":
        count, outputs = cell.get("execution_count"), cell.get("outputs")
        made["count"] = count if isinstance(count, int) else None
        held = outputs if isinstance(outputs, list) else []
        made["outputs"] = [_output(output, budget) for output in held[:100] if isinstance(output, dict)]
    return made


def _output(output: dict[str, Any], budget: _Budget) -> dict[str, Any]:
    kind = output.get("output_type")
    if kind == "stream":
        return {"kind": "text", "text": budget.joined(output.get("text")), "is_error": output.get("name") == "stderr"}
    if kind == "error":
        trace = output.get("traceback")
        lines = [str(line) for line in trace] if isinstance(trace, list) else []
        return {"kind": "text", "text": budget.joined("\n".join(lines) or output.get("evalue")), "is_error": True}
    data = output.get("data")
    return _shown(data if isinstance(data, dict) else {}, budget)


def _shown(data: dict[str, Any], budget: _Budget) -> dict[str, Any]:
    """The best of what an output offers that can do no harm: a picture drawn anew, else plain text."""
    for kind in ("image/png", "image/jpeg"):
        if kind in data:
            return _picture(data[kind], budget)
    if "text/plain" in data:
        return {"kind": "text", "text": budget.joined(data["text/plain"])}
    return {"kind": "note", "text": f"An output that is not shown here: {', '.join(map(str, data))[:200] or 'empty'}"}


def _picture(said: Any, budget: _Budget) -> dict[str, Any]:
    try:
        stored = base64.b64decode("".join(said) if isinstance(said, list) else str(said))
        facts, body = redrawn(io.BytesIO(stored), side=1_000, pixels_max=16_000_000)
    except (binascii.Error, ValueError) as error:
        words = str(error) if isinstance(error, CannotDecode) else "This picture is damaged."
        return {"kind": "note", "text": words}
    if not budget.take(len(body)):
        return {"kind": "note", "text": "A picture that is left out: the notebook holds too many for one page."}
    url = f"data:{facts['content_type']};base64,{base64.b64encode(body).decode()}"
    return {"kind": "image", "url": url, "width": facts["shown_width"], "height": facts["shown_height"]}
