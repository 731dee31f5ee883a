"""The lists of packages among the files of runs and of the models that they made."""

from collections.abc import Sequence
from typing import Final

from artifacts.models import ArtifactFile
from artifacts.previews.text import NotText, beginning_of
from artifacts.queries.files import open_found
from experiments.compare.packages import LIST_MAX, is_list
from experiments.hooks import model_files_of
from experiments.models import Run
from experiments.queries.comparison import files_of_runs
from kernel.actor import Actor
from kernel.errors import MledError

ENDINGS: Final = (".txt", ".lock", ".yaml", ".yml")
Texts = dict[str, str]  # by path


def package_lists(viewer: Actor, runs: Sequence[Run]) -> dict[int, Texts]:
    """The texts of the lists of packages of each run, by path. Each content is read once."""
    found: dict[int, list[tuple[str, ArtifactFile]]] = {}
    for run, mine in files_of_runs(viewer, runs, ENDINGS).items():
        found[run] = [(file.path, file) for file in mine if is_list(file.path)]
    for run, labelled in model_files_of(viewer, runs, ENDINGS).items():
        found.setdefault(run, []).extend((path, file) for path, file in labelled if is_list(path))
    texts: dict[str, str] = {}
    for files in found.values():
        for _, file in files:
            if file.blob_id not in texts:
                texts[file.blob_id] = _text(viewer, file)
    return {run: {path: texts[file.blob_id] for path, file in files} for run, files in found.items() if files}


def _text(viewer: Actor, file: ArtifactFile) -> str:
    try:
        with open_found(viewer, file) as reader:
            return beginning_of(reader, LIST_MAX).text
    except (NotText, MledError):
        return ""
