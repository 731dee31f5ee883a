"""The life of a model version: made from a run's or logged model's files, described, deleted."""

import datetime as dt
from collections.abc import Mapping

from django.db.models import Max

from accounts.decorators import action
from experiments.models import Run
from experiments.values import checked_int64, checked_text
from kernel.actor import Actor
from kernel.clock import now_ms
from kernel.errors import AlreadyExists, Invalid
from registry.actions.tags import write_version_tags
from registry.models import LoggedModel, ModelAlias, ModelVersion, RegisteredModel
from registry.protected import refuse_if_it_moves
from registry.queries.sources import origin_of
from registry.standing import refuse_held_versions, refuse_if_stood_on
from registry.state import held_model, held_version, refuse_deleted_origin, touch
from registry.values import RUN_LINK_MAX

REGISTER = "registry.register"
NUMBER_MAX = 1_000_000_000  # as told by whoever brings a version in: the column holds twice that


@action(REGISTER, on="model")
def create_version(
    actor: Actor,
    model: RegisteredModel,
    *,
    source: str,
    run: Run | None = None,
    logged_model: LoggedModel | None = None,
    run_link: str = "",
    description: str = "",
    tags: Mapping[str, str] | None = None,
    unless_since: dt.datetime | None = None,
    number: int | None = None,
    created_ms: int | None = None,
) -> ModelVersion:
    """Add the next version. source: where its files are; see registry.queries.sources.

    unless_since: where the actor made a version of this source since then, that one is given, and no other made: a form
    that is sent twice makes one. number, created_ms: what they were where it was made elsewhere.

    Raises Invalid for a source that leads elsewhere than into a run or logged model of the project, NotFound, Conflict;
    AlreadyExists for a number that is not above all that were used, Invalid for one above NUMBER_MAX.
    """
    model = held_model(model)
    made = _made_since(actor, model, source, unless_since) if unless_since is not None else None
    if made is not None:
        return made
    origin = origin_of(actor, model.project, source, run=run, logged_model=logged_model, tags=tags or {})
    last = ModelVersion.objects.filter(model=model).aggregate(last=Max("number"))["last"] or 0
    made_ms = now_ms() if created_ms is None else checked_int64(created_ms, "creation_timestamp")
    version = ModelVersion(
        model=model,
        number=last + 1 if number is None else _above(last, number),
        source=source,
        root=origin.root,
        root_path=origin.root_path,
        run=origin.run,
        logged_model=origin.logged_model,
        run_link=checked_text(run_link, "run_link", RUN_LINK_MAX),
        description=checked_text(description, "description"),
        created_by_id=actor.user_id,
        created_ms=made_ms,
        updated_ms=made_ms,
    )
    refuse_deleted_origin(version)
    version.save()
    write_version_tags(version, tags or {})
    touch(model)
    return version


def _above(last: int, number: int) -> int:
    """The number itself, which no version has or had, and that leaves room for more behind it."""
    if number > NUMBER_MAX:
        raise Invalid(f"Versions are numbered up to {NUMBER_MAX:,}.", field="version")
    if number <= last:
        raise AlreadyExists(f"Version {last} is there, and numbers are not used again.", field="version")
    return number


def _made_since(actor: Actor, model: RegisteredModel, source: str, since: dt.datetime) -> ModelVersion | None:
    mine = ModelVersion.objects.filter(model=model, source=source, created_by=actor.user_id, is_deleted=False)
    newest: ModelVersion | None = mine.filter(created_at__gte=since).order_by("-number").first()
    return newest


@action(REGISTER, on="version")
def edit_version(actor: Actor, version: ModelVersion, *, description: str) -> ModelVersion:
    """Change what the version says of itself."""
    version = held_version(version)
    version.description = checked_text(description, "description")
    touch(version)
    return version


@action("registry.delete", on="version")
def delete_version(actor: Actor, version: ModelVersion) -> ModelVersion:
    """Delete softly, with the aliases that stood for it; its number is not used again.

    Raises Refused where the version is approved and, in a governed project, where it carries an alias or a protected
    stage.
    """
    model = held_model(version.model)
    version = held_version(version)
    refuse_if_stood_on([version], aliases_too=model.project.is_governed)
    refuse_held_versions(model.project_id, [version])
    if model.project.is_governed:
        refuse_if_it_moves(model.project, [version], "deleted")
    for alias in ModelAlias.objects.filter(version=version):
        alias.delete()
    version.is_deleted = True
    touch(version)
    touch(model)
    return version
