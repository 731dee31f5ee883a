"""A safe look at one file, ready for templates/artifacts/preview.html; or in words, why there is none."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from django.http import HttpRequest
from django.utils.safestring import SafeString

from accounts.markdown import LONGEST, as_html
from accounts.templatetags.mled import size
from artifacts.models import ArtifactFile
from artifacts.pages.json_html import foldable
from artifacts.previews import json_tree, tables, workshop
from artifacts.previews.kinds import Kind, ending_of, kind_of
from artifacts.previews.text import SHOWN, NotText, Passage, beginning_of, end_of
from kernel.errors import Invalid, MledError

if TYPE_CHECKING:
    from artifacts.pages.shelf import Shelf

PAGE_MAX: Final = 100_000


@dataclass(frozen=True, slots=True)
class Look:
    """What is shown of a file. kind: names the template; why: what could not be shown, and the reason."""

    kind: str
    why: str = ""
    is_fault: bool = False
    passage: Passage | None = None
    shown_bytes: int = 0
    is_end: bool = False
    other_url: str = ""
    html: SafeString | str = ""
    table: tables.Table | None = None
    url: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    cells: list[dict[str, Any]] = field(default_factory=list)
    page: int = 0
    earlier_url: str = ""
    later_url: str = ""
    frame: str = ""


def preview_of(shelf: "Shelf", request: HttpRequest, file: ArtifactFile) -> Look:
    """A look at the file. Whatever is wrong with it is said, never raised."""
    if file.size_bytes == 0:
        return Look("none", why="This file is empty.")
    kind = kind_of(file.path)
    if kind is Kind.OPAQUE:
        return Look("none", why=f"A .{ending_of(file.path)} file is kept as it is; MLED never opens it.")
    try:
        return _MAKERS[kind](_Asked(shelf, request, file))
    except MledError as error:
        return Look("none", why=str(error), is_fault=error.status >= 500)


@dataclass(frozen=True, slots=True)
class _Asked:
    """One file on one shelf, and how it shall be shown."""

    shelf: "Shelf"
    request: HttpRequest
    file: ArtifactFile

    @property
    def path(self) -> str:
        return self.shelf.shown_path(self.file)

    def says(self, name: str) -> str:
        return str(self.request.GET.get(name, ""))

    def open(self) -> BinaryIO:
        return self.shelf.open(self.path)[1]


def _text(asked: _Asked, why: str = "") -> Look:
    """The beginning of a text, or with ?end=1 its end."""
    is_end = asked.says("end") == "1"
    try:
        with asked.open() as reader:
            passage = end_of(reader, asked.file.size_bytes) if is_end else beginning_of(reader)
    except NotText:
        return Look("none", why=why or "This file is not text.")
    other = ""
    if passage.is_cut:
        other = asked.shelf.show_url(asked.path, **({} if is_end else {"end": 1}))
    shown = min(SHOWN, asked.file.size_bytes)
    return Look("text", why=why, passage=passage, shown_bytes=shown, is_end=is_end, other_url=other)


def _markdown(asked: _Asked) -> Look:
    if asked.file.size_bytes > LONGEST or asked.says("as") == "text":
        return _text(asked)
    try:
        with asked.open() as reader:
            passage = beginning_of(reader)
    except NotText:
        return Look("none", why="This file is not text.")
    return Look("markdown", html=as_html(passage.text), other_url=asked.shelf.show_url(asked.path, **{"as": "text"}))


def _json(asked: _Asked) -> Look:
    if asked.file.size_bytes > json_tree.LONGEST:
        return _text(asked, f"Only JSON of up to {size(json_tree.LONGEST)} can be folded here.")
    if asked.says("as") == "text":
        return _text(asked)
    try:
        with asked.open() as reader:
            text = beginning_of(reader, json_tree.LONGEST).text
        logged = tables.logged_table(json.loads(text)) if text.lstrip().startswith('{"columns"') else None
        if logged is not None:
            return Look("table", table=logged)
        value = json_tree.parsed(text)
    except json_tree.TooMuch as error:
        return _text(asked, f"This JSON is shown as text: {error}.")
    except NotText:
        return Look("none", why="This file is not text.")
    except (ValueError, RecursionError) as error:
        return _text(asked, f"This is no valid JSON: {_first_words(error)}.")
    return Look("json", html=foldable(value), other_url=asked.shelf.show_url(asked.path, **{"as": "text"}))


def _first_words(error: Exception) -> str:
    return str(error)[:120].rstrip(".") or "it is nested too deep"


def _table(asked: _Asked) -> Look:
    return _as_table(asked, lambda reader: tables.delimited(reader, ending_of(asked.file.path)))


def _lines(asked: _Asked) -> Look:
    return _as_table(asked, tables.json_lines)


def _as_table(asked: _Asked, read: Callable[[BinaryIO], tables.Table]) -> Look:
    if asked.says("as") == "text":
        return _text(asked)
    try:
        with asked.open() as reader:
            table = read(reader)
    except tables.NoTable as error:
        return _text(asked, f"This is shown as text: {error}.")
    except NotText:
        return Look("none", why="This file is not text.")
    return Look("table", table=table, other_url=asked.shelf.show_url(asked.path, **{"as": "text"}))


def _made(asked: _Asked, kind: Kind, **options: int) -> workshop.Made:
    with asked.open() as reader:
        return workshop.made(kind, asked.file.blob_id, asked.file.size_bytes, reader, **options)


def _image(asked: _Asked) -> Look:
    facts = _made(asked, Kind.IMAGE).facts
    return Look("image", url=asked.shelf.picture_url(asked.path), facts=facts)


def _pdf(asked: _Asked) -> Look:
    page = page_number(asked.says("page"))
    facts = _made(asked, Kind.PDF, page=page).facts
    show, here, last = asked.shelf.show_url, asked.path, int(facts["pages"])
    return Look(
        "pdf",
        url=asked.shelf.picture_url(here, page=page),
        facts=facts,
        page=page,
        earlier_url=show(here, page=page - 1) if page > 1 else "",
        later_url=show(here, page=page + 1) if page < last else "",
    )


def page_number(said: str) -> int:
    """Which page of a document is asked for, from 1. Raises Invalid."""
    if not said:
        return 1
    if not said.isdecimal() or not 1 <= int(said[:9]) <= PAGE_MAX:
        raise Invalid(f"'{said[:20]}' is no number of a page.", field="page")
    return int(said[:9])


def _parquet(asked: _Asked) -> Look:
    facts = _made(asked, Kind.PARQUET).facts
    columns = [tables.Column(name, kind) for name, kind in facts["columns"]]
    return Look("table", table=tables.Table(columns, facts["rows"], facts["total_rows"], facts["total_columns"]))


def _notebook(asked: _Asked) -> Look:
    if asked.says("as") == "text":
        return _text(asked)
    facts = _made(asked, Kind.NOTEBOOK).facts
    cells = [cell | {"html": as_html(cell["text"])} if cell["kind"] == "markdown" else cell for cell in facts["cells"]]
    other = asked.shelf.show_url(asked.path, **{"as": "text"})
    return Look("notebook", cells=cells, facts=facts, other_url=other)


def _page(asked: _Asked) -> Look:
    """HTML or SVG: its source; on request, as it looks, in a frame that may do nothing."""
    look = asked.says("look")
    path, show = asked.path, asked.shelf.show_url
    if look in ("still", "running"):
        frame = asked.shelf.frame_url(path, **({"run": 1} if look == "running" else {}))
        return Look("frame", frame=look, url=frame, other_url=show(path), later_url=show(path, look="running"))
    source = _text(asked)
    return Look(
        "source", passage=source.passage, shown_bytes=source.shown_bytes, why=source.why, url=show(path, look="still"),
    )  # fmt: skip


_MAKERS: Final[dict[Kind, Callable[[_Asked], Look]]] = {
    Kind.TEXT: _text,
    Kind.MARKDOWN: _markdown,
    Kind.JSON: _json,
    Kind.TABLE: _table,
    Kind.LINES: _lines,
    Kind.PARQUET: _parquet,
    Kind.IMAGE: _image,
    Kind.PDF: _pdf,
    Kind.NOTEBOOK: _notebook,
    Kind.PAGE: _page,
}
