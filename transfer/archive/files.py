"""The files of runs, models and dataset versions, as far as a viewer may download them."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from accounts.access import can
from artifacts.hooks import owners
from artifacts.models import ArtifactFile
from kernel.actor import Actor

Listed = list[tuple[str, str, int]]


def files_of_roots(viewer: Actor, roots: Iterable[UUID | None]) -> defaultdict[Any, Listed]:
    """Path, digest and size of each file below these roots, by path; nothing where the viewer downloads nothing."""
    found: defaultdict[Any, Listed] = defaultdict(list)
    wanted = [root for root in roots if root is not None]
    rows = ArtifactFile.objects.filter(root__in=wanted).select_related("root")
    allowed: dict[UUID, bool] = {}
    for file in rows.iterator(chunk_size=2000):
        if file.root_id not in allowed:
            allowed[file.root_id] = _may_download(viewer, file)
        if allowed[file.root_id]:
            found[file.root_id].append((file.path, file.blob_id, file.size_bytes))
    for listed in found.values():
        listed.sort()
    return found


def _may_download(viewer: Actor, file: ArtifactFile) -> bool:
    """By a role in the project, or by a grant on the experiment of the run or model that they belong to."""
    if can(viewer, "experiments.download", file):
        return True
    owner_of = owners.get(file.root.kind)
    owner = owner_of(file.root.owner_uid) if owner_of else None
    return owner is not None and bool(can(viewer, "experiments.download", owner))
