"""What stands here of a thing that was brought in, in the form in which the source's record is kept."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from experiments.actions.inputs import DatasetInput
from experiments.metrics.batch import Points
from experiments.metrics.store import history, history_of_many
from experiments.models import MetricSeries, Param, Run, RunInput, RunTag
from registry.models import LoggedModel, LoggedModelParam, LoggedModelTag, ModelMetric
from transfer.mlflow.fitting import FittedModel, FittedRun
from transfer.mlflow.points import digest, in_order

RUNS_AT_ONCE = 100


def runs_here(runs: Sequence[Run]) -> dict[int, FittedRun]:
    """Runs as they are here now, a few queries for all; their points are read and digested."""
    ids = [run.pk for run in runs]
    params, tags = _pairs(Param, ids), _pairs(RunTag, ids)
    datasets: dict[int, list[DatasetInput]] = defaultdict(list)
    for one in RunInput.objects.filter(run__in=ids).select_related("dataset_version__dataset"):
        version = one.dataset_version
        datasets[one.run_id].append(DatasetInput(version.dataset.name, version.digest, tags=one.tags))
    series: dict[int, dict[str, tuple[int, str]]] = defaultdict(dict)
    found = list(MetricSeries.objects.filter(run__in=ids, context="").order_by("run_id", "key"))
    for start in range(0, len(found), 200):
        some = found[start : start + 200]
        points = history_of_many(some)
        for one in some:
            ordered = in_order(points[one.pk])
            series[one.run_id][one.key] = (len(ordered), digest(ordered))
    return {
        run.pk: FittedRun(
            name=run.name,
            status=run.status,
            user=run.claimed_user,
            started_ms=run.started_ms,
            ended_ms=run.ended_ms,
            params=params[run.pk],
            tags=tags[run.pk],
            datasets=datasets[run.pk],
            series=series[run.pk],
        )
        for run in runs
    }


def _pairs(model: type[Param] | type[RunTag], runs: Sequence[int]) -> Mapping[int, dict[str, str]]:
    found: dict[int, dict[str, str]] = defaultdict(dict)
    for run, key, value in model.objects.filter(run__in=runs).values_list("run_id", "key", "value"):
        found[run][key] = value
    return found


def points_here(run: Run, key: str) -> Points:
    """The points of one metric of a run, in order."""
    series = MetricSeries.objects.filter(run=run, key=key, context="").first()
    return Points.none() if series is None else in_order(history(series))


def model_here(model: LoggedModel) -> str:
    """The digest of a logged model as it is here now."""
    fitted = FittedModel(
        model.name,
        model.model_type,
        model.status,
        dict(LoggedModelParam.objects.filter(model=model).values_list("key", "value")),
        dict(LoggedModelTag.objects.filter(model=model).values_list("key", "value")),
    )
    rows = ModelMetric.objects.filter(model=model).select_related("run")
    return fitted.digest(
        [
            metric_place(one.key, one.value, one.at_ms, one.step, one.run.uid.hex, one.dataset_name, one.dataset_digest)
            for one in rows
        ]
    )


def metric_place(
    key: str, value: float | None, at_ms: int, step: int, run_uid: str, dataset: str, digest: str
) -> tuple[str, ...]:
    """A point of a model as its digest takes it; run_uid: the run's id here."""
    number = "nan" if value is None else repr(value + 0.0)
    return key, number, str(at_ms), str(step), run_uid, dataset, digest
