"""Logging metrics, params and tags: all of a batch or nothing of it."""

from collections.abc import Sequence

from accounts.decorators import action
from audit.ledger.acting import current_act
from audit.ledger.inserting import insert_rows
from audit.ledger.models import AuditEvent
from experiments import hooks
from experiments.actions.runs import write_tags
from experiments.actions.writable import writable_run
from experiments.metrics.batch import Batch, MetricPoint, by_series, finite_number
from experiments.metrics.heartbeat import beat
from experiments.metrics.segments import append
from experiments.models import Param, Run
from experiments.search.texts import stored_texts
from kernel.actor import Actor
from kernel.errors import Invalid

PARAM_KIND = "experiments.param"


@action("experiments.log_run", on="run")
def log_batch(actor: Actor, run: Run, *, batch: Batch) -> None:
    """Write a batch. Repeating it changes nothing. Points make no event (the seal covers them); the rest makes one.

    The first points that somebody adds to another's run do make one: who had a hand in it is on record.

    Raises Invalid with the index of a bad item, or where a param has another value already: then nothing is written.
    """
    batch.checked()
    beat(run.pk, run.heartbeat_at)
    is_progress = bool(batch.params or batch.metrics)
    run = writable_run(run, alone=bool(batch.params or batch.tags), is_progress=is_progress)
    if batch.params:
        write_params(run, batch.params)
    if batch.tags:
        write_tags(actor, run, dict(batch.tags))
    if batch.metrics:
        append(run.pk, run.experiment_id, list(by_series(batch.metrics)))
        _note_hand(actor, run)
        _tell_models(actor, run, batch.metrics)


def _note_hand(actor: Actor, run: Run) -> None:
    """Leave an event of the first points that this person adds to a run which somebody else created."""
    if actor.user_id is None or actor.user_id == run.created_by_id:
        return
    act, named = current_act(), run.ledger_subject
    before = AuditEvent.objects.filter(subject_type=named.kind, subject_id=named.id)
    if not before.filter(actor_id=actor.user_id, verb=act.verb, outcome="done").exists():
        act.always = True


def _tell_models(actor: Actor, run: Run, points: Sequence[MetricPoint]) -> None:
    named = [point for point in points if point.model_id]
    if named:
        for keep in hooks.model_metrics:
            keep(actor, run, named)


def write_params(run: Run, params: Sequence[tuple[str, str]]) -> None:
    """Part of an action on a run that is held: add params that are new. Raises Invalid for a changed one."""
    given = dict(params)
    stored = stored_texts(Param, run, list(given))
    for key, value in given.items():
        if key in stored and stored[key] != value:
            raise Invalid(
                f"Param '{key}' is '{stored[key][:80]}' already and cannot become '{value[:80]}': params are set once.",
                hint="Log a new run for a new value.",
                field="params",
            )
    new = {key: value for key, value in given.items() if key not in stored}
    if not new:
        return
    place = {"run_id": run.pk, "experiment_id": run.experiment_id}
    insert_rows([Param(**place, key=key, value=value, number=finite_number(value)) for key, value in new.items()])
    current_act().record(PARAM_KIND, run.ledger_id, "set", {key: (None, value) for key, value in new.items()})
