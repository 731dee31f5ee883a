"""Metric points that name a logged model are kept for the model as well."""

import math
from collections.abc import Sequence

from accounts.access import can_see, require
from artifacts.models import Dataset, DatasetVersion
from artifacts.versions import version_matching
from experiments.metrics.batch import MetricPoint
from experiments.models import Run
from experiments.values import checked_text
from kernel.actor import Actor
from kernel.errors import NotFound
from registry.actions.logged_models import LOG_MODEL
from registry.models import LoggedModel, ModelMetric

_DATASET_NAME_MAX, _DATASET_DIGEST_MAX = 500, 64


def keep_model_metrics(actor: Actor, run: Run, points: Sequence[MetricPoint]) -> None:
    """Part of log_batch: keep points for the models that they name. Repeating them changes nothing.

    Raises NotFound for a model that the run's project does not have, so that nothing of the batch is stored.
    """
    models = _models_of(actor, run, {point.model_id for point in points})
    versions = _versions_of(run, points)
    rows = [_row(point, run, models[point.model_id], versions) for point in points]
    ModelMetric.objects.bulk_create(rows, ignore_conflicts=True)


def _models_of(actor: Actor, run: Run, ids: set[str]) -> dict[str, LoggedModel]:
    rows = LoggedModel.objects.filter(project_id=run.project_id, model_id__in=ids, is_deleted=False)
    found = {model.model_id: model for model in rows.select_related("project") if can_see(actor, model)}
    missing = sorted(ids - set(found))
    if missing:
        raise NotFound(f"No logged model '{missing[0][:80]}' was found.", field="model_id")
    if actor.is_job:
        for model in found.values():
            require(actor, LOG_MODEL, model)
    return found


def _versions_of(run: Run, points: Sequence[MetricPoint]) -> dict[tuple[str, str], DatasetVersion]:
    """The dataset versions of the project that the points name, in full or by a short digest, where it knows them."""
    named = {(point.dataset_name or "", point.dataset_digest or "") for point in points}
    names = {name for name, digest in named if name and digest}
    if not names:
        return {}
    datasets = {one.name: one for one in Dataset.objects.filter(project_id=run.project_id, name__in=names)}
    found = {(name, digest): version_matching(datasets[name], digest) for name, digest in named if name in datasets}
    return {key: version for key, version in found.items() if version is not None}


def _row(
    point: MetricPoint, run: Run, model: LoggedModel, versions: dict[tuple[str, str], DatasetVersion]
) -> ModelMetric:
    is_nan = math.isnan(point.value)
    name, digest = point.dataset_name or "", point.dataset_digest or ""
    return ModelMetric(
        model=model,
        run=run,
        key=point.key,
        value=None if is_nan else point.value,
        is_nan=is_nan,
        step=point.step,
        at_ms=point.at_ms,
        dataset_name=checked_text(name, "dataset_name", _DATASET_NAME_MAX),
        dataset_digest=checked_text(digest, "dataset_digest", _DATASET_DIGEST_MAX),
        dataset_version=versions.get((name, digest)),
    )
