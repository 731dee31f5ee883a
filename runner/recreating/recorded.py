"""A run of elsewhere, rebuilt from what an MLflow client or `mled run` recorded: words of whoever wrote them."""

import re
import shlex
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Final

from artifacts.models import ArtifactFile
from artifacts.queries.files import files_of, open_found
from artifacts.trees import Files
from experiments.conditions import SEED_NAMES
from experiments.models import Run
from experiments.queries.runs import inputs_of, params_of, tags_of
from kernel.actor import Actor
from kernel.errors import MledError
from runner import command_words
from runner.packages import is_pinned
from runner.recreating.told import Told, data_not_there

PATCH: Final = "code/changes.patch"
INSTALLED: Final = "environment/installed/requirements.txt"
FOLDER, PYTHON = "mled.folder", "mled.python"
HIDDEN: Final = "***"
FILES_MAX: Final = 200
READ_MAX: Final = 4 * 1024 * 1024  # bytes of a lock file or a list of packages
_COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
_PYTHON = re.compile(r"^(python|pypy)[\d.]*$")
_REMOTE = re.compile(r"^(https?://|ssh://|git://|git@)")


def known(viewer: Actor, run: Run) -> Told:
    """What the record of a run says of how it was done; what it lacks is told."""
    tags, files = tags_of(viewer, run), files_of(viewer, run.artifact_root)
    told = Told()
    _code(told, run, tags, files)
    _command(told, tags)
    _packages(told, viewer, run, tags)
    _data(told, viewer, run)
    params = params_of(viewer, run)
    if not any(_last_word(key) in SEED_NAMES for key in params):
        told.differs.append("Seed: none is recorded; what its code draws may fall differently.")
    told.wanted |= {"params": {}, "seed": None, "network": False, "secrets": []}
    return told


def _code(told: Told, run: Run, tags: Mapping[str, str], files: Files) -> None:
    commit, url = run.git_commit, tags.get("mlflow.source.git.repoURL", "")
    patched = files.filter(path=PATCH).exists()
    if not _COMMIT.fullmatch(commit):
        told.cannot.append("Code: no full commit is recorded. Run it with changes: name one, or send its folder.")
    elif not url:
        told.cannot.append("Code: no repository is named. Run it with changes: name one, or send a bundle of it.")
    elif not _REMOTE.match(url):
        told.cannot.append(
            f"Code: {url[:200]} is a folder of another machine. Run it with changes: send it as a git bundle"
            " (git bundle create code.bundle --all)."
        )
    if tags.get("mlflow.source.git.dirty") == "true" and not patched:
        told.cannot.append("Code: there were changes that were not committed, and they were not kept.")
    if commit or url:
        told.wanted["repository"] = {"url": url, "commit": commit}
    if patched:
        told.wanted["code_of"] = run.uid.hex
    if tags.get(FOLDER):
        told.wanted["folder"] = tags[FOLDER]


def _command(told: Told, tags: Mapping[str, str]) -> None:
    said = tags.get("mlflow.source.name", "")
    try:
        words = shlex.split(said)
    except ValueError:
        words = []
    if not words:
        told.cannot.append("Command: none is recorded. Run it with changes, and say it.")
        return
    if any(HIDDEN in word for word in words):
        told.cannot.append("Command: it held a secret, which is not recorded. Run it with changes, with a kept secret.")
    first = PurePosixPath(words[0])
    if _PYTHON.match(first.name):
        words[0] = "python"
    elif first.suffix == ".py":
        words = ["python", *words]
        if len(words) == 2:
            told.differs.append(f"Command: only its script is recorded ({first.name}), not what it was called with.")
    told.wanted["words"] = [command_words.literal(word) for word in words]


def _packages(told: Told, viewer: Actor, run: Run, tags: Mapping[str, str]) -> None:
    """A lock with its project, else what was installed, else a list of what is needed."""
    try:
        found = packages_in(viewer, run)
    except MledError as error:
        told.cannot.append(f"Packages: {error}")
        return
    if not found:
        told.cannot.append(
            "Packages: nothing says which were installed. Run it with changes, and give a lock or a list."
        )
        return
    path = found.pop("path")
    python = {"python": short_version(tags[PYTHON])} if tags.get(PYTHON) else {}
    told.wanted["environment"] = {**found, **python}
    if "requirements" in found and not is_pinned(found["requirements"]):
        told.differs.append(f"Packages: {path} does not say every version; newer ones may be installed.")


def packages_in(viewer: Actor, run: Run) -> dict[str, str]:
    """What a run's files say of its packages, as `runner.packages` reads it, and the path that says it; {} for none.

    A uv.lock with its pyproject.toml, else the list of what was installed, else a requirements file.
    """
    named = r"(^|/)(uv\.lock|pyproject\.toml|requirements\.txt)$"
    files = files_of(viewer, run.artifact_root).filter(size_bytes__gt=0, size_bytes__lte=READ_MAX, path__regex=named)
    by_path = {file.path: file for file in files[:FILES_MAX]}
    lock = next((path for path in by_path if path.endswith("uv.lock")), "")
    project = f"{lock.removesuffix('uv.lock')}pyproject.toml"
    if lock and project in by_path:
        parts = {"lock": _text(viewer, by_path[lock]), "project_file": _text(viewer, by_path[project])}
        return {**parts, "path": lock}
    listed = [INSTALLED, *(path for path in by_path if path.endswith("requirements.txt"))]
    wanted = next((path for path in listed if path in by_path), "")
    return {"requirements": _text(viewer, by_path[wanted]), "path": wanted} if wanted else {}


def _text(viewer: Actor, file: ArtifactFile) -> str:
    with open_found(viewer, file) as reader:
        return reader.read(READ_MAX).decode("utf-8", "replace")


def short_version(version: str) -> str:
    """'3.11' of '3.11.9'."""
    return ".".join(version.split(".")[:2])


def _data(told: Told, viewer: Actor, run: Run) -> None:
    inputs = inputs_of(viewer, run)
    told.cannot += data_not_there([one.dataset_version for one in inputs])
    names: dict[str, str] = {}
    for one in inputs:
        plain = re.sub(r"[^A-Za-z0-9_-]+", "-", one.dataset_version.dataset.name).strip("-")[:50] or "data"
        name = plain if plain not in names else f"{plain}-{len(names) + 1}"
        names[name] = str(one.dataset_version_id)
        told.differs.append(
            f"Data: {one.dataset_version} will lie in /inputs/{name}/; its script has to read it there (MLED_INPUTS)."
        )
    told.wanted["inputs"] = names


def _last_word(key: str) -> str:
    return key.rsplit("/", 1)[-1].rsplit(".", 1)[-1].lower()
