"""What a bundle holds: everything that the run was done with, or its digest, and what came out."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from artifacts.models import ArtifactFile, DatasetVersion
from artifacts.queries.versions import version_files
from artifacts.storage import StoredBlob
from experiments.models import Run
from experiments.queries.reproductions import allowances_of
from kernel.actor import Actor
from kernel.digests import sha256_hex
from kernel.errors import Conflict, Invalid
from runner.bundles import texts
from runner.bundles.code import Code, code_of
from runner.bundles.packages import Packages, packages_of
from runner.models import Job, Recipe
from runner.recipes import Resources, resources_of
from runner.recreating.likeness import Likeness, like

MEGA: Final = 1024 * 1024
DATA_MB: Final = 200  # of data that are put into a bundle, unless said otherwise
DATA_MB_MAX: Final = 100_000
NOT_SEEN: Final = "a dataset that whoever took this bundle may not see"
HERE: Final = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Data:
    """An input of the run. version: None where the viewer does not see its dataset; files: by path; is_inside: whether
    the bundle holds them."""

    name: str
    version: DatasetVersion | None
    files: Sequence[ArtifactFile]
    is_inside: bool


@dataclass(frozen=True, slots=True)
class Bundle:
    """name: of its top folder. small: contents by path; code: a folder of this machine whose files go below code/,
    so many; stored: blobs by path."""

    name: str
    small: Mapping[str, bytes]
    code: Path | None
    code_files: int
    stored: Mapping[str, StoredBlob] = field(default_factory=dict)


def data_mb_in(text: str) -> int:
    """How many megabytes of data go in, as an address says it. Raises Invalid."""
    if not text:
        return DATA_MB
    if not text.isascii() or not text.isdigit() or int(text[:9]) > DATA_MB_MAX:
        raise Invalid(f"Data of a bundle are from 0 to {DATA_MB_MAX:,} MB.", hint="As in data_mb=500.", field="data_mb")
    return int(text)


def bundle_of(viewer: Actor, run: Run, *, scratch: Path, data_mb: int = DATA_MB) -> Bundle:
    """Everything of a run. scratch: an empty folder for its code, which has to stay until the bundle was read.

    Raises Conflict where the record does not say what was run, NotFound.
    """
    likeness = like(viewer, run)
    job = Job.objects.filter(run=run).select_related("recipe__environment", "recipe__project").first()
    recipe = job.recipe if job else None
    if not likeness.wanted.get("words") and not likeness.wanted.get("trainer") and recipe is None:
        raise Conflict(f"{run.readable_id} does not say what was run.", hint=" ".join(likeness.cannot))
    code = code_of(viewer, run, recipe, likeness, scratch)
    packages = packages_of(viewer, run, recipe, image=job.image if job else "")
    data = list(_data(viewer, likeness, data_mb * MEGA))
    manifest = {
        **_about(run, likeness, recipe),
        **code.manifest,
        "environment": packages.manifest,
        "data": [_data_json(one) for one in data],
        "expected": _expected(viewer, run),
        "exit_code": job.exit_code or 0 if job else 0,
    }
    return _whole(run, manifest, code, packages, data)


def _whole(run: Run, manifest: dict[str, Any], code: Code, packages: Packages, data: Sequence[Data]) -> Bundle:
    small = {**code.small, **packages.files, "rerun.py": rerun_script()}
    small["params.json"] = _json(manifest["params"])
    manifest["files"] = {
        **{path: sha256_hex(content) for path, content in small.items()},
        **{f"code/{path}": _digest_of(code.folder / path) for path in code.paths if code.folder},
        **{path: stored.digest for path, stored in code.stored.items()},
    }
    manifest["files"] = dict(sorted(manifest["files"].items()))
    small |= {"bundle.json": _json(manifest)}
    small |= {"README.md": texts.readme(manifest).encode(), "Dockerfile": texts.dockerfile(manifest).encode()}
    small[".dockerignore"] = texts.NOT_IN_IMAGES.encode()
    inside = {
        f"data/{one.name}/{file.path}": StoredBlob(file.blob_id, file.size_bytes)
        for one in data
        if one.is_inside
        for file in one.files
    }
    return Bundle(f"{run.readable_id}-bundle", small, code.folder, len(code.paths), {**code.stored, **inside})


def _about(run: Run, likeness: Likeness, recipe: Recipe | None) -> dict[str, Any]:
    resources = resources_of(recipe) if recipe else Resources()
    seed = recipe.seed if recipe else None
    return {
        "format": "mled-bundle-1",
        "run": {"id": run.uid.hex, "readable_id": run.readable_id, "name": run.name, "project": run.project.slug},
        "from_record": likeness.from_record,
        "params": {**({} if seed is None else {"seed": seed}), **likeness.wanted.get("params", {})},
        "seed": seed,
        "cpus": resources.cpus,
        "memory_mb": resources.memory_mb,
        "secrets": sorted(likeness.wanted.get("secrets", ())),
        "network": bool(likeness.wanted.get("network")),
    }


def _data(viewer: Actor, likeness: Likeness, room: int) -> Iterator[Data]:
    """The inputs by name; their files go in as long as there is room for all of one version."""
    given = {name: str(uid) for name, uid in likeness.wanted.get("inputs", {}).items()}
    rows = DatasetVersion.objects.visible_to(viewer).filter(pk__in=given.values())
    versions = {str(one.pk): one for one in rows.select_related("dataset__project", "root")}
    for name, uid in sorted(given.items()):
        version = versions.get(uid)
        files = list(version_files(viewer, version)) if version else []
        size = sum(file.size_bytes for file in files)
        is_inside = bool(files) and size <= room
        room -= size if is_inside else 0
        yield Data(name, version, files, is_inside)


def _data_json(one: Data) -> dict[str, Any]:
    return {
        "name": one.name,
        "version": str(one.version or NOT_SEEN),
        "digest": one.version.digest if one.version else "",
        "source": one.version.source if one.version else "",
        "is_inside": one.is_inside,
        "files": [{"path": file.path, "sha256": file.blob_id, "bytes": file.size_bytes} for file in one.files],
    }


def _expected(viewer: Actor, run: Run) -> list[dict[str, Any]]:
    """Last values of the run's own metrics, with what they may be off by. Numbers as text: JSON has none for NaN."""
    return [
        {
            "key": one.key,
            "then": repr(allowed.then),
            "middle": repr(allowed.middle),
            "far": repr(allowed.far),
            "allowed": allowed.words,
        }
        for one, allowed in allowances_of(viewer, run)
        if one.context == ""
    ]


def _digest_of(file: Path) -> str:
    """Read piece by piece: it may be larger than memory."""
    with file.open("rb") as reader:
        return hashlib.file_digest(reader, "sha256").hexdigest()


def _json(told: Any) -> bytes:
    return f"{json.dumps(told, indent=1, ensure_ascii=False, sort_keys=True)}\n".encode()


def rerun_script() -> bytes:
    """rerun.py with its recorder in it: one file."""
    script = (HERE / "rerun.py").read_text(encoding="utf-8")
    recorder = (HERE / "recorder.py").read_text(encoding="utf-8")
    body = recorder.partition("from __future__ import annotations\n")[2]
    return script.replace(
        "from runner.bundles.recorder import Recorder\n", f"\n# --- Recorder\n{body}\n# ---\n"
    ).encode()
