"""The life of a registered model: a name with versions below it."""

from collections.abc import Mapping

from django.db import IntegrityError, transaction

from accounts.decorators import action
from accounts.models import Project
from experiments.values import checked_int64, checked_text
from kernel.actor import Actor
from kernel.errors import AlreadyExists
from registry.actions.tags import write_model_tags
from registry.models import ModelAlias, ModelVersion, RegisteredModel
from registry.protected import refuse_if_it_moves
from registry.standing import refuse_held_versions, refuse_if_stood_on
from registry.state import held_model, touch
from registry.values import checked_registered_name

REGISTER = "registry.register"


@action(REGISTER, on="project")
def create_registered_model(
    actor: Actor,
    project: Project,
    *,
    name: str,
    description: str = "",
    tags: Mapping[str, str] | None = None,
    created_ms: int | None = None,
) -> RegisteredModel:
    """Take a name for a line of versions. created_ms: when, where it was taken elsewhere.

    Raises Invalid, AlreadyExists.
    """
    model = RegisteredModel(
        project=project,
        name=checked_registered_name(name),
        description=checked_text(description, "description"),
        created_by_id=actor.user_id,
    )
    if created_ms is not None:
        model.created_ms = checked_int64(created_ms, "creation_timestamp")
    model.updated_ms = model.created_ms
    _save_named(model)
    write_model_tags(model, tags or {})
    return model


@action(REGISTER, on="model")
def rename_registered_model(actor: Actor, model: RegisteredModel, *, name: str) -> RegisteredModel:
    """Give the model another name; versions, tags and aliases go with it. Raises Invalid, AlreadyExists, NotFound,
    and Refused in a governed project while a version carries a protected alias or stage.
    """
    checked_registered_name(name, "new_name")
    model = held_model(model)
    if model.name != name:
        versions = ModelVersion.objects.filter(model=model, is_deleted=False)
        refuse_if_it_moves(model.project, list(versions), "renamed")
        model.name = name
        _save_named(model)
    return model


@action(REGISTER, on="model")
def edit_registered_model(actor: Actor, model: RegisteredModel, *, description: str) -> RegisteredModel:
    """Change what the model says of itself."""
    model = held_model(model)
    model.description = checked_text(description, "description")
    touch(model)
    return model


@action("registry.delete", on="model")
def delete_registered_model(actor: Actor, model: RegisteredModel) -> RegisteredModel:
    """Delete softly, with versions and aliases; the name is free again. What was recorded stays on record.

    Raises Refused where a version is approved and, in a governed project, where one carries an alias or a protected
    stage.
    """
    model = held_model(model)
    versions = ModelVersion.objects.select_for_update(no_key=True).filter(model=model, is_deleted=False)
    found = list(versions.order_by("number"))
    refuse_if_stood_on(found, aliases_too=model.project.is_governed)
    refuse_held_versions(model.project_id, found)
    if model.project.is_governed:
        refuse_if_it_moves(model.project, found, "deleted")
    for alias in ModelAlias.objects.filter(model=model):
        alias.delete()
    for version in found:
        version.is_deleted = True
        touch(version)
    model.is_deleted = True
    touch(model)
    return model


def _save_named(model: RegisteredModel) -> None:
    try:
        with transaction.atomic():
            if model._state.adding:
                model.save()
            else:
                touch(model)
    except IntegrityError:
        raise AlreadyExists(
            f"A registered model named '{model.name}' exists in this project.",
            hint="Choose another name, or add a version to it.",
            field="name",
        ) from None
