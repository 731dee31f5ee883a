"""A registered model: its versions, aliases, description, history; and what people do to it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from accounts.access import can, find_project
from accounts.models import Project
from accounts.pages.doors import actor_of, signed_in
from accounts.pages.history import before_of
from kernel.actor import Actor
from kernel.errors import MledError, NotFound
from registry.actions.aliases import delete_alias, set_alias
from registry.actions.registered_models import (
    delete_registered_model,
    edit_registered_model,
    rename_registered_model,
)
from registry.actions.tags import delete_model_tag, set_model_tags
from registry.models import ModelAlias, ModelVersion, PromotionRequest, RegisteredModel
from registry.pages.frame import model_url, version_url
from registry.pages.past import A_PAGE, entries_of
from registry.pages.slots import Mark, marks_of
from registry.protected import is_protected
from registry.queries.alias_past import previous_holders
from registry.queries.events import events_of_model, names_in
from registry.queries.promotions import open_promotions, promotions_in_effect
from registry.queries.registered_models import (
    aliases_of,
    find_model,
    get_version,
    model_data,
    version_data,
    versions_of,
)

VERSIONS_A_PAGE = 50


@dataclass(frozen=True, slots=True)
class VersionLine:
    """A version in the table."""

    version: ModelVersion
    url: str
    aliases: Sequence[str]
    marks: Sequence[Mark]
    waiting: bool


@dataclass(frozen=True, slots=True)
class AliasLine:
    """An alias with the version that carried it before. back_url: where to ask for going back, if it is protected.

    promoted: the promotion that put it where it is.
    """

    alias: ModelAlias
    url: str
    previous: ModelVersion | None
    is_protected: bool
    back_url: str
    promoted: PromotionRequest | None


def model_frame(request: HttpRequest, slug: str, name: str, tab: str) -> tuple[RegisteredModel, dict[str, Any]]:
    """The model that the address names for this viewer, and what its pages show in common. Raises NotFound."""
    viewer = actor_of(request)
    project = find_project(viewer, slug)
    model = find_model(viewer, project, name)
    return model, {
        "at": "models",
        "project": project,
        "model": model,
        "tab": tab,
        "may_write": bool(can(viewer, "registry.register", model)),
        "may_move": bool(can(viewer, "registry.set_alias", model)),
        "may_ask": bool(can(viewer, "registry.ask_promotion", model)),
        "may_delete": bool(can(viewer, "registry.delete", model)),
    }


@require_safe
@signed_in
def page(request: HttpRequest, slug: str, name: str) -> HttpResponse:
    """Versions, where the aliases stand, what the model is for."""
    model, context = model_frame(request, slug, name, "versions")
    viewer = actor_of(request)
    paged = Paginator(versions_of(viewer, model), VERSIONS_A_PAGE).get_page(request.GET.get("page"))
    context |= {
        "paged": paged,
        "lines": version_lines(viewer, model, list(paged)),
        "alias_lines": alias_lines(viewer, context["project"], model),
        "tags": model_data(viewer, [model])[model.pk].tags,
        "editing": request.GET.get("edit") == "description" and context["may_write"],
    }
    return render(request, "registry/model.html", context)


def version_lines(viewer: Actor, model: RegisteredModel, versions: Sequence[ModelVersion]) -> list[VersionLine]:
    """Versions with their aliases and marks, in four queries for any number."""
    data = version_data(viewer, versions)
    marks = marks_of(viewer, versions)
    waiting = set(open_promotions(viewer, model.project).filter(model=model).values_list("version_id", flat=True))
    lines = []
    for version in versions:
        version.model = model
        aliases = data[version.pk].aliases
        lines.append(VersionLine(version, version_url(version), aliases, marks[version.pk], version.pk in waiting))
    return lines


def alias_lines(viewer: Actor, project: Project, model: RegisteredModel) -> list[AliasLine]:
    """Each alias, and the way back."""
    before, promoted, lines = previous_holders(viewer, model), promotions_in_effect(viewer, model), []
    for alias in aliases_of(viewer, model):
        previous, protected = before.get(alias.pk), is_protected(project, alias.name)
        ask = ""
        if previous is not None and protected:
            args = [project.slug, model.name, previous.number]
            ask = f"{reverse('registry:ask_promotion', args=args)}?target=alias:{alias.name}"
        url = reverse("registry:version", args=[project.slug, model.name, alias.version.number])
        by = promoted.get((alias.name, alias.version_id)) if alias.set_by is None else None
        lines.append(AliasLine(alias, url, previous, protected, ask, by))
    return lines


@require_safe
@signed_in
def history(request: HttpRequest, slug: str, name: str) -> HttpResponse:
    """All that happened to the model and its versions, newest first."""
    model, context = model_frame(request, slug, name, "history")
    viewer = actor_of(request)
    events = events_of_model(viewer, model, before=before_of(request), limit=A_PAGE + 1)
    shown = events[:A_PAGE]
    context["entries"] = entries_of(shown, names_in(viewer, model))
    if len(events) > A_PAGE:
        here = reverse("registry:model_history", args=[context["project"].slug, model.name])
        context["next_url"] = f"{here}?before={shown[-1].past.event.id.hex}"
    return render(request, "registry/model_history.html", context)


@require_POST
@signed_in
def act(request: HttpRequest, slug: str, name: str, verb: str) -> HttpResponse:
    """Do it, say what was done, and back to the model, or to the list where it is gone."""
    viewer = actor_of(request)
    project = find_project(viewer, slug)
    model = find_model(viewer, project, name)
    if verb not in ACTS:
        raise NotFound(f"A model has no act '{verb}'.")
    try:
        words, where = ACTS[verb](viewer, model, request)
    except NotFound:
        raise
    except MledError as error:
        messages.error(request, str(error))
        return redirect(model_url(model))
    messages.success(request, words)
    return redirect(where)


def _text(request: HttpRequest, name: str) -> str:
    return request.POST.get(name, "").replace("\r\n", "\n").strip()


def _rename(viewer: Actor, model: RegisteredModel, request: HttpRequest) -> tuple[str, str]:
    before = model.name
    renamed = rename_registered_model(viewer, model, name=_text(request, "name"))
    return f"{before} is now {renamed.name}. Addresses with the old name lead nowhere.", model_url(renamed)


def _describe(viewer: Actor, model: RegisteredModel, request: HttpRequest) -> tuple[str, str]:
    edit_registered_model(viewer, model, description=_text(request, "description"))
    return "The description is saved.", model_url(model)


def _move_alias(viewer: Actor, model: RegisteredModel, request: HttpRequest) -> tuple[str, str]:
    version = get_version(viewer, model, _text(request, "version"))
    alias = set_alias(viewer, model, alias=_text(request, "alias"), version=version)
    return f"{alias.name} is v{version.number} now.", model_url(model)


def _remove_alias(viewer: Actor, model: RegisteredModel, request: HttpRequest) -> tuple[str, str]:
    alias = _text(request, "alias")
    delete_alias(viewer, model, alias=alias)
    return f"The alias {alias} is gone.", model_url(model)


def _tag(viewer: Actor, model: RegisteredModel, request: HttpRequest) -> tuple[str, str]:
    key = _text(request, "key")
    set_model_tags(viewer, model, tags={key: _text(request, "value")})
    return f"The tag {key} is set.", model_url(model)


def _untag(viewer: Actor, model: RegisteredModel, request: HttpRequest) -> tuple[str, str]:
    key = _text(request, "key")
    delete_model_tag(viewer, model, key=key)
    return f"The tag {key} is gone.", model_url(model)


def _delete(viewer: Actor, model: RegisteredModel, request: HttpRequest) -> tuple[str, str]:
    delete_registered_model(viewer, model)
    words = f"{model.name} is deleted with its versions. Its name is free again; the record stays."
    return words, reverse("registry:models", args=[model.project.slug])


ACTS: dict[str, Callable[[Actor, RegisteredModel, HttpRequest], tuple[str, str]]] = {
    "rename": _rename,
    "describe": _describe,
    "move-alias": _move_alias,
    "remove-alias": _remove_alias,
    "tag": _tag,
    "untag": _untag,
    "delete-model": _delete,
}
