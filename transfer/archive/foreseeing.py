"""What of an archive is here already, before anything is written."""

from typing import Any
from uuid import UUID

from accounts.models import Project
from artifacts.models import Dataset, DatasetVersion
from experiments.models import Comment, Experiment, MetricDirection, Run, SavedView
from kernel.actor import Actor
from registry.models import LoggedModel, ModelVersion, RegisteredModel
from transfer.archive.checking import Found
from transfer.archive.ids import Ids
from transfer.archive.reading import Archive

_AT_ONCE = 500


def already_here(viewer: Actor, project: Project, archive: Archive, found: Found, ids: Ids) -> dict[str, int]:
    """By kind, how many would not be made: brought in before, or of the same id or name."""
    experiments = set(_of(Experiment, viewer, project).values_list("name", flat=True))
    datasets = set(_of(Dataset, viewer, project).values_list("name", flat=True))
    versions = {
        f"{name}\n{digest}"
        for name, digest in DatasetVersion.objects.visible_to(viewer)
        .filter(dataset__project=project)
        .values_list("dataset__name", "digest")
    }
    models = set(_of(RegisteredModel, viewer, project).filter(is_deleted=False).values_list("name", flat=True))
    numbers = {
        f"{name}\n{number}"
        for name, number in ModelVersion.objects.visible_to(viewer)
        .filter(model__project=project, is_deleted=False)
        .values_list("model__name", "number")
    }
    own_views = _of(SavedView, viewer, project).filter(created_by_id=viewer.user_id)
    views = set(own_views.values_list("name", flat=True))
    directions = set(_of(MetricDirection, viewer, project).values_list("key", flat=True))
    here = {
        "experiments": experiments,
        "datasets": datasets,
        "dataset_versions": versions,
        "registered_models": models,
        "model_versions": numbers,
        "directions": directions,
        "runs": _runs(viewer, project, list(found.digests["runs"])),
        "logged_models": _models(viewer, project, list(found.digests["logged_models"])),
        "comments": _comments(viewer, project, list(found.digests["comments"])),
    }
    counted = {
        kind: sum(1 for key in found.digests[kind] if key in known or ids.of(kind, key) is not None)
        for kind, known in here.items()
    }
    counted["views"] = sum(1 for key in found.digests["views"] if key.partition("\n")[0] in views)
    default = next((one for _, one in archive.records("experiments") if one.is_default), None)
    if default is not None and default.name not in experiments and ids.of("experiments", default.name) is None:
        counted["experiments"] += 1
    return counted


def _of(model: Any, viewer: Actor, project: Project) -> Any:
    return model.objects.visible_to(viewer).filter(project=project)


def _runs(viewer: Actor, project: Project, keys: list[str]) -> set[str]:
    found: set[str] = set()
    for start in range(0, len(keys), _AT_ONCE):
        some = [UUID(hex=key) for key in keys[start : start + _AT_ONCE]]
        rows = Run.objects.visible_to(viewer).filter(project=project, uid__in=some)
        found |= {uid.hex for uid in rows.values_list("uid", flat=True)}
    return found


def _models(viewer: Actor, project: Project, keys: list[str]) -> set[str]:
    found: set[str] = set()
    for start in range(0, len(keys), _AT_ONCE):
        rows = _of(LoggedModel, viewer, project).filter(model_id__in=keys[start : start + _AT_ONCE])
        found |= set(rows.values_list("model_id", flat=True))
    return found


def _comments(viewer: Actor, project: Project, keys: list[str]) -> set[str]:
    found: set[str] = set()
    for start in range(0, len(keys), _AT_ONCE):
        some = [UUID(hex=key) for key in keys[start : start + _AT_ONCE]]
        rows = Comment.objects.visible_to(viewer).filter(run__project=project, pk__in=some)
        found |= {one.hex for one in rows.values_list("pk", flat=True)}
    return found
