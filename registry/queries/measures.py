"""What was measured and set for model versions: by the runs they come from, and of the logged models themselves."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from accounts.models import Project
from artifacts.models import DatasetVersion
from experiments.models import MetricSeries, Param, RunInput
from experiments.queries.record import SYSTEM_PREFIX
from kernel.actor import Actor
from registry.models import LoggedModelParam, ModelAlias, ModelMetric, ModelVersion, ModelVersionTag, Stage

IN_PRODUCTION = ("production", "champion", "prod")


@dataclass(frozen=True, slots=True)
class Measure:
    """The last value of one metric. data: the dataset it was measured on, where a client said so.

    ended: what the run ended at, where the model's own value is of an earlier or later step. MLflow's client copies to
    a model what its run logged at the step given to `log_model`, 0 unless somebody says more.
    """

    key: str
    value: float
    step: int
    data: str = ""
    ended: "Measure | None" = None


@dataclass(frozen=True, slots=True)
class Record:
    """What is known of one version: last metrics, params, tags, and the data that its run took in."""

    metrics: dict[str, Measure] = field(default_factory=dict)
    params: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    data: list[DatasetVersion] = field(default_factory=list)


def records_of(viewer: Actor, versions: Sequence[ModelVersion]) -> dict[int, Record]:
    """What is known of each version, by its key: six queries for any number of them.

    Where a run and the model it made measured the same metric, the model's own value stands.
    """
    records = {version.pk: Record() for version in versions}
    _add_what_runs_say(viewer, versions, records)
    _add_what_models_say(viewer, versions, records)
    tags = ModelVersionTag.objects.visible_to(viewer).filter(version__in=list(records)).order_by("key")
    for version, key, value in tags.values_list("version_id", "key", "value"):
        records[version].tags[key] = value
    return records


def _by(versions: Sequence[ModelVersion], name: str) -> dict[int, list[int]]:
    """The keys of versions by the row that they come from."""
    found: dict[int, list[int]] = {}
    for version in versions:
        origin = getattr(version, name)
        if origin is not None:
            found.setdefault(origin, []).append(version.pk)
    return found


def _add_what_runs_say(viewer: Actor, versions: Sequence[ModelVersion], records: Mapping[int, Record]) -> None:
    runs = _by(versions, "run_id")
    if not runs:
        return
    series = MetricSeries.objects.visible_to(viewer).filter(run__in=list(runs), context="")
    for one in series.exclude(key__startswith=SYSTEM_PREFIX).order_by("key"):
        value = one.last_value if one.last_value is not None and not one.last_is_nan else math.nan
        for version in runs[one.run_id]:
            records[version].metrics[one.key] = Measure(one.key, value, one.last_step)
    params = Param.objects.visible_to(viewer).filter(run__in=list(runs)).order_by("key")
    for run, key, value in params.values_list("run_id", "key", "value"):
        for version in runs[run]:
            records[version].params[key] = value
    inputs = RunInput.objects.visible_to(viewer).filter(run__in=list(runs)).select_related("dataset_version__dataset")
    for taken in inputs.order_by("dataset_version__dataset__name", "dataset_version__number"):
        for version in runs[taken.run_id]:
            records[version].data.append(taken.dataset_version)


def _add_what_models_say(viewer: Actor, versions: Sequence[ModelVersion], records: Mapping[int, Record]) -> None:
    models = _by(versions, "logged_model_id")
    if not models:
        return
    metrics = ModelMetric.objects.visible_to(viewer).filter(model__in=list(models))
    metrics = metrics.select_related("dataset_version__dataset")
    ran = {version: dict(record.metrics) for version, record in records.items()}
    for one in metrics.order_by("key", "at_ms", "step", "id"):
        value = one.value if one.value is not None and not one.is_nan else math.nan
        for version in models[one.model_id]:
            of_run = ran[version].get(one.key)
            ended = of_run if of_run is not None and of_run.step != one.step else None
            records[version].metrics[one.key] = Measure(one.key, value, one.step, _data_of(one), ended)
    params = LoggedModelParam.objects.visible_to(viewer).filter(model__in=list(models)).order_by("key")
    for model, key, value in params.values_list("model_id", "key", "value"):
        for version in models[model]:
            records[version].params[key] = value


def _data_of(one: ModelMetric) -> str:
    """The data that a metric was measured on, told apart by version, else by the client's digest."""
    if one.dataset_version is not None:
        return str(one.dataset_version)
    return f"{one.dataset_name} {one.dataset_digest[:8]}".strip()


def in_production(viewer: Actor, version: ModelVersion, project: Project) -> tuple[ModelVersion, str] | None:
    """The version of the same model that is in production now, and the alias or stage that says so."""
    words = [*IN_PRODUCTION, *(name for name in project.protected_names if name not in IN_PRODUCTION)]
    aliases = ModelAlias.objects.visible_to(viewer).filter(model=version.model_id)
    held = {one.name.lower(): one for one in aliases.select_related("version__model", "version__run")}
    for word in words:
        if word in held:
            return held[word].version, held[word].name
    staged = ModelVersion.objects.visible_to(viewer).filter(model=version.model_id, is_deleted=False)
    last = staged.filter(stage=Stage.PRODUCTION).select_related("model", "run").order_by("-number").first()
    return None if last is None else (last, str(Stage.PRODUCTION.label))
