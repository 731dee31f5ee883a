"""What people do with registered models, in a random walk."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kernel.actor import operator
from registry.actions import aliases, cards, registered_models, tags, versions
from registry.cards import WRITTEN
from registry.models import LoggedModel, ModelVersion, RegisteredModel
from tests.factories import unique

ALIASES = ("best", "shadow", "champion", "latest")
STAGES = ("Staging", "production", "Archived", "None", "live")


def _source(walk: Any) -> str:
    inside = (f"runs:/{walk.run().uid.hex}/d", f"models:/{walk.any(LoggedModel).model_id}")
    return str(walk.chance.choice((*inside, "s3://bucket/model", "/etc/passwd")))


def _model(walk: Any) -> Any:
    return walk.any(RegisteredModel, is_deleted=False)


def _version(walk: Any) -> Any:
    return walk.any(ModelVersion, is_deleted=False)


REGISTRY: list[Callable[[Any], Any]] = [
    lambda w: registered_models.create_registered_model(
        w.who(), w.team.project, name=unique(w.text() or "m"), description=w.text(), tags=w.pairs()
    ),
    lambda w: registered_models.rename_registered_model(w.who(), _model(w), name=unique("renamed")),
    lambda w: registered_models.edit_registered_model(w.who(), _model(w), description=w.text()),
    lambda w: registered_models.delete_registered_model(w.who(), _model(w)) if w.chance.random() < 0.1 else None,
    lambda w: registered_models.delete_registered_model(
        w.who(), registered_models.create_registered_model(operator(), w.team.project, name=unique("brief"))
    ),
    lambda w: tags.set_model_tags(w.who(), _model(w), tags=w.pairs()),
    lambda w: tags.delete_model_tag(w.who(), _model(w), key=w.chance.choice(list(w.pairs()))),
    lambda w: versions.create_version(
        w.who(), _model(w), source=_source(w), run_link=w.text(), description=w.text(), tags=w.pairs()
    ),
    lambda w: versions.edit_version(w.who(), _version(w), description=w.text()),
    lambda w: versions.delete_version(w.who(), _version(w)) if w.chance.random() < 0.3 else None,
    lambda w: versions.delete_version(w.who(), versions.create_version(operator(), _model(w), source="s3://bucket/m")),
    lambda w: tags.set_version_tags(w.who(), _version(w), tags=w.pairs()),
    lambda w: tags.delete_version_tag(w.who(), _version(w), key=w.chance.choice(list(w.pairs()))),
    lambda w: cards.write_card(w.who(), _version(w), section=w.chance.choice((*WRITTEN, "poetry")), text=w.text()),
    lambda w: _set_alias(w),
    lambda w: aliases.delete_alias(w.who(), _model(w), alias=w.chance.choice(ALIASES)),
    lambda w: aliases.transition_stage(
        w.who(), _version(w), stage=w.chance.choice(STAGES), archive_existing=w.chance.random() < 0.5
    ),
]


def _set_alias(walk: Any) -> None:
    version = _version(walk)
    aliases.set_alias(walk.who(), version.model, alias=walk.chance.choice(ALIASES), version=version)
