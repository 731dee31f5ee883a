"""What MLED itself knows of a run that a job of its own executed: the code and the data that it laid out, by digest.

Nobody has to say it in tags, so nobody can say it wrongly.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatch

from artifacts.models import ArtifactFile
from audit.compliance.rules.record import Record, content_of
from experiments.models import RunInput
from runner.models import Recipe
from runner.trainers.packing import digest_of_packed, kept_path


def code_kept(record: Record) -> str:
    """Which code ran, where the whole of it is kept with the run by its digest, in words; '' where that is not so."""
    recipe = record.recipe
    if recipe is None:
        return ""
    if recipe.kind == Recipe.Kind.TRAINER:
        zips = [file for file in record.files if file.path == kept_path(recipe.trainer)]
        is_kept = any(digest_of_packed(content_of(file)) == recipe.trainer_digest for file in zips)
        words = f"The built-in trainer {recipe.trainer}, SHA-256 {recipe.trainer_digest[:12]}…"
    else:
        is_kept = recipe.code_id is not None and any(file.blob_id == recipe.code_id for file in record.files)
        at = f"commit {recipe.commit[:7]} in " if recipe.commit else ""
        words = f"The uploaded code ({at}{recipe.code_name or 'one file'}), SHA-256 {str(recipe.code_id)[:12]}…"
    return f"{words}, which MLED executed; it is kept with the run" if is_kept else ""


def has_work_tree(record: Record) -> bool:
    """Whether what ran came out of a checked-out repository, in which something may have been changed."""
    recipe = record.recipe
    return recipe is None or recipe.kind == Recipe.Kind.REPOSITORY


@dataclass(frozen=True, slots=True)
class KeptApart:
    """Files of one dataset version that a built-in trainer was judged by and did not learn from."""

    given: RunInput
    tested: Sequence[ArtifactFile]
    trained: Sequence[ArtifactFile]

    @property
    def overlap(self) -> str:
        """The path of a file to test with whose content was also learned from; '' for none."""
        learned = {file.blob_id for file in self.trained}
        return next((file.path for file in self.tested if file.blob_id in learned), "")


def kept_apart(record: Record) -> KeptApart | None:
    """The part of the training data that the trainer was told to leave out and to be judged by, if it was."""
    recipe = record.recipe
    pattern = str(recipe.params.get("eval_files") or "") if recipe else ""
    if recipe is None or recipe.kind != Recipe.Kind.TRAINER or not pattern:
        return None
    names = {one.name: one.version_id for one in recipe.inputs.all()}
    given = next((one for one in record.inputs if one.dataset_version_id == names.get("train")), None)
    if "eval" in names or given is None or given.dataset_version.root_id is None:
        return None
    files = list(ArtifactFile.objects.filter(root=given.dataset_version.root_id).order_by("path"))
    tested = [file for file in files if _fits(file, pattern)]
    which = str(recipe.params.get("train_files") or "")
    trained = [file for file in files if (not which or _fits(file, which)) and file not in tested]
    return KeptApart(given, tested, trained) if tested and trained else None


def _fits(file: ArtifactFile, pattern: str) -> bool:
    """As the trainer chooses its files: by name or by path."""
    return any(fnmatch(name, pattern) for name in (file.path.rpartition("/")[2], file.path))
