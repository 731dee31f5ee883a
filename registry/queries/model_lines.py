"""The registry at a glance: each model with its latest version, where its aliases stand, and what waits on it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from django.db.models import Count, Exists, Max, OuterRef, Q

from accounts.models import Project
from artifacts.models import DatasetVersion
from experiments.models import Run, RunInput
from experiments.queries.recalls import recalled_inputs
from kernel.actor import Actor
from registry.models import LoggedModel, ModelAlias, ModelVersion, PromotionRequest, RegisteredModel, RegisteredModelTag
from registry.sources import PROMPT_TAG

LISTED = 200
NAMED = 12


@dataclass(slots=True)
class ModelLine:
    """One model. data: what went into the run of its latest version; waiting: promotions that nobody decided yet."""

    model: RegisteredModel
    versions: int = 0
    latest: ModelVersion | None = None
    aliases: list[ModelAlias] = field(default_factory=list)
    data: list[DatasetVersion] = field(default_factory=list)
    waiting: int = 0


def model_lines(viewer: Actor, project: Project, *, text: str = "") -> list[ModelLine]:
    """The project's models without its prompts, those that changed last first: at most LISTED, in six queries."""
    live = Q(versions__is_deleted=False)
    models = RegisteredModel.objects.visible_to(viewer).filter(project=project, is_deleted=False)
    prompts = RegisteredModelTag.objects.filter(model=OuterRef("pk"), key=PROMPT_TAG, value__iexact="true")
    models = models.filter(~Exists(prompts))
    if text:
        models = models.filter(name__icontains=text)
    counted = models.annotate(count=Count("versions", filter=live), last=Max("versions__number", filter=live))
    found = list(counted.select_related("created_by", "project").order_by("-updated_ms", "-pk")[:LISTED])
    lines = {model.pk: ModelLine(model, versions=model.count) for model in found}
    _add_latest(viewer, lines, {model.pk: model.last for model in found})
    aliases = ModelAlias.objects.visible_to(viewer).filter(model__in=list(lines)).select_related("version")
    for alias in aliases.order_by("name"):
        lines[alias.model_id].aliases.append(alias)
    asked = PromotionRequest.objects.visible_to(viewer).filter(model__in=list(lines), state="asked")
    for model, waiting in asked.values("model").annotate(waiting=Count("pk")).values_list("model", "waiting"):
        lines[model].waiting = waiting
    _add_data(viewer, lines)
    return list(lines.values())


def _add_latest(viewer: Actor, lines: Mapping[int, ModelLine], last: Mapping[int, int | None]) -> None:
    versions = ModelVersion.objects.visible_to(viewer).filter(
        model__in=list(lines), number__in={number for number in last.values() if number}, is_deleted=False
    )
    for version in versions.select_related("run", "created_by"):
        if last[version.model_id] == version.number:
            version.model = lines[version.model_id].model
            lines[version.model_id].latest = version


def _add_data(viewer: Actor, lines: Mapping[int, ModelLine]) -> None:
    with_run = {line.latest.run_id: line for line in lines.values() if line.latest and line.latest.run_id}
    inputs = (
        RunInput.objects.visible_to(viewer).filter(run__in=list(with_run)).select_related("dataset_version__dataset")
    )
    used: dict[int, list[DatasetVersion]] = {}
    for one in inputs.order_by("dataset_version__dataset__name", "dataset_version__number"):
        used.setdefault(one.run_id, []).append(one.dataset_version)
    for line in lines.values():
        run = line.latest.run_id if line.latest else None
        if run is not None:
            line.data = list(dict.fromkeys(used.get(run, [])))


def recalls_behind(viewer: Actor, runs: Sequence[Run]) -> Mapping[int, list[DatasetVersion]]:
    """The recalled dataset versions behind runs, by the run's key."""
    return recalled_inputs(viewer, runs) if runs else {}


def models_named(viewer: Actor, text: str) -> list[RegisteredModel]:
    """Models with this text in their name, in all projects of the viewer; those that changed last first."""
    models = RegisteredModel.objects.visible_to(viewer).filter(is_deleted=False, name__icontains=text)
    return list(models.select_related("project").order_by("-updated_ms", "-pk")[:NAMED])


def versions_from(viewer: Actor, *, run: Run | None = None, logged: LoggedModel | None = None) -> list[ModelVersion]:
    """The versions that came from a run, or from a logged model."""
    versions = ModelVersion.objects.visible_to(viewer).filter(is_deleted=False)
    versions = versions.filter(run=run) if run is not None else versions.filter(logged_model=logged)
    return list(versions.select_related("model__project", "logged_model").order_by("model__name", "number"))
