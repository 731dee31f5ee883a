"""What every page of a model version shows around its tab: name, aliases, stage, digest, origin, what one may do."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from accounts.access import can, find_project
from accounts.models import Project
from accounts.pages.doors import actor_of
from accounts.pages.tabs import Tab
from artifacts.manifests import tree_digest
from artifacts.pages.shelf import Shelf
from artifacts.storage import StoredBlob
from kernel.actor import Actor
from registry.models import ModelVersion, PromotionRequest, RegisteredModel, Stage
from registry.pages.slots import links_of, marks_of
from registry.protected import is_protected
from registry.queries.deliveries import deliveries_of_version
from registry.queries.model_lines import recalls_behind
from registry.queries.promotions import promotions_of
from registry.queries.registered_models import find_model, get_version, version_data
from registry.queries.version_files import VersionFile, files_of_version
from registry.sources import is_outside
from registry.standing import standing_on

TABS = {
    "overview": "Overview",
    "card": "Model card",
    "files": "Files",
    "deliveries": "Deliveries",
    "history": "History",
}


@dataclass(frozen=True, slots=True)
class Alias:
    """An alias of this version. free: this viewer may take it away."""

    name: str
    free: bool


@dataclass(frozen=True, slots=True)
class Offer:
    """What this viewer may do to the version; what they may not do is absent."""

    may_move: bool
    may_write: bool
    may_delete: bool
    may_ask: bool
    stages: Sequence[tuple[str, str]]

    @property
    def any(self) -> bool:
        return self.may_move or self.may_delete


def version_frame(
    request: HttpRequest, slug: str, name: str, number: int, tab: str
) -> tuple[ModelVersion, dict[str, Any]]:
    """The version that the address names for this viewer, and the context of the frame. Raises NotFound."""
    viewer = actor_of(request)
    project = find_project(viewer, slug)
    model = find_model(viewer, project, name)
    version = get_version(viewer, model, number)
    data = version_data(viewer, [version])[version.pk]
    files = files_of_version(viewer, version)
    promotions = list(promotions_of(viewer, version))
    offer = offer_of(viewer, version)
    recalled = recalls_behind(viewer, [version.run] if version.run else [])
    deliveries = deliveries_of_version(viewer, version) if can(viewer, "webhooks.see", project) else None
    return version, {
        "at": "models",
        "project": project,
        "model": model,
        "version": version,
        "here": version_url(version),
        "tab": tab,
        "tab_label": TABS[tab],
        "tabs": tabs_of(version, len(files), None if deliveries is None else deliveries.count()),
        "aliases": [Alias(one, offer.may_move and not is_protected(project, one)) for one in data.aliases],
        "tags": data.tags,
        "files_list": files,
        "digest": digest_of(files),
        "outside": is_outside(version),
        "offer": offer,
        "promotions": promotions,
        "open_promotion": open_one(promotions),
        "recalled": recalled.get(version.run_id or 0, []),
        "marks": marks_of(viewer, [version])[version.pk],
        "head_links": links_of(viewer, version),
        "askable": askable(project, data.aliases, version),
        "stands_on": "; ".join(standing_on([version], aliases_too=project.is_governed)),
        "address": f"models:/{model.name}/{version.number}",
    }


def tabs_of(version: ModelVersion, files: int, deliveries: int | None) -> list[Tab]:
    """The version's tabs. deliveries: None where the viewer may not see webhooks."""
    counts = {"files": files, "deliveries": deliveries}
    shown = [key for key in TABS if key != "deliveries" or deliveries is not None]
    urls = {key: version_url(version, "" if key == "overview" else key) for key in shown}
    return [Tab(key, TABS[key], urls[key], counts.get(key)) for key in shown]


def version_url(version: ModelVersion, tab: str = "") -> str:
    """The address of a version, or of one of its tabs."""
    args = [version.model.project.slug, version.model.name, version.number]
    return reverse("registry:version_tab", args=[*args, tab]) if tab else reverse("registry:version", args=args)


def model_url(model: RegisteredModel) -> str:
    """The address of a model."""
    return reverse("registry:model", args=[model.project.slug, model.name])


def digest_of(files: Sequence[VersionFile]) -> str:
    """SHA-256 over the list of files; empty where there are none."""
    ordered = sorted(files, key=lambda file: file.path.encode(errors="surrogatepass"))
    return tree_digest([(file.path, StoredBlob(file.digest, file.size_bytes)) for file in ordered]) if ordered else ""


def open_one(promotions: Sequence[PromotionRequest]) -> PromotionRequest | None:
    """The promotion that the page puts beside the version: one that waits for a decision, else one on its way."""
    asked = next((one for one in promotions if one.is_open), None)
    return asked or next((one for one in promotions if one.is_waiting), None)


def offer_of(viewer: Actor, version: ModelVersion) -> Offer:
    """What the viewer may do to the version as it stands."""
    moves = bool(can(viewer, "registry.set_alias", version))
    project = version.model.project
    stages = (
        []
        if is_protected(project, version.stage)
        else [
            (stage.value, str(stage.label))
            for stage in Stage
            if stage != version.stage and not is_protected(project, stage.value)
        ]
    )
    return Offer(
        may_move=moves,
        may_write=bool(can(viewer, "registry.register", version)),
        may_delete=bool(can(viewer, "registry.delete", version)),
        may_ask=project.is_governed and bool(can(viewer, "registry.ask_promotion", version)),
        stages=stages if moves else [],
    )


def askable(project: Project, aliases: Sequence[str], version: ModelVersion) -> list[tuple[str, str]]:
    """The protected aliases and stages that the version does not carry: 'alias:champion', 'stage:Production'."""
    if not project.is_governed:
        return []
    held = {name.lower() for name in aliases}
    stages = {stage.value.lower(): stage for stage in Stage if stage != version.stage}
    offered = [(f"alias:{name}", f"Alias {name}") for name in project.protected_names if name not in held]
    named = [stages[name] for name in project.protected_names if name in stages]
    return offered + [(f"stage:{stage.value}", f"Stage {stage.label}") for stage in named]


def shelf_of(viewer: Actor, version: ModelVersion) -> Shelf:
    """The version's files for this viewer."""
    return Shelf(
        viewer,
        version.root,
        page_url=version_url(version, "files"),
        base_url=version_url(version),
        folder=version.root_path,
        name=f"{version.model.name}-v{version.number}",
    )
