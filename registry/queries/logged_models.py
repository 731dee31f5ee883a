"""Reading logged models, with their params, tags and metrics."""

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from django.db.models import Q, QuerySet

from accounts.access import can_see, not_found
from accounts.models import Project
from experiments.models import Run
from kernel.actor import Actor
from registry.models import LoggedModel, LoggedModelParam, LoggedModelTag, ModelMetric, ModelVersion, RunModel


class MeasuredMetric(NamedTuple):
    """One metric point of a model, on which data and by which run (32 hex digits)."""

    key: str
    value: float
    step: int
    at_ms: int
    dataset_name: str
    dataset_digest: str
    run_uid: str


class ModelData(NamedTuple):
    """What a model holds, each list sorted by key; and the registered versions that were made of it: (name, number)."""

    params: list[tuple[str, str]]
    tags: list[tuple[str, str]]
    metrics: list[MeasuredMetric]
    registrations: list[tuple[str, int]]


def get_logged_model(viewer: Actor, model_id: str, *, project: Project) -> LoggedModel:
    """The model by its id. Raises NotFound, the same for absent, deleted, invisible and one of another project."""
    rows = LoggedModel.objects.select_related("project", "experiment", "source_run", "created_by")
    found: LoggedModel | None = rows.filter(project=project, model_id=model_id, is_deleted=False).first()
    if found is None or not can_see(viewer, found):
        raise not_found(LoggedModel, model_id[:80])
    return found


def logged_models_in(viewer: Actor, project: Project) -> QuerySet[LoggedModel]:
    """The models that were logged in a project; deleted ones left out."""
    rows = LoggedModel.objects.visible_to(viewer).filter(project=project, is_deleted=False)
    return rows.select_related("experiment", "source_run", "created_by")


def get_logged_models(viewer: Actor, model_ids: Iterable[str], *, project: Project) -> dict[str, LoggedModel]:
    """Several models by their ids. Raises NotFound for the first that is absent."""
    wanted = list(dict.fromkeys(model_ids))
    rows = LoggedModel.objects.visible_to(viewer).filter(project=project, model_id__in=wanted, is_deleted=False)
    found = {model.model_id: model for model in rows}
    for model_id in wanted:
        if model_id not in found:
            raise not_found(LoggedModel, model_id[:80])
    return found


def models_of_run(viewer: Actor, run: Run) -> list[LoggedModel]:
    """The models that came out of a run, in the order in which it named them."""
    seen = LoggedModel.objects.visible_to(viewer).filter(is_deleted=False)
    made = seen.filter(Q(source_run=run) | Q(run_links__run=run, run_links__way=RunModel.Way.OUTPUT))
    return list(made.distinct().order_by("created_ms", "model_id"))


def model_data(viewer: Actor, models: Sequence[LoggedModel]) -> dict[int, ModelData]:
    """Params, tags and metrics by the model's key, in four queries."""
    data = {model.pk: ModelData([], [], [], []) for model in models}
    if not data:
        return data
    ids = list(data)
    params = LoggedModelParam.objects.visible_to(viewer).filter(model__in=ids).order_by("key")
    for model_id, key, value in params.values_list("model_id", "key", "value"):
        data[model_id].params.append((key, value))
    tags = LoggedModelTag.objects.visible_to(viewer).filter(model__in=ids).order_by("key")
    for model_id, key, value in tags.values_list("model_id", "key", "value"):
        data[model_id].tags.append((key, value))
    made = ModelVersion.objects.visible_to(viewer).filter(logged_model__in=ids, is_deleted=False)
    for model_id, name, version in made.order_by("model__name", "number").values_list(
        "logged_model_id", "model__name", "number"
    ):
        data[model_id].registrations.append((name, version))
    metrics = ModelMetric.objects.visible_to(viewer).filter(model__in=ids).order_by("key", "at_ms", "step", "id")
    for model_id, key, value, step, at_ms, name, digest, run_uid in metrics.values_list(
        "model_id", "key", "value", "step", "at_ms", "dataset_name", "dataset_digest", "run__uid"
    ):
        number = math.nan if value is None else value
        data[model_id].metrics.append(MeasuredMetric(key, number, step, at_ms, name, digest, run_uid.hex))
    return data
