"""Logged models with their metrics and files, and which runs they went into and came out of."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence

from experiments.metrics.batch import MetricPoint
from experiments.models import Run
from kernel.errors import AlreadyExists, Conflict
from registry.links import NO_LINKS, links_of_runs
from registry.models import LoggedModel
from transfer.actions.mlflow import bring_in_links, bring_in_logged_model, bring_in_model_files, bring_in_model_news
from transfer.bringing.files import portions
from transfer.bringing.runs import Later
from transfer.bringing.under_way import MODEL, UnderWay
from transfer.mlflow.fitting import FittedModel, fit_model, fits_as_metric
from transfer.mlflow.here import metric_place, model_here
from transfer.mlflow.records import SourceExperiment, SourceModel
from transfer.models import Moved

_ID = re.compile(r"m-[0-9a-f]{32}")
Measured = Mapping[Run, Sequence[MetricPoint]]


def bring_models(way: UnderWay, experiments: Sequence[SourceExperiment]) -> None:
    """Every logged model of these experiments."""
    seen = 0
    for experiment in experiments:
        for model in way.source.models(experiment.id):
            way.progress.at("models", seen)
            seen += 1
            way.tally.counts["logged_models_held"] += 1
            way.told(f"logged model {model.id}", lambda model=model: _bring(way, model))  # type: ignore[misc]


def _bring(way: UnderWay, model: SourceModel) -> None:
    record, points = fit_model(model, way.tally.tell), _measured(way, model)
    digest = _digest(record, points)
    moved = way.moved(MODEL, model.id)
    if moved is None:
        row = _made(way, model, record, points, digest)
        way.tally.counts["logged_models"] += 1
    else:
        found = way.model(model.id)
        if found is None:
            raise Conflict("It was brought here before, and is deleted.")
        row = found
        way.tally.counts["logged_models_there"] += 1
        if moved.digest != digest:
            _add(way, model, record, points, row, moved, digest)
    for files in portions(way, model, row.artifact_root):
        bring_in_model_files(way.actor, row, bringing=way.bringing, source_id=model.id, files=files)
        way.tally.counts["files"] += len(files)


def _measured(way: UnderWay, model: SourceModel) -> Measured:
    """The metrics of a model by the run here that measured them."""
    where = f"logged model {model.id}"
    runs = {uid: way.run(uid) for uid in {one.run_id for one in model.metrics}}
    points: dict[Run, list[MetricPoint]] = defaultdict(list)
    for one in model.metrics:
        run = runs[one.run_id]
        if run is None:
            way.tally.tell(
                where, f"The metric '{one.key[:80]}' of run {one.run_id[:40]} is left out: the run is not here."
            )
        elif fits_as_metric(one.key, where, way.tally.tell):
            value = float("nan") if one.value is None else one.value
            points[run].append(
                MetricPoint(one.key, value, one.at_ms, one.step, model.id, one.dataset_name, one.dataset_digest)
            )
    return points


def _digest(record: FittedModel, points: Measured) -> str:
    """Of what is to be here; as ModelMetric tells points apart, so that one of several in one place counts."""
    places: dict[tuple[str, ...], tuple[str, ...]] = {}
    for run, found in points.items():
        for one in found:
            value = None if one.value != one.value else one.value
            place = metric_place(one.key, value, one.at_ms, one.step, run.uid.hex, one.dataset_name, one.dataset_digest)
            places.setdefault((place[0], *place[2:]), place)
    return record.digest(list(places.values()))


def _made(way: UnderWay, model: SourceModel, record: FittedModel, points: Measured, digest: str) -> LoggedModel:
    """The model under its own id, or under a new one where that is taken."""
    run = way.run(model.run_id)
    if model.run_id and run is None:
        way.tally.tell(f"logged model {model.id}", f"The run {model.run_id[:40]} that made it is not here.")
    experiment = way.experiments[model.experiment_id]

    def make(*, keeps_id: bool) -> LoggedModel:
        return bring_in_logged_model(
            way.actor,
            experiment,
            bringing=way.bringing,
            source_id=model.id,
            record=record,
            run=run,
            points=points,
            created_ms=model.created_ms,
            keeps_id=keeps_id,
            digest=digest,
        )

    if _ID.fullmatch(model.id):
        try:
            return make(keeps_id=True)
        except AlreadyExists as taken:
            if taken.field != "model_id":
                raise
    made = make(keeps_id=False)
    way.tally.tell(f"logged model {model.id}", f"Its id cannot be kept here: it is {made.model_id}.")
    return made


def _add(
    way: UnderWay,
    model: SourceModel,
    record: FittedModel,
    points: Measured,
    row: LoggedModel,
    moved: Moved,
    digest: str,
) -> None:
    if model_here(row) != moved.digest:
        raise Conflict("It went on in the source, but it was changed here since: what is new there is left out.")
    bring_in_model_news(
        way.actor, row, bringing=way.bringing, source_id=model.id, record=record, points=points, digest=digest
    )


def link_models(way: UnderWay, later: Later) -> None:
    """Note which models went into runs and came out of them."""
    for number, (source_id, inputs, outputs) in enumerate(later.linked):
        way.progress.at("models of runs", number, len(later.linked))
        run = way.run(source_id)
        if run is not None:
            way.told(
                f"run {source_id}",
                lambda run=run, inputs=inputs, outputs=outputs: _link(way, run, inputs, outputs),  # type: ignore[misc]
            )


def _link(way: UnderWay, run: Run, inputs: Sequence[str], outputs: Sequence[tuple[str, int]]) -> None:
    """Only what is not linked yet, so that a run that stands as it should is not touched."""
    there = links_of_runs([run.pk]).get(run.pk, NO_LINKS)
    read = [row for uid in inputs if (row := _model(way, run, uid)) and row.model_id not in there.inputs]
    made = [
        (row, at) for uid, at in outputs if (row := _model(way, run, uid)) and (row.model_id, at) not in there.outputs
    ]
    if read or made:
        bring_in_links(way.actor, run, bringing=way.bringing, inputs=read, outputs=made)


def _model(way: UnderWay, run: Run, source_id: str) -> LoggedModel | None:
    found = way.model(source_id)
    if found is None:
        way.tally.tell(
            f"run {run.uid.hex}", f"Its model {source_id[:40]} is not here: it was deleted there, or left out."
        )
    return found
