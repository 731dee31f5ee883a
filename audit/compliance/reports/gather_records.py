"""What runs hold, read for two hundred at a time: params, tags, metrics with curves, data and files."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from artifacts.models import ArtifactFile, VersionRecord
from artifacts.tables import row_count_of
from audit.compliance.reports import said
from audit.compliance.reports.asof import People, chunks, rows_at
from audit.compliance.reports.facts import Curve, DatasetFact, FileFact, MetricFact
from experiments.metrics.seal import in_portions
from experiments.metrics.store import counts_of_many
from experiments.models import MetricDirection, MetricSeries, Param, Run, RunInput, RunTag
from registry.models import LoggedModel

SYSTEM = "system/"
CURVES_MAX = 4  # of one run
SPANS = 32  # that a curve is thinned to: at most four points of each


@dataclass(slots=True)
class Holdings:
    """What one run holds."""

    params: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    series: list[MetricSeries] = field(default_factory=list)
    metrics: list[MetricFact] = field(default_factory=list)
    curves: list[Curve] = field(default_factory=list)
    inputs: list[RunInput] = field(default_factory=list)
    datasets: list[DatasetFact] = field(default_factory=list)
    files: list[FileFact] = field(default_factory=list)


def holdings_of(runs: Sequence[Run], size: int, people: People) -> dict[int, Holdings]:
    """By run: what it holds. Records of data are as they were at a place in the log.

    Names are put in order here, by code point: databases order text by the language they were set up for, and the
    digest of a report must not hang on that.
    """
    found = {run.pk: Holdings() for run in runs}
    for row in sorted(Param.objects.filter(run__in=list(found)), key=_by_key):
        found[row.run_id].params[row.key] = row.value
    for row in sorted(RunTag.objects.filter(run__in=list(found)), key=_by_key):
        found[row.run_id].tags[row.key] = row.value
    _put_metrics(found, runs)
    _put_data(found, size, people)
    _put_files(found, runs)
    return found


def _by_key(row: Param | RunTag) -> str:
    return row.key  # type: ignore[no-any-return]


# --- Metrics


def _put_metrics(found: Mapping[int, Holdings], runs: Sequence[Run]) -> None:
    series = MetricSeries.objects.filter(run__in=list(found))
    for one in sorted(series, key=lambda one: (one.key, one.context)):
        found[one.run_id].series.append(one)
    better = _directions(runs)
    own = [one for holding in found.values() for one in holding.series if not one.key.startswith(SYSTEM)]
    counts = _counts(own)
    for one in own:
        found[one.run_id].metrics.append(_metric(one, counts.get(one.pk, 0), better.get(one.key, "")))
    drawn = [one for holding in found.values() for one in _worth_drawing(holding.series, better, counts)]
    for one, curve in _curves(drawn):
        found[one.run_id].curves.append(curve)


def _directions(runs: Sequence[Run]) -> dict[str, str]:
    """By metric: 'higher' or 'lower', as the project says."""
    projects = {run.project_id for run in runs}
    rows = MetricDirection.objects.filter(project__in=projects).values_list("key", "higher_is_better")
    return {key: "higher" if higher else "lower" for key, higher in rows}


def _counts(series: Iterable[MetricSeries]) -> dict[int, int]:
    found: dict[int, int] = {}
    for some in chunks([one.pk for one in series]):
        found |= counts_of_many(some)
    return found


def _metric(one: MetricSeries, points: int, better: str) -> MetricFact:
    return MetricFact(
        key=f"{one.key} ({one.context})" if one.context else one.key,
        last="NaN" if one.last_is_nan else said.number(one.last_value),
        step=one.last_step,
        least=said.number(one.min_value),
        greatest=said.number(one.max_value),
        points=points,
        better=better,
    )


def _worth_drawing(
    series: Sequence[MetricSeries], better: Mapping[str, str], counts: Mapping[int, int]
) -> list[MetricSeries]:
    """The metrics with more than one point, those first that the project gave a direction."""
    able = [one for one in series if counts.get(one.pk, 0) > 1 and not one.key.startswith(SYSTEM) and not one.context]
    return sorted(able, key=lambda one: (one.key not in better, one.key))[:CURVES_MAX]


def _curves(series: Sequence[MetricSeries]) -> Iterable[tuple[MetricSeries, Curve]]:
    from experiments.metrics.downsample import sample
    from experiments.metrics.store import history_of_many

    for some in in_portions(series):
        points = history_of_many(some)
        for one in some:
            thin = sample(points[one.pk], SPANS)
            steps, values = thin.x.tolist(), thin.y.tolist()
            finite = [(x, y) for x, y in zip(steps, values, strict=True) if y == y and abs(y) != float("inf")]
            yield (
                one,
                Curve(one.key, [x for x, _ in finite], [y for _, y in finite], points=thin.total, gaps=thin.odd),
            )


# --- Data


def _put_data(found: Mapping[int, Holdings], size: int, people: People) -> None:
    rows = RunInput.objects.filter(run__in=list(found)).select_related(
        "dataset_version__dataset", "dataset_version__computed"
    )
    for given in sorted(rows, key=lambda one: (one.dataset_version.dataset.name, one.dataset_version.number, one.pk)):
        found[given.run_id].inputs.append(given)
    versions = {one.dataset_version_id for holding in found.values() for one in holding.inputs}
    records: dict[Any, Any] = {}
    for some in chunks(sorted(versions)):
        records |= {row.version_id: row for row in rows_at(VersionRecord, size, version_id__in=some)}
    people.learn(row.state_by_id for row in records.values())
    for holding in found.values():
        holding.datasets = [_dataset(one, records.get(one.dataset_version_id), people) for one in holding.inputs]


def _dataset(given: RunInput, record: Any, people: People) -> DatasetFact:
    version = given.dataset_version
    rows = row_count_of(version)
    return DatasetFact(
        name=version.dataset.name,
        version=version.number,
        digest=version.digest,
        context=given.context,
        source=version.source,
        licence=record.licence if record else "",
        personal_data=VersionRecord.PersonalData(record.personal_data).label if record and record.personal_data else "",
        rows="" if rows is None else str(rows),
        recalled=_recalled(record, people),
    )


def _recalled(record: Any, people: People) -> str:
    if record is None or record.state != VersionRecord.State.WITHDRAWN:
        return ""
    by = people.name(record.state_by_id)
    return f"{record.state_reason} ({by}, {said.moment(record.state_at)})" if by else record.state_reason or "recalled"


# --- Files


def _put_files(found: Mapping[int, Holdings], runs: Sequence[Run]) -> None:
    """The files of each run and of the models that it made, by path; those of models under the model's id."""
    roots: dict[Any, list[tuple[int, str]]] = defaultdict(list)
    for run in runs:
        if run.artifact_root_id:
            roots[run.artifact_root_id].append((run.pk, ""))
    models = LoggedModel.objects.filter(source_run__in=list(found), is_deleted=False)
    for run_id, root, name in models.values_list("source_run_id", "artifact_root_id", "model_id"):
        if root:
            roots[root].append((run_id, f"{name}/"))
    for some in chunks(roots):
        rows = ArtifactFile.objects.filter(root__in=some).values_list("root_id", "path", "size_bytes", "blob_id")
        for root, path, size_bytes, digest in rows.order_by("path", "pk"):
            for run_id, prefix in roots[root]:
                found[run_id].files.append(FileFact(f"{prefix}{path}", size_bytes, digest))
    for holding in found.values():
        holding.files.sort(key=lambda one: one.path)
