"""What is deleted in the source: deleted here too, softly and once, unless it is more than what this source brought."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice

from django.db import transaction

from experiments.actions.experiments import delete_experiment
from experiments.actions.runs import delete_run
from experiments.models import Experiment, Run
from experiments.values import Lifecycle
from kernel.errors import Conflict
from transfer.actions.mlflow import MADE
from transfer.bringing.under_way import EXPERIMENT, RUN, UnderWay
from transfer.mlflow.here import RUNS_AT_ONCE, runs_here
from transfer.mlflow.records import SourceExperiment
from transfer.models import Moved

_DELETED = ":deleted"  # of a kind: what an import has deleted, so that whoever restores it here has the last word


def delete_runs(way: UnderWay, source_ids: Sequence[str]) -> None:
    """Delete the runs that are deleted in the source, once all of them is here."""
    for number, source_id in enumerate(source_ids):
        way.progress.at("deleted runs", number, len(source_ids))
        row, moved = way.run(source_id), way.moved(RUN, source_id)
        if row is not None and moved is not None and not row.is_deleted:
            way.told(f"run {source_id}", partial(_delete_run, way, source_id, row, moved))


def _delete_run(way: UnderWay, source_id: str, row: Run, moved: Moved) -> None:
    _refuse_restored(way, RUN, source_id)
    if moved.digest and runs_here([row])[row.pk].digest() != moved.digest:
        raise Conflict("It is deleted in the source, and was changed here since: it stays.")
    _once(way, RUN, source_id, row.uid.hex, partial(delete_run, way.actor, row, reason=way.bringing.reason))


def delete_experiments(way: UnderWay, found: Sequence[SourceExperiment]) -> None:
    """Delete the experiments that are deleted in the source, once their runs are."""
    for one in found:
        row = Experiment.objects.get(pk=way.experiments[one.id].pk)
        if one.is_deleted and row.lifecycle == Lifecycle.ACTIVE and not row.is_default:
            way.told(f"experiment {one.name[:80]}", partial(_delete_experiment, way, one, row))


def _delete_experiment(way: UnderWay, one: SourceExperiment, row: Experiment) -> None:
    """Raise Conflict for one that was here before, that somebody restored or renamed, or in which they went on."""
    moved = way.moved(EXPERIMENT, one.key)
    if moved is None or moved.digest != MADE:
        raise Conflict("It is deleted in the source, and was here before: it stays.")
    _refuse_restored(way, EXPERIMENT, one.key)
    if row.name != one.name:
        raise Conflict("It is deleted in the source, and was renamed here: it stays.")
    if any(_is_ours(way, runs) for runs in _active_runs(row)):
        raise Conflict("It is deleted in the source, and has runs of this project or changed here: it stays.")
    act = partial(delete_experiment, way.actor, row, reason=way.bringing.reason)
    _once(way, EXPERIMENT, one.key, str(row.pk), act)


def _active_runs(experiment: Experiment) -> Iterator[list[Run]]:
    rows = Run.objects.filter(experiment=experiment, lifecycle=Lifecycle.ACTIVE).order_by("pk").iterator()
    while some := list(islice(rows, RUNS_AT_ONCE)):
        yield some


def _is_ours(way: UnderWay, runs: Sequence[Run]) -> bool:
    """Whether there is one that the source did not bring, or that was changed since."""
    told = Moved.objects.filter(project=way.project, origin=way.bringing.origin, kind=RUN)
    digests = dict(told.filter(target__in=[run.uid.hex for run in runs]).values_list("target", "digest"))
    here = runs_here([run for run in runs if digests.get(run.uid.hex)])
    return any(
        run.uid.hex not in digests or (run.pk in here and here[run.pk].digest() != digests[run.uid.hex]) for run in runs
    )


def _refuse_restored(way: UnderWay, kind: str, key: str) -> None:
    if way.moved(kind + _DELETED, key) is not None:
        raise Conflict("It is deleted in the source, and was restored here: it stays.")


def _once(way: UnderWay, kind: str, key: str, target: str, act: Callable[[], object]) -> None:
    with transaction.atomic():
        act()
        way.bringing.note(kind + _DELETED, key, target)
