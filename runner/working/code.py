"""The code of a job, made ready in its folder: a built-in trainer, an uploaded folder or notebook, a repository."""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Final

from artifacts.models import Blob
from artifacts.paths import checked_folder, checked_path
from artifacts.storage import StoredBlob, blobs
from experiments.conditions import BUILT_IN, DETERMINISM, UPLOADED
from kernel.actor import system
from kernel.errors import Conflict, Invalid
from runner import trainers
from runner.command_words import filled
from runner.models import Recipe
from runner.queries.secrets import repository_secret_of
from runner.recipes import resources_of, values_of
from runner.trainers.packing import kept_path, packed
from runner.working.code_archives import unpack
from runner.working.code_git import apply_patch, lay_out_bundle, lay_out_commit
from runner.working.code_lfs import fetch_kept_elsewhere
from runner.working.code_notebooks import SUFFIX, script_of
from runner.working.code_pointers import refuse_pointers
from runner.working.code_reading import refuse_outside
from runner.working.facts import Facts
from runner.working.git_keys import GitKey, git_key
from runner.working.workplace_folders import made

COMMIT_TAG: Final = "mlflow.source.git.commit"
REPOSITORY_TAG: Final = "mlflow.source.git.repoURL"
DIRTY_TAG: Final = "mlflow.source.git.dirty"
FOLDER_TAG: Final = "mled.folder"
PATCH_PATH: Final = "code/changes.patch"
ARCHIVES: Final = (".zip", ".tar", ".tgz", ".gz", ".bz2", ".xz", ".tbz2", ".txz")

Told = Callable[[str], None]


@dataclass(slots=True)
class Code:
    """folder: where the command starts; words: the command, with its values."""

    folder: Path
    words: list[str]
    facts: Facts = field(default_factory=Facts)


def lay_out(recipe: Recipe, folder: Path, *, told: Told, at_most: int | None = None) -> Code:
    """Put the code into the folder. Raises MledError where it cannot be had.

    at_most: bytes that it may take; None for as many as the recipe lets a job write.
    """
    made(folder)
    told("Making the code ready")
    words = filled(recipe.words, values_of(recipe))
    if recipe.kind == Recipe.Kind.TRAINER:
        return _of_trainer(recipe, folder, words)
    if recipe.kind == Recipe.Kind.REPOSITORY:
        return _of_repository(recipe, folder, words, told)
    return _of_upload(recipe, folder, words, told, at_most=min(_room(recipe), at_most or _room(recipe)))


def _room(recipe: Recipe) -> int:
    """Bytes that the code may take."""
    return resources_of(recipe).disk_mb * 1024**2


