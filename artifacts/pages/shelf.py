"""Files on a page: a tree that opens folder by folder, a safe look at one file, and downloads.

A page of a run, a model or a dataset version has one Shelf: it puts `shelf.panel(request)` into its context, includes
"artifacts/shelf.html", and adds `shelf_urls(...)` to its room's addresses.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO
from urllib.parse import quote, urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from artifacts.models import ArtifactFile, ArtifactRoot
from artifacts.pages.look import preview_of
from artifacts.paths import checked_folder
from artifacts.previews.text import NotText, beginning_of
from artifacts.queries import files, folders, tree
from kernel.actor import Actor
from kernel.errors import MledError, NotFound

LEVEL_SHOWN = 200  # entries of one folder at once; more come on request
FOUND_SHOWN = 200
OPEN_UP_TO = 30  # with so few files every folder is open
FIRST_LOOK = ("md", "png", "jpg", "csv", "json", "pdf", "svg", "txt")


@dataclass(slots=True)
class Node:
    """A file or folder of the tree. children: None for a folder that is still folded."""

    name: str
    path: str
    is_folder: bool
    size_bytes: int
    file_count: int
    url: str
    is_current: bool = False
    children: "Nodes | None" = None


@dataclass(frozen=True, slots=True)
class Nodes:
    """The entries of one folder. more_url: where the next ones are, "" where these are all."""

    entries: list[Node]
    more_url: str = ""

    def __iter__(self) -> Iterator[Node]:
        return iter(self.entries)


@dataclass(frozen=True, slots=True)
class Shelf:
    """The files of one run, model or dataset version for one viewer.

    page_url: the page that shows the shelf. base_url: what `shelf_urls` lies below, with a slash at its end.
    folder: the part of the root that is shown, '' for all. name: of the zip, without its ending.
    Paths are those below `folder`.
    """

    viewer: Actor
    root: ArtifactRoot | None
    page_url: str
    base_url: str
    folder: str = ""
    name: str = "files"

    def panel(self, request: HttpRequest) -> dict[str, Any]:
        """The context of templates/artifacts/shelf.html for what the address asks: ?file=, ?folder=, ?find=.

        Raises NotFound, Invalid.
        """
        asked, words = request.GET.get("file", ""), request.GET.get("find", "").strip()
        totals = tree.totals_of(self.viewer, self.root, self.folder)
        chosen = self.chosen(asked)
        context: dict[str, Any] = {"shelf": self, "totals": totals, "find": words, "chosen": None}
        if chosen:
            context |= self.look(request, chosen)
        path = self.shown_path(chosen) if chosen else ""
        if words:
            return context | {"tree": self.found(words)}
        opened, all_open = request.GET.get("folder", ""), totals.file_count <= OPEN_UP_TO
        context["tree"] = self.nodes("", current=path, opened=opened, all_open=all_open)
        return context

    def wants_file_alone(self, request: HttpRequest) -> bool:
        """Whether a page that is open asks for the right side only, since another file was chosen in its tree."""
        return request.headers.get("HX-Target") == "file" and bool(request.GET.get("file"))

    def file_alone(self, request: HttpRequest) -> HttpResponse:
        """The right side for the file that the address names. Raises NotFound, Invalid."""
        context = self.look(request, self.find(request.GET["file"]))
        return render(request, "artifacts/shelf_side.html", {"shelf": self, **context})

    def look(self, request: HttpRequest, file: ArtifactFile) -> dict[str, Any]:
        """What the right side says of one file."""
        path = self.shown_path(file)
        before = tree.next_to(self.viewer, self.root, file.path, step=-1, top=self.folder)
        after = tree.next_to(self.viewer, self.root, file.path, step=1, top=self.folder)
        return {
            "chosen": file,
            "path": path,
            "download_url": self.file_url(path),
            **self.around(path),
            "previous_url": self.show_url(self.below(before)) if before else "",
            "next_url": self.show_url(self.below(after)) if after else "",
            "preview": preview_of(self, request, file),
        }

    def around(self, path: str) -> dict[str, Any]:
        """The folder that a file lies in, to be downloaded as a whole."""
        folder = path.rpartition("/")[0]
        if not folder:
            return {}
        totals = tree.totals_of(self.viewer, self.root, self.at(folder))
        return {"folder": folder, "folder_zip_url": self.archive_url(folder), "folder_totals": totals}

    def nodes(
        self, folder: str, *, start: int = 0, current: str = "", opened: str = "", all_open: bool = False
    ) -> Nodes:
        """One level of the tree, with the levels below that are open: those above the current file and folder."""
        level = tree.level_of(self.viewer, self.root, self.at(folder), start=start, limit=LEVEL_SHOWN)
        entries = []
        for branch in level.branches:
            path = self.below(branch.path)
            url = self.folder_url(path) if branch.is_folder else self.show_url(path)
            node = Node(branch.name, path, branch.is_folder, branch.size_bytes, branch.file_count, url)
            node.is_current = path == current
            if branch.is_folder and (all_open or _lies_in(current, path) or _lies_in(opened, path)):
                node.children = self.nodes(path, current=current, opened=opened, all_open=all_open)
            entries.append(node)
        more = self.tree_url(folder=folder, start=level.following) if level.following else ""
        return Nodes(entries, more)

    def found(self, words: str) -> Nodes:
        """The files whose path holds the words, in one flat level under their whole paths."""
        held = tree.paths_like(self.viewer, self.root, self.folder, words, limit=FOUND_SHOWN)
        paths = [(self.shown_path(file), file.size_bytes) for file in held]
        return Nodes([Node(path, path, False, size, 1, self.show_url(path)) for path, size in paths])

    def chosen(self, path: str) -> ArtifactFile | None:
        """The file asked for, else the first that is good to look at. Raises NotFound for a path that is not there."""
        if path:
            return self.find(path)
        return tree.first_file(self.viewer, self.root, self.folder, FIRST_LOOK)

    def find(self, path: str) -> ArtifactFile:
        """The file at a path of the shelf. Raises NotFound, Invalid."""
        if self.root is None:
            raise NotFound(f"There is no file '{path[:200]}' here.", field="path")
        return files.find_file(self.viewer, self.root, self.at(path))

    def open(self, path: str) -> tuple[ArtifactFile, BinaryIO]:
        """A file with a reader over its bytes. Raises NotFound, Invalid, BlobDamaged."""
        if self.root is None:
            raise NotFound(f"There is no file '{path[:200]}' here.", field="path")
        return files.open_file(self.viewer, self.root.pk, self.at(path))

    def packed(self, folder: str) -> tuple[str, Iterator[bytes]]:
        """A name for the zip of a folder ('' for everything), and its bytes. Raises NotFound, Invalid, TooLarge."""
        found = folders.open_folder(self.viewer, self.root, self.at(checked_folder(folder)))
        return found.zip_name(self.name) if folder else self.name, found.zipped()

    def texts(self, paths: list[str]) -> list[dict[str, str]]:
        """The beginnings of these files, of those that are text and can be read."""
        shown = []
        for path in paths:
            try:
                _, reader = self.open(path)
                with reader:
                    shown.append({"path": path, "text": beginning_of(reader).text})
            except (NotText, MledError):
                continue
        return shown

    def at(self, path: str) -> str:
        """A path of the shelf as the root knows it."""
        return "/".join(part for part in (self.folder, path) if part)

    def below(self, path: str) -> str:
        """A path of the root as the shelf shows it."""
        return path[len(self.folder) + 1 :] if self.folder else path

    def shown_path(self, file: ArtifactFile) -> str:
        """Where a file lies on the shelf."""
        return self.below(file.path)

    def show_url(self, path: str, **more: object) -> str:
        """The page with this file shown."""
        return self._page(file=path, **more)

    def folder_url(self, path: str) -> str:
        """The page with this folder open."""
        return self._page(folder=path)

    def _page(self, **asked: object) -> str:
        return f"{self.page_url}{'&' if '?' in self.page_url else '?'}{urlencode(asked)}"

    def file_url(self, path: str) -> str:
        """The file's bytes, to be saved."""
        return f"{self.base_url}files/{quote(path)}"

    def picture_url(self, path: str, **more: object) -> str:
        """A picture made of the file."""
        query = f"?{urlencode(more)}" if more else ""
        return f"{self.base_url}preview/{quote(path)}{query}"

    def frame_url(self, path: str, **more: object) -> str:
        """The file as a page of its own that may do nothing."""
        query = f"?{urlencode(more)}" if more else ""
        return f"{self.base_url}frame/{quote(path)}{query}"

    def tree_url(self, **asked: object) -> str:
        """A part of the tree."""
        return f"{self.base_url}tree/?{urlencode(asked)}"

    def archive_url(self, folder: str = "") -> str:
        """A folder as a zip, or everything."""
        query = f"?{urlencode({'path': folder})}" if folder else ""
        return f"{self.base_url}archive.zip{query}"


def _lies_in(path: str, folder: str) -> bool:
    return bool(path) and f"{path}/".startswith(f"{folder}/")
