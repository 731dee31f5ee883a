"""Which models went into a run and which came out of it."""

from collections.abc import Sequence

from accounts.decorators import action
from audit.ledger.acting import current_act
from experiments.actions.inputs import DatasetInput, log_inputs
from experiments.actions.writable import writable_run
from experiments.models import Run
from experiments.values import checked_int64
from kernel.actor import Actor
from registry.models import LoggedModel, RunModel

LINK_KIND = "registry.runmodel"


@action("experiments.log_run", on="run")
def log_outputs(actor: Actor, run: Run, *, outputs: Sequence[tuple[LoggedModel, int]]) -> None:
    """Note models that a run made, each with its step. The same one twice leaves one output, with the latest step."""
    run = writable_run(run)
    for model, step in outputs:
        _link(run, model, RunModel.Way.OUTPUT, checked_int64(step, "step"))


@action("experiments.log_run", on="run")
def log_run_inputs(
    actor: Actor, run: Run, *, datasets: Sequence[DatasetInput] = (), models: Sequence[LoggedModel] = ()
) -> None:
    """Note the datasets and models that a run used. The same one twice leaves one input."""
    log_inputs(actor, run, inputs=datasets)
    run = writable_run(run)
    for model in models:
        _link(run, model, RunModel.Way.INPUT, 0)


def _link(run: Run, model: LoggedModel, way: RunModel.Way, step: int) -> None:
    link = RunModel.objects.filter(run=run, model=model, way=way).first()
    before = None if link is None else recorded(link.step)
    if link is None:
        link = RunModel(run=run, model=model, way=way)
    link.step = step
    if before != recorded(step):
        link.save()
        current_act().record(LINK_KIND, run.ledger_id, "set", {field_of(way, model): (before, recorded(step))})


def field_of(way: str, model: LoggedModel) -> str:
    """What the ledger calls this link of a run: 'output:m-…'."""
    return f"{way}:{model.model_id}"


def recorded(step: int) -> dict[str, str]:
    """What the ledger holds of a link: the step as text, because it may have all 64 bits."""
    return {"step": str(step)}