def _of_trainer(recipe: Recipe, folder: Path, words: list[str]) -> Code:
    built_in = trainers.trainer(recipe.trainer)
    if recipe.trainer_digest and built_in.digest != recipe.trainer_digest:
        raise Conflict(
            f"The trainer '{recipe.trainer}' of this worker is another one than the recipe names.",
            hint="Launch it anew with the trainer as it is now.",
            field="trainer",
        )
    shutil.copytree(built_in.path, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    facts = Facts(tags={BUILT_IN: f"{built_in.name} sha256:{built_in.digest}", DETERMINISM: built_in.determinism})
    facts.contents[kept_path(built_in.name)] = packed(built_in.path)
    return Code(folder, words or filled(built_in.words, values_of(recipe)), facts)


def _of_repository(recipe: Recipe, folder: Path, words: list[str], told: Told) -> Code:
    laid = None
    facts = Facts(tags={COMMIT_TAG: recipe.commit, DIRTY_TAG: "true" if recipe.patch_id else "false"})
    if recipe.code is not None:
        bundle = stored(recipe.code)
        lay_out_bundle(bundle, recipe.commit, folder, at_most=_room(recipe), told=told)
        facts.tags[UPLOADED] = f"sha256:{bundle.digest}"
        facts.blobs[f"code/{_name_of(recipe, 'code.bundle')}"] = bundle
    else:
        key = _key(recipe)
        laid = lay_out_commit(recipe.repository, recipe.commit, folder, at_most=_room(recipe), told=told, key=key)
    if recipe.repository:
        facts.tags[REPOSITORY_TAG] = recipe.repository
    _patch(recipe, folder, facts, told)  # of pointers, as git has them
    if laid is None:
        refuse_pointers(folder)
    else:
        fetch_kept_elsewhere(laid, folder, at_most=_room(recipe), told=told)
    start = starting(folder, recipe.folder, is_whole=True)
    return Code(start, as_script(start, words, ""), facts)


def _key(recipe: Recipe) -> GitKey | None:
    """The secret of the project that opens the repository, if one is named. Raises Conflict, Invalid."""
    kept = repository_secret_of(system(), recipe)
    if kept is None:
        return None
    number, value = kept
    of = f"{recipe.project_id} {number}"
    return git_key(recipe.repository, name=recipe.repository_secret, value=value, of=of)


def _patch(recipe: Recipe, folder: Path, facts: Facts, told: Told) -> None:
    if recipe.patch is not None:
        patch = stored(recipe.patch)
        apply_patch(patch, folder, told=told)
        facts.blobs[PATCH_PATH] = patch
    if recipe.folder:
        facts.tags[FOLDER_TAG] = recipe.folder


def _of_upload(recipe: Recipe, folder: Path, words: list[str], told: Told, *, at_most: int) -> Code:
    blob, name = stored(recipe.code), _name_of(recipe, "code")
    with blobs().open(blob) as file:
        is_archive = unpack(file, folder, at_most=at_most)
        if not is_archive:
            _refuse_broken(name)
            file.seek(0)
            with (folder / name).open("xb") as target:
                shutil.copyfileobj(file, target)
    facts = Facts(tags={UPLOADED: f"sha256:{blob.digest}"}, blobs={f"code/{name}": blob})
    _patch(recipe, folder, facts, told)
    refuse_pointers(folder)
    start = starting(folder, recipe.folder, is_whole=not is_archive)
    return Code(start, as_script(start, words, "" if is_archive else name), facts)


def _refuse_broken(name: str) -> None:
    """Raise Invalid for what is called an archive and is none."""
    if name.lower().endswith(ARCHIVES):
        raise Invalid(f"'{name[:80]}' is damaged: it is neither a zip nor a tar.", hint="Send it again.", field="code")


def _name_of(recipe: Recipe, otherwise: str) -> str:
    """What the uploaded file was called, as a plain name."""
    return checked_path(PurePosixPath(recipe.code_name.replace("\\", "/")).name or otherwise, "code")


def stored(blob: Blob | None) -> StoredBlob:
    """Uploaded content as the store knows it. Raises Conflict where the recipe names none."""
    if blob is None:
        raise Conflict("The recipe names no code.", hint="Upload it again.", field="code")
    return StoredBlob(blob.digest, blob.size_bytes)


def starting(folder: Path, within: str, *, is_whole: bool = False) -> Path:
    """Where the command starts: the folder that the recipe names, else the only one that an archive holds, else the
    top. is_whole: what stands at the top is known, as in a repository."""
    if within:
        place = refuse_outside(folder, folder / checked_folder(within, "folder"))
        if not place.is_dir():
            raise Invalid(f"The code has no folder '{within[:80]}'.", field="folder")
        return place
    entries = list(folder.iterdir())
    is_packed = not is_whole and len(entries) == 1 and entries[0].is_dir() and not entries[0].is_symlink()
    return entries[0] if is_packed else folder


def as_script(folder: Path, words: list[str], uploaded: str) -> list[str]:
    """The command with scripts in the place of notebooks. uploaded: the one file that was, if it was one."""
    if not words and uploaded:
        words = ["python", uploaded]
    if not words:
        raise Invalid("The recipe does not say what to run.", hint="Write a command.", field="words")
    return [_script_for(folder, word) if word.endswith(SUFFIX) else word for word in words]


def _script_for(folder: Path, word: str) -> str:
    place = folder / word
    if word.startswith("/") or not os.path.lexists(place):  # no part of the code, such as one of its inputs
        return word
    refuse_outside(folder, place.parent)  # the script is written there
    if not refuse_outside(folder, place).is_file():
        return word
    return script_of(place).relative_to(folder).as_posix()
