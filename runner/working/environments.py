"""The packages that a job runs with: built once for each content and interpreter, shared by jobs, changed by none."""

import json
import os
import platform
import stat
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fcntl import LOCK_SH, flock
from pathlib import Path
from typing import Final

from artifacts.models import Blob
from artifacts.storage import StoredBlob, blobs
from kernel.digests import canonical_json, sha256_hex
from kernel.errors import Conflict, Invalid
from runner import trainers
from runner.models import Environment as Kept
from runner.models import Recipe
from runner.packages import BYTES_MAX, Packages, read_packages
from runner.working.code_reading import small_text
from runner.working.environments_building import Interpreter, Told, build, interpreter_for
from runner.working.environments_installed import installed_in
from runner.working.facts import Facts
from runner.working.workplace_folders import cache_folder, cleared, held, held_if_free, made

PYTHON_TAG: Final = "mled.python"
ENVIRONMENT_TAG: Final = "mled.environment"
FOLDER: Final = "environment"
INSTALLED: Final = f"{FOLDER}/installed/requirements.txt"  # as `mled run` names it
_VENV: Final = "venv"


@dataclass(slots=True)
class Environment:
    """readable: what the job has to see; variables: by which it finds the interpreter; facts: for the record.

    holds: a descriptor while which nobody takes the packages away.
    """

    readable: Sequence[Path]
    variables: Mapping[str, str]
    facts: Facts = field(default_factory=Facts)
    holds: int = -1

    def release(self) -> None:
        """It is not needed any more."""
        if self.holds >= 0:
            os.close(self.holds)
            self.holds = -1


def ready(recipe: Recipe, code: Path, *, name: str, told: Told) -> Environment:
    """The environment of a recipe, else that of its trainer, else what the code itself brings, else Python alone.

    code: the folder in which the command starts; name: of the job. Raises Invalid in uv's words, Unavailable.
    """
    packages = _of(recipe, code)
    interpreter = interpreter_for(packages.python if packages else "", told=told)
    place, holds = _built(packages, interpreter, name=name, told=told)
    venv = place / _VENV
    try:
        facts = json.loads(_mark(place).read_text(encoding="utf-8"))
    except BaseException:
        os.close(holds)
        raise
    return Environment(
        readable=[venv, *interpreter.readable],
        variables={"PATH": f"{venv / 'bin'}:/usr/local/bin:/usr/bin:/bin", "VIRTUAL_ENV": str(venv)},
        facts=_facts(packages, facts, recipe.environment),
        holds=holds,
    )


def _of(recipe: Recipe, code: Path) -> Packages | None:
    kept = recipe.environment
    if kept is not None:
        project_file = b"" if kept.project_file is None else _content(kept.project_file)
        return Packages(Kept.Kind(kept.kind), kept.python, _content(kept.lock), project_file)
    if recipe.kind == Recipe.Kind.TRAINER:
        built_in = trainers.trainer(recipe.trainer)
        return Packages(Kept.Kind.REQUIREMENTS, built_in.python, built_in.requirements.encode())
    return _brought_by(code)


def _content(blob: Blob) -> bytes:
    with blobs().open(StoredBlob(blob.digest, blob.size_bytes)) as reader:
        content: bytes = reader.read(BYTES_MAX + 1)
    if sha256_hex(content) != blob.digest:
        raise Conflict("The packages of this recipe are damaged in the store.", hint="Tell an administrator.")
    return content


def _brought_by(code: Path) -> Packages | None:
    """A uv.lock with its pyproject.toml, or a requirements.txt, beside what is started."""
    lock, project_file = small_text(code, "uv.lock", BYTES_MAX), small_text(code, "pyproject.toml", BYTES_MAX)
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    if lock and project_file:
        return read_packages({"lock": lock, "project_file": project_file, "python": python})
    requirements = small_text(code, "requirements.txt", BYTES_MAX)
    if requirements and requirements.strip():
        return read_packages({"requirements": requirements, "python": python})
    return None


def _built(packages: Packages | None, interpreter: Interpreter, *, name: str, told: Told) -> tuple[Path, int]:
    """The folder of an environment that is whole, held so that nobody takes it away."""
    told("Making the environment ready")
    place = made(cache_folder("environments") / _key(packages, interpreter), 0o755)
    with held(place.with_suffix(".lock"), told):
        if not _mark(place).is_file():
            cleared(place)
            made(place, 0o755)
            build(packages, interpreter, place / _VENV, name=name, told=told)
            _refuse_swapped(place / _VENV)
            _mark_ready(place, interpreter)
        os.utime(_mark(place))  # the longest unused go first
        holds = os.open(place.with_suffix(".used"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        flock(holds, LOCK_SH)
    return place, holds


def _refuse_swapped(venv: Path) -> None:
    """Whoever builds packages may write there: a link in its place would show jobs what it leads to."""
    if not stat.S_ISDIR(os.lstat(venv).st_mode):
        raise Invalid(
            "What was built put something else in the place of the environment.",
            hint="Look at the packages that are built from sources: one of them means harm.",
            field="environment",
        )


def _key(packages: Packages | None, interpreter: Interpreter) -> str:
    about = {
        "packages": packages.digest if packages else "",
        "interpreter": [str(interpreter.path), interpreter.version],
        "machine": [platform.system(), platform.machine()],
    }
    return sha256_hex(canonical_json(about))[:32]


def _mark(place: Path) -> Path:
    """What says that it is whole: beside it, where nothing that is built can write."""
    return place.with_suffix(".ready")


def _mark_ready(place: Path, interpreter: Interpreter) -> None:
    """From now on it is whole: what is not marked is built anew."""
    about = {"python": interpreter.version, "installed": installed_in(place / _VENV)}
    aside = place.with_suffix(".aside")
    aside.write_text(json.dumps(about), encoding="utf-8")
    aside.replace(_mark(place))


def _facts(packages: Packages | None, about: Mapping[str, object], kept: Kept | None) -> Facts:
    facts = Facts(tags={PYTHON_TAG: str(about["python"])})
    listed = about["installed"]
    lines = [str(line) for line in listed] if isinstance(listed, list) else []
    facts.contents[INSTALLED] = "".join(f"{line}\n" for line in lines).encode()
    if packages is None:
        return facts
    facts.tags[ENVIRONMENT_TAG] = f"sha256:{kept.digest if kept else packages.digest}"
    if packages.kind == Kept.Kind.LOCK:
        facts.contents[f"{FOLDER}/uv.lock"] = packages.lock
        facts.contents[f"{FOLDER}/pyproject.toml"] = packages.project_file
    else:
        facts.contents[f"{FOLDER}/requirements.txt"] = packages.lock
    return facts


def collect(*, unused_seconds: float) -> int:
    """Take away what no job used for so long and none uses now; returns how many went."""
    gone = 0
    for mark in cache_folder("environments").glob("*.ready"):
        place = mark.with_suffix("")
        if time.time() - mark.stat().st_mtime > unused_seconds and _taken_away(place):
            gone += 1
    return gone


def _taken_away(place: Path) -> bool:
    """Whether it went. Both locks are needed: nobody is about to take it, and nobody has it."""
    lock, used = place.with_suffix(".lock"), place.with_suffix(".used")
    with held_if_free(lock) as nobody_comes, held_if_free(used) as nobody_has_it:
        is_free = nobody_comes and nobody_has_it
        if is_free:
            _mark(place).unlink(missing_ok=True)
            cleared(place)
    return is_free
