"""The code of a bundle: as files, or as the commit of a repository with what was changed on top."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from artifacts.queries.files import files_of, open_found
from artifacts.storage import StoredBlob
from experiments.models import Run
from kernel.actor import Actor
from kernel.errors import Conflict, TooLarge
from runner import command_words
from runner.models import Recipe
from runner.recreating.likeness import Likeness
from runner.recreating.recorded import PATCH
from runner.trainers.packing import kept_path
from runner.working.code import Code as Laid
from runner.working.code import lay_out
from runner.working.code_archives import unpack

GIT_BUNDLE: Final = "code.bundle"
CHANGES: Final = "changes.patch"
TRAINER_MAX: Final = 64 * 1024 * 1024  # bytes
CODE_MAX: Final = 500 * 1024 * 1024  # bytes, unpacked by whoever answers


@dataclass(frozen=True, slots=True)
class Code:
    """manifest: repository, folder and words as rerun.py reads them. folder: of this machine, with paths below it."""

    manifest: Mapping[str, Any]
    folder: Path | None = None
    paths: Sequence[str] = ()
    small: Mapping[str, bytes] = field(default_factory=dict)
    stored: Mapping[str, StoredBlob] = field(default_factory=dict)


def code_of(viewer: Actor, run: Run, recipe: Recipe | None, likeness: Likeness, scratch: Path) -> Code:
    """What was run. Raises Conflict where it cannot be put into a bundle."""
    if recipe is None or recipe.kind == Recipe.Kind.REPOSITORY:
        return _of_repository(viewer, run, recipe, likeness)
    top = (scratch / "code").resolve()
    laid = _kept_trainer(viewer, run, recipe, top) or _laid_out(recipe, top)
    paths = sorted(
        place.relative_to(top).as_posix()
        for place in top.rglob("*")
        if place.is_file() and not place.is_symlink() and "__pycache__" not in place.parts
    )
    folder = laid.folder.resolve().relative_to(top).as_posix()
    return Code({"repository": None, "folder": "" if folder == "." else folder, "words": list(laid.words)}, top, paths)


def _laid_out(recipe: Recipe, top: Path) -> Laid:
    try:
        return lay_out(recipe, top, told=lambda stage: None, at_most=CODE_MAX)
    except TooLarge as error:
        hint = "Take its uploaded file among the files of the run, and the rest from its page."
        raise TooLarge(f"The code is too large for a bundle. {error.message}", hint=hint) from None


def _kept_trainer(viewer: Actor, run: Run, recipe: Recipe, folder: Path) -> Laid | None:
    """The files of a built-in trainer as the run kept them: that of now may be another."""
    if recipe.kind != Recipe.Kind.TRAINER:
        return None
    kept = files_of(viewer, run.artifact_root).filter(path=kept_path(recipe.trainer)).first()
    if kept is None:
        return None
    folder.mkdir()
    with open_found(viewer, kept) as reader:
        unpack(reader, folder, at_most=TRAINER_MAX)
    values = {"seed": recipe.seed, **recipe.params}
    return Laid(folder, command_words.filled(recipe.words, values))


def _of_repository(viewer: Actor, run: Run, recipe: Recipe | None, likeness: Likeness) -> Code:
    wanted = likeness.wanted
    repository, secret = wanted.get("repository") or {}, ""
    stored: dict[str, StoredBlob] = {}
    if recipe is not None:
        repository, secret = {"url": recipe.repository, "commit": recipe.commit}, recipe.repository_secret
        if recipe.code is not None:
            stored[GIT_BUNDLE] = StoredBlob(recipe.code.digest, recipe.code.size_bytes)
        if recipe.patch is not None:
            stored[CHANGES] = StoredBlob(recipe.patch.digest, recipe.patch.size_bytes)
    elif (patch := files_of(viewer, run.artifact_root).filter(path=PATCH).first()) is not None:
        stored[CHANGES] = StoredBlob(patch.blob_id, patch.size_bytes)
    if not repository.get("commit"):
        raise Conflict(f"{run.readable_id} does not say which code was run.", hint=" ".join(likeness.cannot))
    words = command_words.filled(wanted["words"], {"seed": wanted.get("seed"), **wanted.get("params", {})})
    if any(word.endswith(".ipynb") for word in words):
        raise Conflict(
            f"{run.readable_id} runs a notebook of a repository, which needs MLED to be read as a script.",
            hint="Do it again here: Recreate.",
        )
    manifest = {
        "repository": {
            "url": repository.get("url", ""),
            "commit": repository["commit"],
            "bundle": GIT_BUNDLE if GIT_BUNDLE in stored else "",
            "patch": CHANGES if CHANGES in stored else "",
            "secret": secret,
        },
        "folder": wanted.get("folder", ""),
        "words": words,
    }
    return Code(manifest, stored=stored)
