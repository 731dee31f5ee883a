"""Where an alias stood before: what "move it back" goes to."""

from typing import Any

from kernel.actor import Actor
from registry.models import ModelAlias, ModelVersion, RegisteredModel


def previous_holders(viewer: Actor, model: RegisteredModel) -> dict[int, ModelVersion]:
    """By alias (its key) the version that carried it before the one that carries it now."""
    aliases = ModelAlias.objects.visible_to(viewer).filter(model=model)
    now = dict(aliases.values_list("pk", "version_id"))
    past: Any = ModelAlias.history  # type: ignore[attr-defined]  # simple-history's manager
    before: dict[int, int] = {}
    for alias, version in past.filter(id__in=list(now)).order_by("-history_id").values_list("id", "version_id"):
        if version != now[alias]:
            before.setdefault(alias, version)
    versions = ModelVersion.objects.filter(model=model, pk__in=set(before.values()), is_deleted=False).in_bulk()
    return {alias: versions[version] for alias, version in before.items() if version in versions}
