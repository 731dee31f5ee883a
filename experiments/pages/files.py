"""Files on a page: a tree, a safe look at one of them, and the download.

Files come from anybody's script. A download is always an attachment under a policy that runs nothing; a preview shows
text as text, a table as cells, and pictures as pictures, in which no script runs.
"""

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, BinaryIO
from urllib.parse import quote

from django.http import FileResponse, HttpResponseBase

from artifacts.models import ArtifactFile
from experiments.pages.inputs import indented
from kernel.errors import MledError, NotFound

TEXT_SHOWN = 200_000  # bytes
ROWS_SHOWN = 200
COLUMNS_SHOWN = 50
FILES_SHOWN = 2_000
OPEN_UP_TO = 30  # with so few files every folder is open
IMAGES = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "gif": "image/gif",
    "webp": "image/webp",
    "svg": "image/svg+xml",  # as a picture it runs nothing, and opened by itself the policy forbids it
}
TABLES = {"csv": ",", "tsv": "\t"}
FIRST_LOOK = ("md", "txt", "json", "csv", "png", "jpg", "svg")
SANDBOX = "default-src 'none'; sandbox"
PICTURE = "default-src 'none'; style-src 'unsafe-inline'; sandbox"


@dataclass(slots=True)
class Node:
    """A file or folder of the tree."""

    name: str
    size: int = 0
    url: str = ""
    current: bool = False
    open: bool = False
    children: list["Node"] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Preview:
    """What can be shown of a file. kind: text, table, image or none."""

    kind: str
    text: str = ""
    shown: int = 0
    cut: bool = False
    head: Sequence[str] = ()
    lines: Sequence[Sequence[str]] = ()
    url: str = ""
    why: str = ""


