"""Registered models and prompts: names, versions under their numbers, aliases and stages."""

import re

from experiments.locations import file_place
from kernel.errors import AlreadyExists, Conflict
from registry.actions.aliases import set_alias, transition_stage
from registry.models import ModelAlias, ModelVersion, RegisteredModel
from registry.sources import PROMPT_SOURCES
from registry.values import TAG_MAX
from transfer.actions.mlflow import bring_in_registered_model, bring_in_version
from transfer.bringing.under_way import REGISTERED, VERSION, UnderWay
from transfer.mlflow.fitting import fitting_pairs
from transfer.mlflow.records import SourceRegistered, SourceVersion

_OF_RUN = re.compile(r"runs:/([0-9a-f]{32})(/.*)?", re.DOTALL)


def bring_registered(way: UnderWay) -> None:
    """Every registered model and prompt of the source."""
    for number, one in enumerate(way.source.registered()):
        way.tally.counts["registered_models_held"] += 1
        way.tally.counts["model_versions_held"] += len(one.versions)
        way.tally.counts["aliases_held"] += len(one.aliases)
        way.progress.at("registered models", number)
        row = way.told(f"registered model {one.name[:80]}", lambda one=one: _here(way, one))  # type: ignore[misc]
        if row is not None:
            _fill(way, one, row)


def _here(way: UnderWay, one: SourceRegistered) -> RegisteredModel:
    moved = way.moved(REGISTERED, one.key)
    if moved is not None:
        rows = RegisteredModel.objects.select_related("project").filter(project=way.project, is_deleted=False)
        known: RegisteredModel | None = rows.filter(pk=moved.target).first()
        if known is None:
            raise Conflict("It was brought here before, and is deleted.")
        way.tally.counts["registered_models_there"] += 1
        return known
    try:
        made = bring_in_registered_model(
            way.actor,
            way.project,
            bringing=way.bringing,
            key=one.key,
            name=one.name,
            description=one.description,
            tags=fitting_pairs(one.tags, f"registered model {one.name[:80]}", "tag", way.tally.tell, TAG_MAX),
            created_ms=one.created_ms,
        )
    except AlreadyExists:
        raise Conflict(
            "A registered model of this name exists here, and versions of two origins would get mixed up.",
            hint="Rename it, here or there, and import again.",
        ) from None
    way.tally.counts["registered_models"] += 1
    return made


def _fill(way: UnderWay, one: SourceRegistered, row: RegisteredModel) -> None:
    for version in one.versions:
        where = f"registered model {one.name[:80]} version {version.number}"
        if way.moved(VERSION, f"{one.key}/{version.number}") is not None:
            way.tally.counts["model_versions_there"] += 1
            continue
        made = way.told(where, lambda version=version, where=where: _version(way, one, row, version, where))  # type: ignore[misc]
        if made is not None:
            way.tally.counts["model_versions"] += 1
            if version.stage not in ("", "None"):
                way.told(
                    f"{where}, stage {version.stage[:40]}",
                    lambda made=made, version=version: transition_stage(way.actor, made, stage=version.stage),  # type: ignore[misc]
                )
    for alias, number in sorted(one.aliases.items()):
        where = f"registered model {one.name[:80]} alias {alias[:80]}"
        way.told(where, lambda alias=alias, number=number: _alias(way, one, row, alias, number))  # type: ignore[misc]


def _version(
    way: UnderWay, one: SourceRegistered, row: RegisteredModel, version: SourceVersion, where: str
) -> ModelVersion:
    if version.status != "READY":
        raise Conflict(f"It is '{version.status[:40]}' in the source, not ready: it is left out.")
    run, model = way.run(version.run_id), way.model(version.model_id)
    if version.run_id and run is None:
        way.tally.tell(where, f"The run {version.run_id[:40]} behind it is not here.")
    return bring_in_version(
        way.actor,
        row,
        bringing=way.bringing,
        key=one.key,
        source=_source(way, version),
        run=run,
        logged_model=model,
        run_link=version.run_link[:500],
        description=version.description,
        tags=fitting_pairs(version.tags, where, "tag", way.tally.tell, TAG_MAX),
        number=version.number,
        created_ms=version.created_ms,
    )


def _source(way: UnderWay, version: SourceVersion) -> str:
    """Where its files are here: a run's or model's address is spelled with the ids that they have here.

    Raises Conflict where these files were not brought along.
    """
    source = version.source
    if source in PROMPT_SOURCES:
        return source
    named = _OF_RUN.fullmatch(source)
    place = None if named else file_place(source)
    if version.model_id or (place and place.is_model):
        model = way.model(version.model_id or (place.owner if place else ""))
        if model is None:
            raise Conflict("The logged model behind it is not here: it was deleted there, or left out.")
        rest = place.path if place else source.removeprefix(f"models:/{version.model_id}").strip("/")
        return f"models:/{model.model_id}" + (f"/{rest}" if rest else "")
    uid, path = (named[1], named[2] or "") if named else (place.owner, f"/{place.path}") if place else ("", "")
    if not uid:
        return source
    run = way.run(uid)
    if run is None:
        raise Conflict(f"The run {uid} with its files is not here.")
    return f"runs:/{run.uid.hex}{path.rstrip('/') or '/'}"


def _alias(way: UnderWay, one: SourceRegistered, row: RegisteredModel, alias: str, number: int) -> None:
    """Set an alias that is not here yet; one that somebody moved here stays where it is."""
    here = ModelAlias.objects.filter(model=row, name=alias).select_related("version").first()
    if here is not None:
        if here.version.number != number:
            raise Conflict(
                f"It stands for version {number} in the source and for {here.version.number} here: it stays."
            )
        way.tally.counts["aliases_there"] += 1
        return
    moved = way.moved(VERSION, f"{one.key}/{number}")
    version = ModelVersion.objects.filter(pk=moved.target, is_deleted=False).first() if moved else None
    if version is None:
        raise Conflict(f"Version {number}, for which it stands, is not here.")
    set_alias(way.actor, row, alias=alias, version=version)
    way.tally.counts["aliases"] += 1
