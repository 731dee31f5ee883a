"""The packages of a bundle: those of the recipe, else those that the run recorded."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from artifacts.storage import StoredBlob, blobs
from experiments.models import Run
from experiments.queries.runs import tag_of
from kernel.actor import Actor
from runner.models import Environment, Recipe
from runner.packages import image_of
from runner.recreating.recorded import INSTALLED, PYTHON, packages_in, short_version


@dataclass(frozen=True, slots=True)
class Packages:
    """manifest: as rerun.py reads it; files: contents by path in the bundle."""

    manifest: Mapping[str, Any]
    files: Mapping[str, bytes] = field(default_factory=dict)


def packages_of(viewer: Actor, run: Run, recipe: Recipe | None, *, image: str = "") -> Packages:
    """What to install. image: that a job of this place was done in, with its digest."""
    if recipe is not None and recipe.environment is not None:
        return _kept(recipe.environment, image)
    python = short_version(tag_of(viewer, run, PYTHON))
    found = packages_in(viewer, run)
    manifest = {"kind": "none", "python": python, "is_exact": False}
    if found.get("lock"):
        files = {"uv.lock": found["lock"], "pyproject.toml": found["project_file"]}
        return Packages({**manifest, "kind": "lock"}, _placed(files))
    if found.get("requirements"):
        manifest |= {"kind": "requirements", "is_exact": found["path"] == INSTALLED}
        return Packages(manifest, _placed({"requirements.txt": found["requirements"]}))
    return Packages(manifest)


def _placed(texts: Mapping[str, str]) -> dict[str, bytes]:
    return {f"environment/{name}": text.encode() for name, text in texts.items()}


def _kept(environment: Environment, image: str) -> Packages:
    """image: that the run was done in, with its digest."""
    manifest = {"kind": environment.kind, "python": environment.python, "is_exact": False}
    if named := image_of(environment):
        return Packages({**manifest, "image": image or named})
    if environment.kind == Environment.Kind.REQUIREMENTS:
        return Packages(manifest, {"environment/requirements.txt": _read(environment.lock)})
    files = {"environment/uv.lock": _read(environment.lock)}
    if environment.project_file is not None:
        files["environment/pyproject.toml"] = _read(environment.project_file)
    return Packages(manifest, files)


def _read(blob: Any) -> bytes:
    with blobs().open(StoredBlob(blob.digest, blob.size_bytes)) as reader:
        return bytes(reader.read())