Opener = Callable[[str], tuple[ArtifactFile, BinaryIO]]
Address = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where the files of one run or model are found: how to open one, and the addresses of its page, bytes, picture."""

    open: Opener
    show_url: Address
    file_url: Address
    picture_url: Address

    def panel(self, files: Sequence[ArtifactFile], asked: str) -> dict[str, Any]:
        """The context of templates/experiments/files.html. asked: the path to show, or ""."""
        shown = files[:FILES_SHOWN]
        chosen = chosen_file(files, asked)
        at = files.index(chosen) if chosen else -1
        context: dict[str, Any] = {
            "tree": self.tree(shown, chosen.path if chosen else ""),
            "total_files": len(files),
            "total_bytes": sum(file.size_bytes for file in files),
            "hidden_files": len(files) - len(shown),
            "previous_url": self.show_url(files[at - 1].path) if at > 0 else "",
            "next_url": self.show_url(files[at + 1].path) if 0 <= at < len(files) - 1 else "",
        }
        if chosen:
            context["chosen"] = {
                "path": chosen.path,
                "size": chosen.size_bytes,
                "digest": chosen.blob_id,
                "at": chosen.created_at,
                "download_url": self.file_url(chosen.path),
            }
            context["preview"] = self.preview(chosen)
        return context

    def tree(self, files: Sequence[ArtifactFile], chosen: str) -> list[Node]:
        """Folders before files, each with its size; the folders above the chosen file are open."""
        top = Node("")
        for file in files:
            *folders, name = file.path.split("/")
            here, so_far = top, ""
            for folder in folders:
                so_far += f"{folder}/"
                here = _folder_in(here, folder, is_open=chosen.startswith(so_far) or len(files) <= OPEN_UP_TO)
                here.size += file.size_bytes
            here.children.append(Node(name, file.size_bytes, self.show_url(file.path), file.path == chosen))
        return _folders_first(top)

    def preview(self, file: ArtifactFile) -> Preview:
        """A safe look at a file; why not, where there is none."""
        kind = extension(file.path)
        if file.size_bytes == 0:
            return Preview("none", why="This file is empty.")
        if kind in IMAGES:
            return Preview("image", url=self.picture_url(file.path))
        try:
            text, cut = self.text(file.path)
        except UnicodeDecodeError:
            return Preview("none", why="This file is not text.")
        except MledError as error:
            return Preview("none", why=str(error))
        if kind in TABLES:
            return table_of(text, TABLES[kind], cut=cut)
        if kind == "json" and not cut and "\n" not in text.strip():
            text = indented(text)
        return Preview("text", text=text, shown=TEXT_SHOWN, cut=cut)

    def text(self, path: str) -> tuple[str, bool]:
        """The beginning of a text file, and whether more follows. Raises UnicodeDecodeError for anything else."""
        _, reader = self.open(path)
        with reader:
            begin = reader.read(TEXT_SHOWN + 1)
        if b"\x00" in begin:
            raise UnicodeDecodeError("utf-8", begin[:1], 0, 1, "a zero byte is no text")
        cut = len(begin) > TEXT_SHOWN
        return begin[:TEXT_SHOWN].decode("utf-8", errors="ignore" if cut else "strict"), cut

    def texts(self, files: Sequence[ArtifactFile], limit: int) -> list[dict[str, str]]:
        """The contents of the first few text files."""
        shown = []
        for file in files[:limit]:
            try:
                text, _ = self.text(file.path)
            except (UnicodeDecodeError, MledError):
                continue
            shown.append({"path": file.path, "text": text})
        return shown

    def download(self, path: str) -> HttpResponseBase:
        """A file as it was logged, always to be saved, never to be run."""
        file, reader = self.open(path)
        name = quote(path.rsplit("/", 1)[-1], safe="")
        response = FileResponse(reader, content_type="application/octet-stream")
        response["Content-Length"] = str(file.size_bytes)
        response["Content-Disposition"] = f"attachment; filename*=UTF-8''{name}"
        return _harmless(response, SANDBOX)

    def picture(self, path: str) -> HttpResponseBase:
        """A picture for the page."""
        kind = IMAGES.get(extension(path))
        if kind is None:
            raise NotFound("Only pictures are shown this way.", hint="Download the file.")
        response = FileResponse(self.open(path)[1], content_type=kind)
        response["Content-Disposition"] = "inline"
        return _harmless(response, PICTURE)


def _harmless(response: FileResponse, policy: str) -> FileResponse:
    response["Content-Security-Policy"] = policy
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    return response


def chosen_file(files: Sequence[ArtifactFile], path: str) -> ArtifactFile | None:
    """The file asked for, else the first that is good to look at. Raises NotFound for a path that is not there."""
    if path:
        found = next((file for file in files if file.path == path), None)
        if found is None:
            raise NotFound(f"There is no file '{path[:200]}' here.")
        return found
    nice = next((file for file in files if extension(file.path) in FIRST_LOOK), None)
    return nice or (files[0] if files else None)


def _folder_in(above: Node, name: str, *, is_open: bool) -> Node:
    for node in reversed(above.children):
        if node.name == name and not node.url:
            return node
    node = Node(name, open=is_open)
    above.children.append(node)
    return node


def _folders_first(node: Node) -> list[Node]:
    for child in node.children:
        child.children = _folders_first(child)
    return sorted(node.children, key=lambda child: (bool(child.url), child.name.lower()))


def extension(path: str) -> str:
    """The ending of a file's name in lower case, without the dot."""
    name = path.rsplit("/", 1)[-1]
    return name.rsplit(".", 1)[-1].lower() if "." in name else ""


def table_of(text: str, delimiter: str, *, cut: bool) -> Preview:
    """The first rows of a table; text that is no table stays text."""
    try:
        rows = list(islice(csv.reader(text.splitlines(), delimiter=delimiter), ROWS_SHOWN + 2))
    except csv.Error:
        return Preview("text", text=text, shown=TEXT_SHOWN, cut=cut)
    if not rows:
        return Preview("text", text=text, shown=TEXT_SHOWN, cut=cut)
    head, *lines = [row[:COLUMNS_SHOWN] for row in rows]
    return Preview("table", head=head, lines=lines[:ROWS_SHOWN], cut=cut or len(lines) > ROWS_SHOWN)
