"""The life of a logged model: made, filled, ready or failed, deleted."""

import re
import secrets
from collections.abc import Mapping

from accounts.decorators import action
from audit.ledger.acting import current_act
from experiments.actions.writable import require_active
from experiments.models import Experiment, Run
from experiments.names import invented_name
from experiments.values import checked_int64, checked_key, checked_text
from kernel.actor import Actor
from kernel.clock import now_ms
from kernel.errors import AlreadyExists, Invalid, NotFound
from registry.models import LoggedModel, LoggedModelParam, LoggedModelTag
from registry.standing import refuse_deleted_model
from registry.state import refuse_if_run_is_locked, writable_model
from registry.values import TYPE_MAX, checked_model_name

LOG_MODEL = "registry.log_model"
TAG_KIND = "registry.loggedmodeltag"
PARAM_KIND = "registry.loggedmodelparam"
_MODEL_ID = re.compile(r"m-[0-9a-f]{32}")


def _run_wanted(actor: Actor, experiment: Experiment, *, source_run: Run | None = None, **rest: object) -> Run | None:
    """The run that a new model is to be of."""
    return source_run


@action(LOG_MODEL, on="experiment", within=_run_wanted)
def create_logged_model(
    actor: Actor,
    experiment: Experiment,
    *,
    name: str = "",
    model_type: str = "",
    source_run: Run | None = None,
    params: Mapping[str, str] | None = None,
    tags: Mapping[str, str] | None = None,
    model_id: str = "",
    created_ms: int | None = None,
) -> LoggedModel:
    """Make a model that waits for its files. Without a name it gets one. Raises Invalid, Conflict, Locked.

    model_id, created_ms: its id and time where it was made elsewhere; AlreadyExists where the id is taken, whoever has
    it.
    """
    require_active(experiment)
    made_ms = now_ms() if created_ms is None else checked_int64(created_ms, "creation_timestamp_ms")
    model = LoggedModel(
        model_id=free_model_id(model_id) if model_id else f"m-{secrets.token_hex(16)}",
        project_id=experiment.project_id,
        experiment=experiment,
        name=checked_model_name(name or invented_name()),
        model_type=checked_text(model_type, "model_type", TYPE_MAX),
        source_run=source_run,
        created_by_id=actor.user_id,
        created_ms=made_ms,
        updated_ms=made_ms,
    )
    refuse_if_run_is_locked(model)
    model.save()
    _write_params(model, params or {})
    _write_tags(model, tags or {})
    return model


def free_model_id(model_id: str) -> str:
    """The id itself. Raises AlreadyExists where a model has it, in whichever project; Invalid where it is none."""
    if not _MODEL_ID.fullmatch(model_id):
        raise Invalid("A model's id is 'm-' and 32 hexadecimal digits.", field="model_id")
    if LoggedModel.objects.filter(model_id=model_id).exists():
        raise AlreadyExists(f"The id {model_id} is taken.", hint="Leave it out: the model gets one.", field="model_id")
    return model_id


@action(LOG_MODEL, on="model")
def finalize_logged_model(actor: Actor, model: LoggedModel, *, status: str) -> LoggedModel:
    """Say that the model's files are all there (READY), or that their upload failed (FAILED)."""
    model = writable_model(model)
    model.status = LoggedModel.Status(status)
    return _touched(model)


@action(LOG_MODEL, on="model")
def delete_logged_model(actor: Actor, model: LoggedModel) -> LoggedModel:
    """Delete softly: from now on nobody finds it. Its files and metrics stay on record.

    Raises Refused where a registered version of it is approved or carries an alias.
    """
    model = writable_model(model)
    refuse_deleted_model(model)
    model.is_deleted = True
    return _touched(model)


@action(LOG_MODEL, on="model")
def set_logged_model_tags(actor: Actor, model: LoggedModel, *, tags: Mapping[str, str]) -> None:
    """Set or overwrite tags."""
    model = writable_model(model)
    _write_tags(model, tags)
    _touched(model)


@action(LOG_MODEL, on="model")
def delete_logged_model_tag(actor: Actor, model: LoggedModel, *, key: str) -> None:
    """Remove a tag. Raises NotFound where there is none."""
    model = writable_model(model)
    tag = LoggedModelTag.objects.filter(model=model, key=key).first()
    if tag is None:
        raise NotFound(f"The model has no tag '{key[:80]}'.", field="key")
    tag.delete()
    current_act().record(TAG_KIND, model.ledger_id, "set", {key: (tag.value, None)})
    _touched(model)


@action(LOG_MODEL, on="model")
def log_logged_model_params(actor: Actor, model: LoggedModel, *, params: Mapping[str, str]) -> None:
    """Add params. The same value again changes nothing; another one is refused, and then none is added."""
    model = writable_model(model)
    _write_params(model, params)
    _touched(model)


def _touched(model: LoggedModel) -> LoggedModel:
    model.updated_ms = max(now_ms(), model.updated_ms)
    model.save()
    return model


def _write_tags(model: LoggedModel, tags: Mapping[str, str]) -> None:
    for key, value in tags.items():
        checked_key(key, "tags.key")
        checked_text(value, f"tags.{key}")
    before = dict(LoggedModelTag.objects.filter(model=model, key__in=list(tags)).values_list("key", "value"))
    changed = {key: value for key, value in tags.items() if before.get(key) != value}
    if not changed:
        return
    LoggedModelTag.objects.bulk_create(
        [LoggedModelTag(model=model, key=key, value=value) for key, value in changed.items()],
        update_conflicts=True,
        update_fields=["value"],
        unique_fields=["model", "key"],
    )
    told = {key: (before.get(key), value) for key, value in changed.items()}
    current_act().record(TAG_KIND, model.ledger_id, "set", told)


def _write_params(model: LoggedModel, params: Mapping[str, str]) -> None:
    for key, value in params.items():
        checked_key(key, "params.key")
        checked_text(value, f"params.{key}")
    stored = dict(LoggedModelParam.objects.filter(model=model, key__in=list(params)).values_list("key", "value"))
    for key, value in params.items():
        if stored.get(key, value) != value:
            raise Invalid(
                f"Param '{key}' is '{stored[key][:80]}' already and cannot become '{value[:80]}': params are set once.",
                field="params",
            )
    new = {key: value for key, value in params.items() if key not in stored}
    if new:
        LoggedModelParam.objects.bulk_create(
            [LoggedModelParam(model=model, key=key, value=value) for key, value in new.items()]
        )
        told = {key: (None, value) for key, value in new.items()}
        current_act().record(PARAM_KIND, model.ledger_id, "set", told)
