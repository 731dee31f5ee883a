"""Which versions of models were built on a dataset version: by their run, or the run of their logged model."""

from collections.abc import Mapping, Sequence
from urllib.parse import quote
from uuid import UUID

from django.db.models import Q, QuerySet

from artifacts.hooks import Use, Uses
from artifacts.models import DatasetVersion
from experiments.models import RunInput
from kernel.actor import Actor
from registry.built_on import standing_on
from registry.models import ModelAlias, ModelVersion

KIND = "models"


def models_on_version(viewer: Actor, version: DatasetVersion) -> QuerySet[ModelVersion]:
    """The model versions that are not deleted and stand on a dataset version, newest first."""
    rows: QuerySet[ModelVersion] = ModelVersion.objects.visible_to(viewer)
    rows = rows.filter(standing_on(version), is_deleted=False)
    return rows.select_related("model__project", "run", "created_by").order_by("-created_at", "-pk")


def model_uses(viewer: Actor, version: DatasetVersion, limit: int) -> Uses:
    """The newest model versions on a dataset version, and how many there are: three queries."""
    rows = models_on_version(viewer, version)
    newest = list(rows[:limit])
    aliases: dict[int, list[str]] = {}
    held = ModelAlias.objects.visible_to(viewer).filter(version__in=newest).order_by("name")
    for pk, name in held.values_list("version_id", "name"):
        aliases.setdefault(pk, []).append(name)
    return Uses(KIND, "Model versions", [_use(row, aliases.get(row.pk, [])) for row in newest], rows.count())


def count_models(viewer: Actor, versions: Sequence[UUID]) -> Mapping[UUID, int]:
    """How many model versions stand on each of these dataset versions: two queries."""
    inputs = RunInput.objects.visible_to(viewer).filter(dataset_version__in=versions)
    used = list(inputs.values_list("run_id", "dataset_version_id"))
    data: dict[int, set[UUID]] = {}
    for run, version in used:
        data.setdefault(run, set()).add(version)
    models = ModelVersion.objects.visible_to(viewer).filter(
        Q(run__in=inputs.values("run")) | Q(logged_model__source_run__in=inputs.values("run")), is_deleted=False
    )
    counts: dict[UUID, int] = {}
    for run, made_by in models.values_list("run_id", "logged_model__source_run_id"):
        for version in data.get(run, set()) | data.get(made_by, set()):
            counts[version] = counts.get(version, 0) + 1
    return counts


def _use(row: ModelVersion, aliases: Sequence[str]) -> Use:
    """words: the aliases that it carries, and its stage."""
    slug, name = quote(row.model.project.slug), quote(row.model.name, safe="")
    return Use(
        label=f"{row.model.name} v{row.number}",
        url=f"/p/{slug}/models/{name}/v/{row.number}/",
        context=row.run.readable_id if row.run else "",
        who=str(row.created_by) if row.created_by else "",
        at=row.created_at,
        words=", ".join([*aliases, *([row.get_stage_display()] if row.stage != "None" else [])]),
    )
