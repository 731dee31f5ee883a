"""What stands on a version, a run or a logged model, so that it cannot be deleted: approvals and aliases."""

from collections.abc import Collection, Iterable
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from artifacts.models import ArtifactRoot
from experiments.models import Run
from experiments.queries.prepared import Prepared
from kernel.actor import Actor
from kernel.errors import Refused
from registry import hooks
from registry.models import LoggedModel, ModelAlias, ModelVersion, PromotionRequest
from registry.sources import PROMPT_CONTENT

_SHOWN = 5


def standing_on(versions: Iterable[ModelVersion], *, aliases_too: bool = True) -> list[str]:
    """In words: the approvals of these versions and, unless told otherwise, their aliases, by version."""
    ids = [version.pk for version in versions]
    approved = PromotionRequest.objects.filter(version__in=ids, state=PromotionRequest.State.APPROVED)
    aliases = ModelAlias.objects.filter(version__in=ids if aliases_too else [])
    rows = [
        (name, number, f"approved for '{target}'")
        for name, number, target in approved.values_list("model__name", "version__number", "target")
    ] + [
        (name, number, f"alias '{alias}'")
        for name, number, alias in aliases.values_list("model__name", "version__number", "name")
    ]
    return [f"{name} version {number}: {what}" for name, number, what in sorted(set(rows))]


def standing_on_runs(runs: Collection[int]) -> dict[int, str]:
    """The first that stands on a version of each of these runs, in words; runs that nothing stands on are left out."""
    made = Q(version__run__in=runs) | Q(version__logged_model__source_run__in=runs)
    behind = ("version__run_id", "version__logged_model__source_run_id", "model__name", "version__number")
    approved = PromotionRequest.objects.filter(made, version__is_deleted=False, state=PromotionRequest.State.APPROVED)
    aliases = ModelAlias.objects.filter(made, version__is_deleted=False)
    rows = [(*row[:4], f"approved for '{row[4]}'") for row in approved.values_list(*behind, "target")]
    rows += [(*row[:4], f"alias '{row[4]}'") for row in aliases.values_list(*behind, "name")]
    first: dict[int, str] = {}
    for *of_runs, name, number, what in sorted(rows, key=lambda row: row[2:]):
        for run in of_runs:
            first.setdefault(run, f"{name} version {number}: {what}")
    return {run: words for run, words in first.items() if run in runs}


def refuse_if_stood_on(versions: Iterable[ModelVersion], *, aliases_too: bool = True) -> None:
    """Within an act that holds the versions: raise Refused where anything stands on one of them."""
    found = standing_on(versions, aliases_too=aliases_too)
    if found:
        shown = "; ".join(found[:_SHOWN]) + (f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else "")
        raise Refused(
            f"It cannot be deleted, because of what stands on it: {shown}.",
            hint="Move the aliases away first. What is approved stays, because its signature speaks of it.",
        )


def versions_made_of(behind: Q) -> list[ModelVersion]:
    """The versions whose run or logged model satisfies a condition."""
    return list(ModelVersion.objects.filter(behind, is_deleted=False).select_related("model"))


def is_approved(version: ModelVersion) -> bool:
    """Whether an approved promotion speaks of this version."""
    return PromotionRequest.objects.filter(version=version, state=PromotionRequest.State.APPROVED).exists()  # type: ignore[no-any-return]


def refuse_deleted_runs(actor: Actor, runs: QuerySet[Run]) -> None:
    """Part of deleting runs that are held: raise Refused where a version of them is approved or carries an alias."""
    refuse_if_stood_on(versions_made_of(Q(run__in=runs) | Q(logged_model__source_run__in=runs)))


def refuse_deleted_model(model: LoggedModel) -> None:
    """Part of deleting a logged model that is held: raise Refused where a version of it stands."""
    refuse_if_stood_on(versions_made_of(Q(logged_model=model)))
    ask_above(model.project_id, {model.source_run_id})


def refuse_held_versions(project_id: UUID, versions: Iterable[ModelVersion]) -> None:
    """Part of deleting versions that are held: let rooms above refuse it."""
    ids = [version.pk for version in versions]
    rows = ModelVersion.objects.filter(pk__in=ids).values_list("run_id", "logged_model__source_run_id")
    ask_above(project_id, {run for row in rows for run in row})


def ask_above(project_id: UUID, runs: set[int | None]) -> None:
    """Let rooms above refuse a deletion of what these runs made."""
    for check in hooks.model_deletion:
        check(project_id, runs - {None})  # type: ignore[arg-type]  # which takes None out


def refuse_changed_prompt(version: ModelVersion, keys: Iterable[str]) -> None:
    """Part of changing tags of a version that is held: raise Refused where they are what an approved prompt says."""
    found = sorted(PROMPT_CONTENT.intersection(keys))
    if found and is_approved(version):
        raise Refused(
            f"'{found[0]}' is part of the prompt in version {version.number}, which is approved.",
            hint="Register a new version: an approved one keeps what was signed.",
            field="tags",
        )


def _versions(root_id: UUID) -> Any:
    return ModelVersion.objects.filter(root=root_id).values_list("pk", "root_path")


_versions_in = Prepared(_versions, UUID)  # asked by every upload of a file, and mostly there are none


# The usual case of what follows, for statements that ask it themselves.
NO_VERSION_IN = "NOT EXISTS (SELECT 1 FROM registry_modelversion WHERE root_id = {root})"


def refuse_changed_files(root: ArtifactRoot, path: str) -> None:
    """Part of changing files: raise Refused for a file or folder that belongs to an approved version.

    path: what is put or taken away; '' for everything below the root.
    """
    touched = [version for version, top in _versions_in(root.pk) if _overlap(top, path)]
    if not touched:
        return
    approved = PromotionRequest.objects.filter(version__in=touched, state=PromotionRequest.State.APPROVED)
    found = approved.order_by("version_id").values_list("version__model__name", "version__number").first()
    if found is not None:
        raise Refused(
            f"'{path[:200] or 'All of it'}' belongs to version {found[1]} of '{found[0]}', which is approved.",
            hint="Log a new model: an approved version keeps its files as they were signed.",
            field="path",
        )


def _overlap(one: str, other: str) -> bool:
    return not one or not other or one == other or one.startswith(f"{other}/") or other.startswith(f"{one}/")
