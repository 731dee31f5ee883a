"""Aliases and stages of model versions, as people and clients move them."""

from accounts.decorators import action
from kernel.actor import Actor
from kernel.errors import Invalid
from registry import moves
from registry.models import ModelAlias, ModelVersion, RegisteredModel
from registry.models.registered_models import Stage
from registry.protected import refuse_protected
from registry.state import held_model, held_version
from registry.values import checked_alias, stage_named

_ACTIVE = frozenset({Stage.STAGING, Stage.PRODUCTION})


@action("registry.set_alias", on="model")
def set_alias(actor: Actor, model: RegisteredModel, *, alias: str, version: ModelVersion) -> ModelAlias:
    """Let the alias stand for this version; one that stood elsewhere moves.

    Raises Invalid, NotFound, and Refused for a protected alias of a governed project.
    """
    checked_alias(alias)
    refuse_protected(held_model(model).project, model.name, alias)
    return moves.place_alias(actor, model, alias, version)


@action("registry.set_alias", on="model")
def delete_alias(actor: Actor, model: RegisteredModel, *, alias: str) -> None:
    """Take an alias away; where there is none, nothing happens (MLflow protocol). Raises Refused if protected."""
    refuse_protected(held_model(model).project, model.name, alias)
    moves.remove_alias(actor, model, alias)


@action("registry.set_alias", on="version")
def transition_stage(
    actor: Actor, version: ModelVersion, *, stage: str, archive_existing: bool = False
) -> ModelVersion:
    """Move the version to a stage; archive_existing: the others that are in it go to Archived.

    Raises Invalid, NotFound, and Refused where the stage it comes from or goes to is protected.
    """
    wanted = stage_named(stage)
    if archive_existing and wanted not in _ACTIVE:
        raise Invalid(
            f"Versions that are in '{wanted.value}' are not archived by a transition.",
            hint="Ask for that with Staging or Production.",
            field="archive_existing_versions",
        )
    model = held_model(version.model)
    before = held_version(version).stage
    for name in {before, wanted.value} if before != wanted else {wanted.value}:
        refuse_protected(model.project, model.name, name)
    return moves.place_stage(actor, version, wanted, archive_existing)
