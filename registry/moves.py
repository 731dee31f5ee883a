"""How an alias or a stage moves, without asking whether it may: part of actions that asked.

`set_alias` and `transition_stage` refuse protected names; an approved promotion comes here once it takes effect.
"""

from accounts.access import not_found
from kernel.actor import Actor
from kernel.clock import now
from registry.models import ModelAlias, ModelVersion, RegisteredModel
from registry.models.registered_models import Stage
from registry.state import held_model, held_version, refuse_deleted_origin, touch
from registry.values import checked_alias


def place_alias(actor: Actor, model: RegisteredModel, alias: str, version: ModelVersion) -> ModelAlias:
    """Let the alias stand for this version, wherever it stood before. Raises Invalid, NotFound, Conflict."""
    checked_alias(alias)
    held_model(model)
    version = held_version(version)
    if version.model_id != model.pk:
        raise not_found(ModelVersion)
    refuse_deleted_origin(version)
    row: ModelAlias = ModelAlias.objects.filter(model=model, name=alias).first() or ModelAlias(model=model, name=alias)
    if row.pk is None or row.version_id != version.pk:
        row.version, row.set_at, row.set_by_id = version, now(), actor.user_id
        row.save()
    return row


def remove_alias(actor: Actor, model: RegisteredModel, alias: str) -> None:
    """Take an alias away; where there is none, nothing happens."""
    held_model(model)
    row = ModelAlias.objects.filter(model=model, name=alias).first()
    if row is not None:
        row.delete()


def place_stage(
    actor: Actor, version: ModelVersion, stage: Stage | str, archive_existing: bool = False
) -> ModelVersion:
    """Put the version into a stage; archive_existing: the others that are in it go to Archived."""
    model = held_model(version.model)
    version = held_version(version)
    wanted = Stage(stage)
    if archive_existing:
        others = ModelVersion.objects.filter(model=model, stage=wanted, is_deleted=False).exclude(pk=version.pk)
        for other in others.order_by("number"):
            other.stage = Stage.ARCHIVED
            touch(other)
    version.stage = wanted
    touch(version)
    touch(model)
    return version
