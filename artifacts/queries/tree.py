"""The files below a root as people walk them: one folder at a time, folders before files, each level one query."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Case, Count, F, IntegerField, Q, Sum, Value, When
from django.db.models.functions import StrIndex, Substr

from artifacts.models import ArtifactFile, ArtifactRoot, BlobCheck
from artifacts.paths import checked_folder
from artifacts.queries.files import files_of
from artifacts.trees import Files, within
from kernel.actor import Actor


@dataclass(frozen=True, slots=True)
class Branch:
    """A file or folder of one level. size_bytes and file_count: of all that lies in it."""

    path: str
    is_folder: bool
    size_bytes: int
    file_count: int

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Level:
    """Some entries of a folder in order, and where the next ones begin (0: these were the last)."""

    branches: list[Branch]
    following: int


@dataclass(frozen=True, slots=True)
class Totals:
    """How many files lie in a folder, at any depth, how many bytes, and what checks of their content found."""

    file_count: int
    size_bytes: int
    sound_count: int
    damaged_count: int

    @property
    def is_checked(self) -> bool:
        """Whether the stored content of every file was read again and matched."""
        return self.file_count > 0 and self.sound_count == self.file_count


def level_of(viewer: Actor, root: ArtifactRoot | None, folder: str, *, start: int = 0, limit: int = 200) -> Level:
    """One level of a folder ('' for the top). Empty for what is no folder. Raises Invalid."""
    here = _parted(files_of(viewer, root), checked_folder(folder))
    grouped = here.values("below", "part").annotate(count=Count("pk"), bytes=Sum("size_bytes"))
    rows = list(grouped.order_by("-below", "part")[start : start + limit + 1])
    before = f"{folder}/" if folder else ""
    branches = [Branch(before + row["part"], bool(row["below"]), row["bytes"], row["count"]) for row in rows[:limit]]
    return Level(branches, start + limit if len(rows) > limit else 0)


def totals_of(viewer: Actor, root: ArtifactRoot | None, folder: str = "") -> Totals:
    """How much lies in a folder."""
    outcome = "blob__check_up__outcome"
    found = _below(files_of(viewer, root), checked_folder(folder)).aggregate(
        count=Count("pk"),
        bytes=Sum("size_bytes"),
        sound=Count("pk", filter=Q(**{outcome: BlobCheck.Outcome.SOUND})),
        checked=Count(outcome),
    )
    return Totals(found["count"], found["bytes"] or 0, found["sound"], found["checked"] - found["sound"])


def paths_like(viewer: Actor, root: ArtifactRoot | None, folder: str, text: str, *, limit: int) -> list[ArtifactFile]:
    """Files whose path below the folder holds the text, in whatever case, by path."""
    found = _below(files_of(viewer, root), checked_folder(folder))
    for word in text.split()[:8]:
        found = found.filter(path__icontains=word)
    return list(found.order_by("path")[:limit])


def first_file(viewer: Actor, root: ArtifactRoot | None, folder: str, endings: tuple[str, ...]) -> ArtifactFile | None:
    """The first file with the first of these endings that there is; the first at all where there is none of them."""
    ranks = [When(path__endswith=f".{ending}", then=Value(rank)) for rank, ending in enumerate(endings)]
    nicest = Case(*ranks, default=Value(len(endings)), output_field=IntegerField())
    return _below(files_of(viewer, root), checked_folder(folder)).order_by(nicest, "path").first()


def next_to(viewer: Actor, root: ArtifactRoot | None, path: str, *, step: int, top: str = "") -> str:
    """The path of the file after (step 1) or before (step -1) this one as the tree shows them; '' at its end.

    top: the folder that the tree shows.
    """
    files = files_of(viewer, root)
    folder, _, name = path.rpartition("/")
    found = _beside(files, folder, name, below=0, step=step)
    if not found and step < 0:
        found = _last_in_folders(files, folder)
    while not found and folder != top:
        folder, _, name = folder.rpartition("/")
        sibling = _beside(files, folder, name, below=1, step=step)
        if sibling:
            return _end(files, sibling, step)
        if step > 0:
            found = _edge(files, folder, below=0, step=step)
    return found


def _last_in_folders(files: Files, folder: str) -> str:
    last = _edge(files, folder, below=1, step=-1)
    return _end(files, last, -1) if last else ""


def _end(files: Files, folder: str, step: int) -> str:
    """The first (step 1) or last file of a folder, at any depth."""
    for below in (1, 0) if step > 0 else (0, 1):
        found = _edge(files, folder, below=below, step=step)
        if found:
            return _end(files, found, step) if below else found
    return ""


def _edge(files: Files, folder: str, *, below: int, step: int) -> str:
    """The first or last file (below 0) or folder (below 1) that lies directly in a folder."""
    return _one(_parted(files, folder).filter(below=below), folder, step)


def _beside(files: Files, folder: str, name: str, *, below: int, step: int) -> str:
    """The file or folder of the same level that follows this name, or comes before it."""
    side = {"part__gt": name} if step > 0 else {"part__lt": name}
    return _one(_parted(files, folder).filter(below=below, **side), folder, step)


def _one(rows: Any, folder: str, step: int) -> str:
    part = rows.order_by("part" if step > 0 else "-part").values_list("part", flat=True).first()
    return "" if part is None else (f"{folder}/{part}" if folder else part)


def _below(files: Files, folder: str) -> Files:
    return within(files, folder) if folder else files


def _parted(files: Files, folder: str) -> Any:
    """The files below a folder, each with its part of that level and whether this is a folder (below 1)."""
    skip = len(folder) + 1 if folder else 0
    rows: Any = _below(files, folder).order_by()
    rows = rows.annotate(rest=Substr("path", skip + 1)).annotate(cut=StrIndex("rest", Value("/")))
    return rows.annotate(
        below=Case(When(cut__gt=0, then=Value(1)), default=Value(0), output_field=IntegerField()),
        part=Case(When(cut__gt=0, then=Substr("rest", 1, F("cut") - 1)), default=F("rest")),
    )
