"""Reading registered models, their versions and aliases."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db.models import Exists, OuterRef, QuerySet, Subquery

from accounts.access import can_see, not_found
from accounts.models import Project
from kernel.actor import Actor
from registry.models import ModelAlias, ModelVersion, ModelVersionTag, RegisteredModel, RegisteredModelTag
from registry.models.registered_models import Stage
from registry.values import checked_version_number

_WITH_ITS_PLACE = ("model__project", "run__experiment", "logged_model__experiment", "root", "created_by")


@dataclass(slots=True)
class ModelData:
    """What hangs on a model: tags, aliases as (name, version number), and the newest version of each stage.

    latest_tags: the tags of those versions, by the version's key.
    """

    tags: dict[str, str] = field(default_factory=dict)
    aliases: list[tuple[str, int]] = field(default_factory=list)
    latest: list[ModelVersion] = field(default_factory=list)
    latest_tags: dict[int, dict[str, str]] = field(default_factory=dict)


@dataclass(slots=True)
class VersionData:
    """What hangs on a version."""

    tags: dict[str, str] = field(default_factory=dict)
    aliases: list[str] = field(default_factory=list)


def find_model(viewer: Actor, project: Project, name: str) -> RegisteredModel:
    """The model of that name. Raises NotFound, the same for absent, deleted and invisible."""
    rows = RegisteredModel.objects.filter(project=project, name=name, is_deleted=False)
    found: RegisteredModel | None = rows.select_related("project", "created_by").first()
    if found is None or not can_see(viewer, found):
        raise not_found(RegisteredModel, name[:80])
    return found


def models_in(viewer: Actor, project: Project) -> QuerySet[RegisteredModel]:
    """The registered models of a project, prompts too; deleted ones left out."""
    rows = RegisteredModel.objects.visible_to(viewer).filter(project=project, is_deleted=False)
    return rows.select_related("project", "created_by")


def get_version(viewer: Actor, model: RegisteredModel, number: int | str) -> ModelVersion:
    """The version of that number. Raises Invalid for what is no whole number, NotFound."""
    wanted = checked_version_number(number)
    found: ModelVersion | None = _versions(viewer, model).filter(number=wanted).first()
    if found is None:
        raise not_found(ModelVersion, f"{model.name[:80]} {wanted}")
    return found


def get_version_by_alias(viewer: Actor, model: RegisteredModel, alias: str) -> ModelVersion:
    """The version that an alias stands for; 'latest' is the highest number. Raises NotFound."""
    newest = versions_of(viewer, model).first() if alias.lower() == "latest" else None
    if newest is not None:
        return newest
    row = aliases_of(viewer, model).filter(name=alias).first()
    if row is None:
        raise not_found(ModelAlias, alias[:80])
    return get_version(viewer, model, row.version.number)


def find_by_address(viewer: Actor, project: Project, address: str) -> ModelVersion | None:
    """The version that 'name/3', 'name/Production', 'name/latest' or 'name@alias' speaks of; None for no address.

    Raises NotFound.
    """
    name, slash, word = address.partition("/")
    if not slash:
        name, _, alias = address.rpartition("@")
        return get_version_by_alias(viewer, find_model(viewer, project, name), alias) if name and alias else None
    if not name or not word or "/" in word:
        return None
    model = find_model(viewer, project, name)
    if word.isascii() and word.isdigit():
        return get_version(viewer, model, word)
    rows = versions_of(viewer, model)
    found = rows.first() if word.lower() == "latest" else rows.filter(stage__iexact=word).first()
    if found is None:
        raise not_found(ModelVersion, address[:80])
    return found


def versions_of(viewer: Actor, model: RegisteredModel) -> QuerySet[ModelVersion]:
    """The versions of a model, newest first; deleted ones left out."""
    return _versions(viewer, model).order_by("-number")


def _versions(viewer: Actor, model: RegisteredModel) -> QuerySet[ModelVersion]:
    rows = ModelVersion.objects.visible_to(viewer).filter(model=model, is_deleted=False)
    return rows.select_related(*_WITH_ITS_PLACE)


def aliases_of(viewer: Actor, model: RegisteredModel) -> QuerySet[ModelAlias]:
    """The aliases of a model by name, each with its version."""
    rows = ModelAlias.objects.visible_to(viewer).filter(model=model).select_related("version", "set_by")
    return rows.order_by("name")


def latest_versions(viewer: Actor, model: RegisteredModel, stages: Sequence[Stage] = ()) -> list[ModelVersion]:
    """The highest version in each stage (of these, or of all that have one), by the stages' lowest versions."""
    latest = model_data(viewer, [model])[model.pk].latest
    return [version for version in latest if not stages or version.stage in stages]


def model_data(viewer: Actor, models: Sequence[RegisteredModel]) -> dict[int, ModelData]:
    """Tags, aliases and latest versions by the model's key, in four queries."""
    data = {model.pk: ModelData() for model in models}
    if not data:
        return data
    ids = list(data)
    tags = RegisteredModelTag.objects.visible_to(viewer).filter(model__in=ids).order_by("key")
    for model_id, key, value in tags.values_list("model_id", "key", "value"):
        data[model_id].tags[key] = value
    aliases = ModelAlias.objects.visible_to(viewer).filter(model__in=ids).order_by("name")
    for model_id, name, number in aliases.values_list("model_id", "name", "version__number"):
        data[model_id].aliases.append((name, number))
    latest = {version.pk: version for version in _latest(viewer, ids)}
    for version in latest.values():
        data[version.model_id].latest.append(version)
    on_versions = ModelVersionTag.objects.visible_to(viewer).filter(version__in=list(latest)).order_by("key")
    for version_id, key, value in on_versions.values_list("version_id", "key", "value"):
        data[latest[version_id].model_id].latest_tags.setdefault(version_id, {})[key] = value
    return data


def _latest(viewer: Actor, model_ids: Sequence[int]) -> list[ModelVersion]:
    """Of each model the highest version in each stage, in the order in which its versions first came into them.

    So MLflow's server lists them, and scripts that take the first or the last of them get the same one here.
    """
    rows = ModelVersion.objects.visible_to(viewer).filter(model__in=model_ids, is_deleted=False)
    same = ModelVersion.objects.filter(model=OuterRef("model"), stage=OuterRef("stage"), is_deleted=False)
    latest = rows.filter(~Exists(same.filter(number__gt=OuterRef("number"))))
    first = Subquery(same.order_by("number").values("number")[:1])
    return list(latest.select_related(*_WITH_ITS_PLACE).order_by("model_id", first))


def version_data(viewer: Actor, versions: Sequence[ModelVersion]) -> dict[int, VersionData]:
    """Tags and aliases by the version's key, in two queries."""
    data = {version.pk: VersionData() for version in versions}
    if not data:
        return data
    ids = list(data)
    tags = ModelVersionTag.objects.visible_to(viewer).filter(version__in=ids).order_by("key")
    for version_id, key, value in tags.values_list("version_id", "key", "value"):
        data[version_id].tags[key] = value
    aliases = ModelAlias.objects.visible_to(viewer).filter(version__in=ids).order_by("name")
    for version_id, name in aliases.values_list("version_id", "name"):
        data[version_id].aliases.append(name)
    return data
