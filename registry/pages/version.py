"""One version of a model: what it is worth beside the one in production, where it came from, its card and files."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.access import find_project, require
from accounts.models import Signature
from accounts.pages.doors import actor_of, signed_in
from accounts.pages.history import before_of
from accounts.signing import SignatureState
from artifacts.pages.shelf import Shelf
from experiments.queries.experiments import metric_directions
from kernel.actor import Actor
from kernel.errors import MledError, NotFound
from registry.models import ModelVersion, PromotionRequest
from registry.pages.frame import shelf_of, version_frame, version_url
from registry.pages.lineage import panel
from registry.pages.measured import Line, metric_lines, names_data, same_test_set
from registry.pages.past import A_PAGE, entries_of
from registry.pages.promotion_panel import panel_of
from registry.queries.cards import card_of
from registry.queries.deliveries import deliveries_of_version
from registry.queries.events import events_of_version, names_in
from registry.queries.lineage import Ref
from registry.queries.measures import Record, in_production, records_of
from registry.queries.promotions import signature_state
from registry.queries.registered_models import find_model, get_version

DELIVERIES_SHOWN = 100


@require_safe
@signed_in
def overview(request: HttpRequest, slug: str, name: str, number: int) -> HttpResponse:
    """The version on one screen; beside it the promotion that waits, if any."""
    version, context = version_frame(request, slug, name, number, "overview")
    viewer = actor_of(request)
    context |= against_production(viewer, version, context["open_promotion"])
    context |= panel(viewer, Ref("version", str(version.pk)))
    context |= {"card": card_of(viewer, version), "signed": signed_decisions(viewer, context["promotions"])}
    if context["open_promotion"] is not None:
        context |= panel_of(request, context["open_promotion"])
    return render(request, "registry/version.html", context)


@dataclass(frozen=True, slots=True)
class Signed:
    """A decision with its signature, and whether that still holds."""

    asked: PromotionRequest
    signature: Signature
    state: SignatureState


def signed_decisions(viewer: Actor, promotions: Sequence[PromotionRequest]) -> list[Signed]:
    """The signed decisions about a version: what stands printed on its page."""
    found = []
    for asked in promotions:
        state = signature_state(viewer, asked) if asked.signature is not None else None
        if asked.signature is not None and state is not None:
            found.append(Signed(asked, asked.signature, state))
    return found


def against_production(viewer: Actor, version: ModelVersion, asked: Any = None) -> dict[str, Any]:
    """Its metrics beside those of the version now in production, or of the one that a promotion would replace."""
    project = version.model.project
    held = in_production(viewer, version, project)
    if asked is not None and asked.from_version is not None:
        held = (asked.from_version, asked.target)
    rival, place = held if held is not None else (None, "")
    if rival is not None and rival.pk == version.pk:
        rival = None
    records = records_of(viewer, [version, rival] if rival is not None else [version])
    before = records[rival.pk] if rival is not None else Record()
    directions = metric_directions(viewer, project)
    lines: list[Line] = metric_lines(before, records[version.pk], directions, project.goal_metric)
    return {
        "rival": rival,
        "rival_url": version_url(rival) if rival is not None else "",
        "production_name": place,
        "is_production": held is not None and rival is None,
        "lines": lines,
        "test_set": same_test_set(lines),
        "data_said": names_data(lines),
        "undirected": [line.key for line in lines if not line.arrow],
    }


@require_safe
@signed_in
def tab(request: HttpRequest, slug: str, name: str, number: int, tab: str) -> HttpResponse:
    """One tab of a version."""
    page = TAB_PAGES.get(tab)
    if page is None:
        raise NotFound(f"A model version has no tab '{tab}'.")
    version, context = version_frame(request, slug, name, number, tab)
    shelf = shelf_of(actor_of(request), version)
    if tab == "files" and shelf.wants_file_alone(request):
        return shelf.file_alone(request)
    context |= page(request, version, context)
    return render(request, f"registry/version_{tab}.html", context)


def find_shelf(request: HttpRequest, slug: str, name: str, number: int) -> Shelf:
    """The files of the version that an address names. Raises NotFound, Refused for who may not download."""
    viewer = actor_of(request)
    version = get_version(viewer, find_model(viewer, find_project(viewer, slug), name), number)
    require(viewer, "experiments.download", version)
    return shelf_of(viewer, version)


def _card(request: HttpRequest, version: ModelVersion, context: dict[str, Any]) -> dict[str, Any]:
    asked = request.GET.get("edit", "")
    card = card_of(actor_of(request), version)
    writing = asked if context["offer"].may_write and any(one.key == asked for one in card.sections) else ""
    return {"card": card, "editing": writing}


def card_again(request: HttpRequest, version: ModelVersion, section: str, error: MledError) -> HttpResponse:
    """The card with a section whose text was refused: what was typed stays, beside it what is wrong.

    What the section says now counts as seen, so that saving once more writes over it knowingly.
    """
    model = version.model
    found, context = version_frame(request, model.project.slug, model.name, version.number, "card")
    typed = {"typed": request.POST.get("text", ""), "wrong": str(error)}
    context |= {"card": card_of(actor_of(request), found), "editing": section, **typed}
    return render(request, "registry/version_card.html", context, status=error.status)


def _files(request: HttpRequest, version: ModelVersion, context: dict[str, Any]) -> dict[str, Any]:
    return shelf_of(actor_of(request), version).panel(request) if context["files_list"] else {}


def _deliveries(request: HttpRequest, version: ModelVersion, context: dict[str, Any]) -> dict[str, Any]:
    viewer = actor_of(request)
    if not any(one.key == "deliveries" for one in context["tabs"]):
        raise NotFound("A model version has no tab 'deliveries'.")
    return {"deliveries": deliveries_of_version(viewer, version)[:DELIVERIES_SHOWN], "reads": True}


def _history(request: HttpRequest, version: ModelVersion, context: dict[str, Any]) -> dict[str, Any]:
    events = events_of_version(actor_of(request), version, before=before_of(request), limit=A_PAGE + 1)
    shown = events[:A_PAGE]
    more = f"{version_url(version, 'history')}?before={shown[-1].past.event.id.hex}" if len(events) > A_PAGE else ""
    return {"entries": entries_of(shown, names_in(actor_of(request), version.model)), "next_url": more}


TAB_PAGES = {"card": _card, "files": _files, "deliveries": _deliveries, "history": _history}
