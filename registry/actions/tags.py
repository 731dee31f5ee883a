"""Tags of registered models and of their versions."""

from collections.abc import Mapping
from typing import Any

from accounts.decorators import action
from audit.ledger.acting import current_act
from experiments.values import checked_key, checked_text
from kernel.actor import Actor
from registry.models import ModelVersion, ModelVersionTag, RegisteredModel, RegisteredModelTag
from registry.standing import refuse_changed_prompt
from registry.state import held_model, held_version
from registry.values import TAG_MAX

MODEL_TAG_KIND = "registry.registeredmodeltag"
VERSION_TAG_KIND = "registry.modelversiontag"


@action("registry.register", on="model")
def set_model_tags(actor: Actor, model: RegisteredModel, *, tags: Mapping[str, str]) -> None:
    """Set or overwrite tags of a model."""
    write_model_tags(held_model(model), tags)


@action("registry.register", on="model")
def delete_model_tag(actor: Actor, model: RegisteredModel, *, key: str) -> None:
    """Remove a tag of a model; where there is none, nothing happens (MLflow protocol)."""
    _remove(MODEL_TAG_KIND, held_model(model), RegisteredModelTag.objects.filter(model=model, key=key).first())


@action("registry.register", on="version")
def set_version_tags(actor: Actor, version: ModelVersion, *, tags: Mapping[str, str]) -> None:
    """Set or overwrite tags of a version."""
    write_version_tags(held_version(version), tags)


@action("registry.register", on="version")
def delete_version_tag(actor: Actor, version: ModelVersion, *, key: str) -> None:
    """Remove a tag of a version; where there is none, nothing happens (MLflow protocol)."""
    _remove(VERSION_TAG_KIND, held_version(version), ModelVersionTag.objects.filter(version=version, key=key).first())


def write_model_tags(model: RegisteredModel, tags: Mapping[str, str]) -> None:
    """Part of an action on a model that is held: store tags that differ."""
    _write(MODEL_TAG_KIND, RegisteredModelTag, "model", model, tags)


def write_version_tags(version: ModelVersion, tags: Mapping[str, str]) -> None:
    """Part of an action on a version that is held: store tags that differ."""
    _write(VERSION_TAG_KIND, ModelVersionTag, "version", version, tags)


def _write(kind: str, table: Any, owner: str, row: RegisteredModel | ModelVersion, tags: Mapping[str, str]) -> None:
    for key, value in tags.items():
        checked_key(key, "tags.key")
        checked_text(value, f"tags.{key}", TAG_MAX)
    before = dict(table.objects.filter(**{owner: row}, key__in=list(tags)).values_list("key", "value"))
    changed = {key: value for key, value in tags.items() if before.get(key) != value}
    if not changed:
        return
    if isinstance(row, ModelVersion):
        refuse_changed_prompt(row, changed)
    table.objects.bulk_create(
        [table(**{owner: row}, key=key, value=value) for key, value in changed.items()],
        update_conflicts=True,
        update_fields=["value"],
        unique_fields=[owner, "key"],
    )
    current_act().record(kind, row.ledger_id, "set", {key: (before.get(key), new) for key, new in changed.items()})


def _remove(kind: str, row: RegisteredModel | ModelVersion, tag: RegisteredModelTag | ModelVersionTag | None) -> None:
    if tag is not None:
        if isinstance(row, ModelVersion):
            refuse_changed_prompt(row, [tag.key])
        tag.delete()
        current_act().record(kind, row.ledger_id, "set", {tag.key: (tag.value, None)})
