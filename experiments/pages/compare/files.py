"""Files of the same name in the base run and another one, against each other: code, and other texts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.pages.doors import signed_in
from artifacts.models import ArtifactFile
from artifacts.previews.text import NotText, beginning_of
from artifacts.queries.files import open_found
from experiments.compare.packages import is_list
from experiments.compare.texts import TextDiff, text_diff
from experiments.models import Run
from experiments.pages.artifacts import shelf_of
from experiments.pages.compare.columns import columns_of
from experiments.pages.compare.fields import Fields, code_rows
from experiments.pages.compare.frame import Frame, framed, other_of
from experiments.pages.compare.words import code_line
from experiments.queries.comparison import Compared, compared, files_of_runs
from kernel.actor import Actor
from kernel.digests import sha256_hex
from kernel.errors import MledError

CODE: Final = (
    ".py", ".ipynb", ".r", ".jl", ".sh", ".bash", ".ps1", ".ts", ".tsx", ".js", ".jsx", ".mjs", ".sql", ".c", ".h",
    ".cc", ".cpp", ".hpp", ".cu", ".java", ".kt", ".scala", ".go", ".rs", ".m", ".lua", ".pl", ".rb", ".cs", ".swift",
    ".pyx", ".proto", ".patch", ".diff", "dockerfile", "makefile",
)  # fmt: skip
TEXTS: Final = (
    ".txt", ".md", ".rst", ".json", ".jsonl", ".yaml", ".yml", ".toml", ".ini", ".cfg", ".conf", ".csv", ".tsv", ".log",
    ".xml", ".html", ".htm", ".tex", ".properties", ".env",
)  # fmt: skip
READ_MAX: Final = 400_000  # bytes of each file that are compared
FILES_SHOWN: Final = 300
GIT_DIFF: Final = "mlflow.source.git.diff"
GIT_DIFF_NAME: Final = "uncommitted changes (git diff)"
CHANGES: Final = {"changed": "changed", "old": "only in the base", "new": "only in the other", "same": "the same"}


@dataclass(frozen=True, slots=True)
class Source:
    """A text of a run: a file, or what a tag says. mark: the same for the same content."""

    path: str
    mark: str
    size_bytes: int
    file: ArtifactFile | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class Pair:
    """Texts of one name in both runs. change: changed, old (only in the base run), new or same."""

    path: str
    old: Source | None
    new: Source | None
    url: str
    is_current: bool

    @property
    def change(self) -> str:
        if self.old is None or self.new is None:
            return "old" if self.old else "new"
        return "same" if self.old.mark == self.new.mark else "changed"

    @property
    def words(self) -> str:
        return CHANGES[self.change]


@dataclass(frozen=True, slots=True)
class Against:
    """Two texts of a pair, compared. why: what could not be, and the reason; cut: only the beginning was read."""

    diff: TextDiff | None
    why: str = ""
    cut: bool = False


@require_safe
@signed_in
def texts(request: HttpRequest) -> HttpResponse:
    """Texts that are neither code nor lists of packages."""
    frame = framed(request, "files")
    context = frame.context
    if frame.runs:
        context |= pairs_context(request, frame, _files(frame, TEXTS, without_lists=True))
    return render(request, "experiments/compare_files.html", context)


@require_safe
@signed_in
def code(request: HttpRequest) -> HttpResponse:
    """Commit, branch, repository; then the sources and patches that both runs keep."""
    frame = framed(request, "code")
    context = frame.context
    if frame.runs:
        held, columns = compared(frame.viewer, frame.runs), columns_of(frame)
        rows = code_rows(Fields(held, columns))
        found = sources_of(frame, held)
        context |= pairs_context(request, frame, found) | {
            "columns": columns,
            "rows": [code_line(row) for row in rows],
            "without_commit": [run for run in frame.runs if not run.git_commit],
            "without_code": [run for run in frame.runs if not found.get(run.pk)],
        }
    return render(request, "experiments/compare_code.html", context)


def sources_of(frame: Frame, held: Compared) -> dict[int, list[Source]]:
    """The code that each run keeps, and what it had changed since its commit."""
    found = _files(frame, CODE)
    for run in frame.runs:
        said = held.tags.get(run.pk, {}).get(GIT_DIFF, "")
        if said:
            source = Source(GIT_DIFF_NAME, sha256_hex(said.encode()), len(said.encode()), text=said)
            found.setdefault(run.pk, []).insert(0, source)
    return found


def differing(found: Mapping[int, Sequence[Source]]) -> int:
    """How many texts are not the same in all runs that keep any."""
    kept = [{one.path: one.mark for one in sources} for sources in found.values() if sources]
    return sum(len({mine.get(path) for mine in kept}) > 1 for path in {path for mine in kept for path in mine})


def _files(frame: Frame, endings: Sequence[str], *, without_lists: bool = False) -> dict[int, list[Source]]:
    """The files of these kinds of the base run and the one against it, and for code of all."""
    found = files_of_runs(frame.viewer, frame.runs, endings)
    return {
        run: [
            Source(file.path, file.blob_id, file.size_bytes, file)
            for file in files
            if not (without_lists and is_list(file.path))
        ]
        for run, files in found.items()
    }


def pairs_context(request: HttpRequest, frame: Frame, found: Mapping[int, Sequence[Source]]) -> dict[str, Any]:
    """The pairs of the base run and the other one, and the difference of the one that the address names."""
    at = other_of(frame)
    if at is None:
        return {"pairs": [], "other": None}
    base, other = frame.runs[frame.base], frame.runs[at]
    look = "unified" if request.GET.get("diff") == "unified" else "split"
    pairs = _pairs(frame, found.get(base.pk, ()), found.get(other.pk, ()), request.GET.get("file", ""), look)
    current = next((pair for pair in pairs if pair.is_current), None)
    context: dict[str, Any] = {
        "pairs": pairs[:FILES_SHOWN],
        "unlisted": max(0, len(pairs) - FILES_SHOWN),
        "base_run": base,
        "other_run": other,
        "others": [
            (run, frame.asked.url(other=run.readable_id)) for run in frame.runs if run.pk not in (base.pk, other.pk)
        ],
        "current": current,
        "look": look,
        "read_max": READ_MAX,
    }
    if current is not None:
        other_look = "split" if look == "unified" else "unified"
        context |= {
            "against": against(frame.viewer, current),
            "look_url": _url(frame, current.path, other_look),
            "old_url": _shown_at(frame.viewer, base, current.old),
            "new_url": _shown_at(frame.viewer, other, current.new),
        }
    return context


def _pairs(frame: Frame, old: Sequence[Source], new: Sequence[Source], wanted: str, look: str) -> list[Pair]:
    """By path, those that changed first; current is the one that is wanted, else the first."""
    before, after = {one.path: one for one in old}, {one.path: one for one in new}
    pairs = [
        Pair(path, before.get(path), after.get(path), _url(frame, path, look), False) for path in {**before, **after}
    ]
    order = list(CHANGES)
    pairs.sort(key=lambda pair: (order.index(pair.change), pair.path))
    current = next((at for at, pair in enumerate(pairs) if pair.path == wanted), 0)
    return [Pair(pair.path, pair.old, pair.new, pair.url, at == current) for at, pair in enumerate(pairs)]


def _url(frame: Frame, path: str, look: str) -> str:
    return frame.asked.url(more=[("file", path), *([("diff", look)] if look != "split" else [])])


def _shown_at(viewer: Actor, run: Run, source: Source | None) -> str:
    return shelf_of(viewer, run).show_url(source.path) if source and source.file else ""


def against(viewer: Actor, pair: Pair) -> Against:
    """What differs between the two texts. Whatever is wrong with them is said, never raised."""
    if pair.change == "same":
        return Against(None)
    try:
        old, cut_old = _read(viewer, pair.old)
        new, cut_new = _read(viewer, pair.new)
    except NotText:
        return Against(None, "This file is not text.")
    except MledError as error:
        return Against(None, str(error))
    return Against(text_diff(old, new), cut=cut_old or cut_new)


def _read(viewer: Actor, source: Source | None) -> tuple[str, bool]:
    if source is None or source.file is None:
        return (source.text if source else ""), False
    with open_found(viewer, source.file) as reader:
        passage = beginning_of(reader, READ_MAX)
    return passage.text, passage.is_cut
