"""Filling the runs and models that an archive brought: points, inputs, outputs, files, and how they ended."""

from collections.abc import Sequence
from functools import partial

from accounts.decorators import action
from artifacts.actions.versions import used_version
from artifacts.storage import StoredBlob
from artifacts.versions import require_usable
from audit.ledger.acting import current_act
from experiments.actions.batches import write_params
from experiments.actions.files import put_file
from experiments.actions.inputs import note_input
from experiments.actions.runs import update_run
from experiments.actions.writable import writable_run
from experiments.metrics.batch import MetricPoint, SeriesPoints
from experiments.metrics.segments import append
from experiments.models import Run, RunInput
from experiments.values import RunStatus
from kernel.actor import Actor
from registry.actions.files import put_model_file
from registry.actions.links import log_outputs, log_run_inputs
from registry.actions.logged_models import finalize_logged_model
from registry.actions.model_metrics import keep_model_metrics
from registry.models import LoggedModel
from transfer.actions.archives import Bringing, or_told
from transfer.archive.points import ModelPoint, Piece
from transfer.archive.records import InputRecord, LoggedModelRecord, RunRecord
from transfer.models import Transfer

POINTS = "runs:points"
WHOLE = ":whole"


@action("transfer.bring_in", on="transfer")
def bring_in_points(
    actor: Actor, transfer: Transfer, *, run: Run, pieces: Sequence[Piece], bringing: Bringing, all_of: str = ""
) -> None:
    """Add points to a run; the same ones again change nothing. all_of: the run's id there, once these were its last.

    Points make no event: the seal of the run covers them. Raises Conflict, Locked.
    """
    held = writable_run(run)
    append(held.pk, held.experiment_id, _by_series(pieces))
    if all_of:
        bringing.ids.keep(POINTS, all_of, held.uid.hex)


def _by_series(pieces: Sequence[Piece]) -> list[SeriesPoints]:
    """One for each series, in the order of their keys, so that concurrent batches lock series in one order."""
    found: dict[tuple[str, str], SeriesPoints] = {}
    for piece in pieces:
        series = found.setdefault((piece.key, piece.context), SeriesPoints(piece.key, piece.context))
        series.steps += piece.points.steps.tolist()
        series.times += piece.points.times.tolist()
        series.values += piece.points.values.tolist()
    return [found[named] for named in sorted(found)]


@action("transfer.bring_in", on="transfer")
def bring_in_model_points(
    actor: Actor, transfer: Transfer, *, run: Run, points: Sequence[ModelPoint], bringing: Bringing
) -> None:
    """Add points that a run logged for models; the same ones again change nothing. Raises Conflict, NotFound."""
    held = writable_run(run)
    here = {one.model: bringing.model(one.model).model_id for one in points}
    given = [
        MetricPoint(one.key, one.value, one.at_ms, one.step, here[one.model], one.dataset_name, one.dataset_digest)
        for one in points
    ]
    keep_model_metrics(actor, held, given)


@action("transfer.bring_in", on="transfer")
def complete_run(
    actor: Actor,
    transfer: Transfer,
    *,
    run: Run,
    record: RunRecord,
    files: Sequence[tuple[str, StoredBlob]],
    bringing: Bringing,
) -> list[str]:
    """Params, inputs, outputs, files, and how it ended; that it is whole is on record. Raises what those raise.

    Returns why some inputs and outputs were left out: recalled data, models that did not come along.
    """
    held = writable_run(run)
    write_params(held, list(record.params.items()))
    told: list[str] = []
    for one in record.inputs:
        or_told(told, partial(_note, actor, held, one))
    for model_id in record.models_in:
        or_told(told, partial(_took_in, actor, held, bringing, model_id))
    for model_id, step in record.outputs:
        or_told(told, partial(_put_out, actor, held, bringing, model_id, step))
    for path, stored in files:
        put_file(actor, held, path=path, stored=stored)
    update_run(actor, held, status=RunStatus(record.status), ended_ms=record.ended_ms)
    _is_whole(held)
    bringing.ids.keep("runs" + WHOLE, record.id, held.uid.hex)
    return told


def _took_in(actor: Actor, run: Run, bringing: Bringing, model_id: str) -> None:
    log_run_inputs(actor, run, models=[bringing.model(model_id)])


def _put_out(actor: Actor, run: Run, bringing: Bringing, model_id: str, step: int) -> None:
    log_outputs(actor, run, outputs=[(bringing.model(model_id), step)])


def _note(actor: Actor, run: Run, given: InputRecord) -> None:
    """A dataset version that went in, found by its whole digest; one that was recalled here is refused."""
    version = used_version(actor, run.project, name=given.dataset, digest=given.digest)
    if not RunInput.objects.filter(run=run, dataset_version=version).exists():
        require_usable(version)
        note_input(run, version, context=given.context, tags=given.tags)


def _is_whole(thing: Run | LoggedModel) -> None:
    act = current_act()
    act.always = True
    act.speaks_of(thing.ledger_subject)


@action("transfer.bring_in", on="transfer")
def complete_model(
    actor: Actor,
    transfer: Transfer,
    *,
    model: LoggedModel,
    record: LoggedModelRecord,
    files: Sequence[tuple[str, StoredBlob]],
    bringing: Bringing,
) -> None:
    """Files, and whether it is ready; that it is whole is on record. Raises what those actions raise."""
    for path, stored in files:
        put_model_file(actor, model, path=path, stored=stored)
    if record.status != model.status:
        finalize_logged_model(actor, model, status=record.status)
    _is_whole(model)
    bringing.ids.keep("logged_models" + WHOLE, record.id, model.model_id)
