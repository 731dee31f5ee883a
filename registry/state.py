"""Whether a logged model takes writes now: a locked run keeps its models locked too."""

from experiments.metrics.holding import hold_run
from kernel.actor import Actor
from kernel.errors import Locked, MledError, NotFound
from registry.models import LoggedModel

WRITES = frozenset({"registry.log_model", "experiments.upload"})


def refuse_models_of_locked_runs(actor: Actor, permission: str, model: LoggedModel) -> MledError | None:
    """What a model of a locked run answers to anything that would change it."""
    if permission in WRITES and model.source_run is not None and model.source_run.is_locked:
        return locked(model)
    return None


def writable_model(model: LoggedModel) -> LoggedModel:
    """The model as it is now, under its lock inside the act. Raises NotFound if it is deleted, Locked."""
    held: LoggedModel | None = LoggedModel.objects.select_for_update(no_key=True).filter(pk=model.pk).first()
    if held is None or held.is_deleted:
        raise NotFound(f"No logged model '{model.model_id}' was found.")
    refuse_if_run_is_locked(held)
    return held


def refuse_if_run_is_locked(model: LoggedModel) -> None:
    """Within an act: raise Locked where the run that made the model is locked; it stays unlocked until the commit."""
    state = hold_run(model.source_run_id, alone=False) if model.source_run_id is not None else None
    if state is not None and state[1]:
        raise locked(model)


def locked(model: LoggedModel) -> Locked:
    """The refusal that a model of a locked run gives."""
    return Locked(
        f"The run that made model {model.name} is locked, so the model takes no writes.",
        hint="Unlock the run, or log a new one.",
    )
