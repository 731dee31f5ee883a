"""What people do to a version on its page: aliases, stage, card, description, tags, deletion."""

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from accounts.access import find_project
from accounts.pages.doors import actor_of, signed_in
from kernel.actor import Actor
from kernel.errors import Conflict, Invalid, MledError, NotFound
from registry.actions.aliases import delete_alias, set_alias, transition_stage
from registry.actions.cards import write_card
from registry.actions.tags import delete_version_tag, set_version_tags
from registry.actions.versions import delete_version, edit_version
from registry.cards import WRITTEN
from registry.models import ModelVersion, Stage
from registry.pages.frame import model_url, version_url
from registry.pages.version import card_again
from registry.queries.cards import card_of
from registry.queries.registered_models import find_model, get_version

IN_USE = (Stage.STAGING, Stage.PRODUCTION)


@require_POST
@signed_in
def act(request: HttpRequest, slug: str, name: str, number: int, verb: str) -> HttpResponse:
    """Do it, say what was done, and back to the version."""
    viewer = actor_of(request)
    version = get_version(viewer, find_model(viewer, find_project(viewer, slug), name), number)
    if verb not in ACTS:
        raise NotFound(f"A model version has no act '{verb}'.")
    try:
        words, where = ACTS[verb](viewer, version, request)
    except NotFound:
        raise
    except MledError as error:
        section = _written(request, "section")
        if verb == "card" and section in WRITTEN and isinstance(error, Invalid | Conflict):
            return card_again(request, version, section, error)
        messages.error(request, str(error))
        return redirect(version_url(version, "card") if verb == "card" else version_url(version))
    messages.success(request, words)
    return redirect(where)


def _written(request: HttpRequest, name: str) -> str:
    return request.POST.get(name, "").strip()


def _text(request: HttpRequest, name: str) -> str:
    return request.POST.get(name, "").replace("\r\n", "\n").strip()


def _set_alias(viewer: Actor, version: ModelVersion, request: HttpRequest) -> tuple[str, str]:
    alias = set_alias(viewer, version.model, alias=_written(request, "alias"), version=version)
    return f"{alias.name} is v{version.number} now.", version_url(version)


def _remove_alias(viewer: Actor, version: ModelVersion, request: HttpRequest) -> tuple[str, str]:
    alias = _written(request, "alias")
    delete_alias(viewer, version.model, alias=alias)
    return f"The alias {alias} is gone.", version_url(version)


def _stage(viewer: Actor, version: ModelVersion, request: HttpRequest) -> tuple[str, str]:
    stage = _written(request, "stage")
    archive = request.POST.get("archive") == "1" and stage in IN_USE
    moved = transition_stage(viewer, version, stage=stage, archive_existing=archive)
    return f"v{version.number} is in stage {moved.get_stage_display()}.", version_url(version)


def _card(viewer: Actor, version: ModelVersion, request: HttpRequest) -> tuple[str, str]:
    """One section. Who writes over what somebody else wrote meanwhile is told so."""
    section, card = _written(request, "section"), card_of(viewer, version)
    there = next((one.text for one in card.sections if one.key == section and one.is_written), "")
    if _text(request, "before") != there.strip():
        raise Conflict(
            "Somebody changed this section while you wrote; nothing was stored.",
            hint="Look at what it says now, then write again.",
        )
    write_card(viewer, version, section=section, text=_text(request, "text"))
    return "The model card is saved.", version_url(version, "card")


def _describe(viewer: Actor, version: ModelVersion, request: HttpRequest) -> tuple[str, str]:
    edit_version(viewer, version, description=_text(request, "description"))
    return "The description is saved.", version_url(version)


def _tag(viewer: Actor, version: ModelVersion, request: HttpRequest) -> tuple[str, str]:
    key = _written(request, "key")
    set_version_tags(viewer, version, tags={key: _text(request, "value")})
    return f"The tag {key} is set.", version_url(version)


def _untag(viewer: Actor, version: ModelVersion, request: HttpRequest) -> tuple[str, str]:
    key = _written(request, "key")
    delete_version_tag(viewer, version, key=key)
    return f"The tag {key} is gone.", version_url(version)


def _delete(viewer: Actor, version: ModelVersion, request: HttpRequest) -> tuple[str, str]:
    delete_version(viewer, version)
    words = f"{version.model.name} v{version.number} is deleted. Its number is not used again; its record stays."
    return words, model_url(version.model)


ACTS: dict[str, Callable[[Actor, ModelVersion, HttpRequest], tuple[str, str]]] = {
    "set-alias": _set_alias,
    "remove-alias": _remove_alias,
    "stage": _stage,
    "card": _card,
    "describe": _describe,
    "tag": _tag,
    "untag": _untag,
    "delete-version": _delete,
}
