"""What a job runs with: packages, built once for each content and interpreter, or an image; changed by no job."""

import os
import platform
import stat
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from artifacts.models import Blob
from artifacts.storage import StoredBlob, blobs
from kernel.actor import system
from kernel.digests import canonical_json, sha256_hex
from kernel.errors import Conflict, Invalid, Unavailable
from runner import trainers
from runner.executors import chosen
from runner.images import read_image
from runner.models import Environment as Kept
from runner.models import Recipe
from runner.packages import BYTES_MAX, Packages, image_of, read_packages
from runner.queries.secrets import registry_secret_of
from runner.working import images, workplace_kept
from runner.working.code_reading import small_text
from runner.working.environments_building import Interpreter, Told, build, interpreter_for
from runner.working.environments_installed import installed_in
from runner.working.facts import Facts
from runner.working.images_registry import registry_key
from runner.working.workplace_folders import cache_folder, cleared, held, made
from runner.working.workplace_kept import about, mark_of, mark_ready, taken

PYTHON_TAG: Final = "mled.python"
ENVIRONMENT_TAG: Final = "mled.environment"
FOLDER: Final = "environment"
INSTALLED: Final = f"{FOLDER}/installed/requirements.txt"  # as `mled run` names it
_VENV: Final = "venv"


@dataclass(slots=True)
class Environment:
    """readable: what the job has to see; variables: by which it finds the interpreter; facts: for the record.

    holds: a descriptor while which nobody takes the packages away. Of an image: its name with its digest, the folder
    that is its root, and its own variables, over which go secrets and whatever MLED sets.
    """

    readable: Sequence[Path]
    variables: Mapping[str, str]
    facts: Facts = field(default_factory=Facts)
    holds: int = -1
    image: str = ""
    root: Path | None = None
    own_variables: Mapping[str, str] = field(default_factory=dict)

    def release(self) -> None:
        """It is not needed any more."""
        if self.holds >= 0:
            os.close(self.holds)
            self.holds = -1


def ready(recipe: Recipe, code: Path, *, name: str, told: Told) -> Environment:
    """The environment of a recipe, else that of its trainer, else what the code itself brings, else Python alone.

    code: the folder in which the command starts; name: of the job. Raises Invalid in uv's words, Unavailable.
    """
    if image := image_of(recipe.environment):
        return _of_image(recipe, image, told)
    packages = _of(recipe, code)
    interpreter = interpreter_for(packages.python if packages else "", told=told)
    place, holds = _built(packages, interpreter, name=name, told=told)
    venv = place / _VENV
    try:
        facts = about(place)
    except BaseException:
        os.close(holds)
        raise
    return Environment(
        readable=[venv, *interpreter.readable],
        variables={"PATH": f"{venv / 'bin'}:/usr/local/bin:/usr/bin:/bin", "VIRTUAL_ENV": str(venv)},
        facts=_facts(packages, facts, recipe.environment),
        holds=holds,
    )


def _of_image(recipe: Recipe, named: str, told: Told) -> Environment:
    """An image, which is shown by a sandbox alone."""
    if chosen().name != "sandbox":
        raise Unavailable(
            "This worker executes jobs without a sandbox, and an image needs one.",
            hint="Choose a queue whose workers have one (docs/workers.md), or give a lock or a requirements file.",
            field="environment.image",
        )
    kept = registry_secret_of(system(), recipe)
    image = images.ready(read_image(named), registry_key(*kept) if kept else None, told=told)
    return Environment((), {}, image.facts, image.holds, str(image.name), image.root, image.variables)


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
        if not mark_of(place).is_file():
            cleared(place)
            made(place, 0o755)
            build(packages, interpreter, place / _VENV, name=name, told=told)
            _refuse_swapped(place / _VENV)
            mark_ready(place, {"python": interpreter.version, "installed": installed_in(place / _VENV)})
        return place, taken(place)


def _refuse_swapped(venv: Path) -> None:
    """Whoever builds packages may write there: a link in its place would show jobs what it leads to."""
    if not stat.S_ISDIR(os.lstat(venv).st_mode):
        raise Invalid(
            "What was built put something else in the place of the environment.",
            hint="Look at the packages that are built from sources: one of them means harm.",
            field="environment",
        )


def _key(packages: Packages | None, interpreter: Interpreter) -> str:
    named = {
        "packages": packages.digest if packages else "",
        "interpreter": [str(interpreter.path), interpreter.version],
        "machine": [platform.system(), platform.machine()],
    }
    return sha256_hex(canonical_json(named))[:32]


def _facts(packages: Packages | None, known: Mapping[str, object], kept: Kept | None) -> Facts:
    facts = Facts(tags={PYTHON_TAG: str(known["python"])})
    listed = known["installed"]
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


def collect(*, at_most: int, unused_seconds: float) -> int:
    """Take away what no job used for so long and none uses now; returns how many went."""
    return workplace_kept.collect(cache_folder("environments"), at_most=at_most, unused_seconds=unused_seconds)
