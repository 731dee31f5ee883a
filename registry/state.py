"""Whether models and versions take writes now: asked under their lock, inside the act."""

from typing import TypeVar
from uuid import UUID

from accounts.access import not_found, roles_in
from accounts.roles import Role
from experiments.metrics.holding import hold_run
from experiments.state import belongs_to_run as is_of_run
from experiments.values import Lifecycle
from kernel.actor import Actor
from kernel.clock import now_ms
from kernel.errors import Conflict, Locked, MledError, NotFound, Refused
from registry.models import LoggedModel, ModelVersion, RegisteredModel

WRITES = frozenset({"registry.log_model", "experiments.upload"})
MOVES = "registry.set_alias"
T = TypeVar("T", RegisteredModel, ModelVersion)


def refuse_models_of_locked_runs(actor: Actor, permission: str, model: LoggedModel) -> MledError | None:
    """What a model of a locked run answers to anything that would change it."""
    if permission in WRITES and model.source_run is not None and model.source_run.is_locked:
        return locked(model)
    return None


def belongs_to_run(actor: Actor, model: LoggedModel, uid: UUID) -> bool:
    """Whether the model was made by the run of this id, or by one begun within it."""
    return model.source_run is not None and is_of_run(actor, model.source_run, uid)


def refuse_moves_by_others(actor: Actor, permission: str, subject: RegisteredModel | ModelVersion) -> MledError | None:
    """In a governed project aliases and stages are the ML engineers'."""
    model = subject if isinstance(subject, RegisteredModel) else subject.model
    if permission != MOVES or not actor.is_person or not model.project.is_governed:
        return None
    if Role.ML_ENGINEER in roles_in(actor, model.project_id):
        return None
    return Refused(
        f"Project {model.project.slug} is governed: aliases and stages are moved by its ML engineers.",
        hint="Ask one of them, or ask for a promotion.",
    )


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


def held_model(model: RegisteredModel) -> RegisteredModel:
    """The registered model as it is now, alone until the commit: versions, aliases and stages change one at a time.

    Raises NotFound if it is deleted. Held before any of its versions, so that two acts never wait for each other.
    """
    return _held(RegisteredModel, model)


def held_version(version: ModelVersion) -> ModelVersion:
    """The version as it is now, alone until the commit. Raises NotFound if it is deleted."""
    return _held(ModelVersion, version)


def _held(kind: type[T], row: T) -> T:
    held: T | None = kind.objects.select_for_update(no_key=True).filter(pk=row.pk).first()
    if held is None or held.is_deleted:
        raise not_found(kind)
    return held


def touch(row: RegisteredModel | ModelVersion) -> None:
    """Save the row with the time of its last change, which never goes back."""
    row.updated_ms = max(now_ms(), row.updated_ms)
    row.save()


def hold_origin(version: ModelVersion) -> tuple[str, LoggedModel | None]:
    """Within an act: the lifecycle of the run behind a version, and its logged model.

    Both stay as they are until the commit, with their files: no change of them passes an alias or an approval.
    """
    models = LoggedModel.objects.select_for_update(no_key=True)  # before its run, as acts on models do
    made = models.get(pk=version.logged_model_id) if version.logged_model_id is not None else None
    run = hold_run(version.run_id, alone=False) if version.run_id is not None else None
    return run[0] if run is not None else Lifecycle.ACTIVE, made


def refuse_deleted_origin(version: ModelVersion) -> None:
    """Within an act: raise Conflict where the run or logged model behind a version is deleted. Holds both."""
    lifecycle, made = hold_origin(version)
    if lifecycle != Lifecycle.ACTIVE:
        raise Conflict(f"The run behind version {version.number} is deleted.", hint="Restore it first.", field="run_id")
    if made is not None and made.is_deleted:
        raise Conflict(f"The logged model behind version {version.number} is deleted.", field="model_id")
