"""Kept views of the run table: the menu, and what its forms do."""

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from accounts.access import can, find_project
from accounts.models import Project
from accounts.pages.doors import actor_of, signed_in
from experiments.actions.saved_views import KEPT, change_view, checked_query, delete_view, save_view, set_default_view
from experiments.models import SavedView
from experiments.pages.asked import Asked
from experiments.queries.saved_views import get_view, views_of
from kernel.actor import Actor
from kernel.errors import MledError, NotFound


@dataclass(frozen=True, slots=True)
class Choice:
    """One view of the menu."""

    view: SavedView
    url: str
    is_mine: bool
    is_current: bool


@dataclass(frozen=True, slots=True)
class Menu:
    """The kept views of a table. query: what the table asks now; is_changed: other than the current view keeps."""

    choices: list[Choice]
    current: Choice | None
    query: str
    is_changed: bool
    may_save: bool
    may_set_default: bool


def menu_of(viewer: Actor, project: Project, asked: Asked) -> Menu:
    """The menu for this viewer and this address."""
    choices = [
        Choice(view, address_of(view), view.created_by_id == viewer.user_id, view.pk == asked.saved)
        for view in views_of(viewer, project)
    ]
    current = next((choice for choice in choices if choice.is_current), None)
    now = _kept(asked)
    return Menu(
        choices=choices,
        current=current,
        query=urlencode(now),
        is_changed=current is not None
        and _kept(Asked.parse(asked.path, QueryDict(current.view.query))) != _kept(asked),
        may_save=bool(can(viewer, "experiments.save_view", project)),
        may_set_default=bool(can(viewer, "experiments.set_default_view", project)),
    )


def _kept(asked: Asked) -> list[tuple[str, str]]:
    return [pair for pair in asked.all_kept("good", "saved") if pair[0] in KEPT]


def address_of(view: SavedView) -> str:
    """The table as the view keeps it."""
    query = f"{view.query}&" if view.query else ""
    return f"{reverse('experiments:runs', args=[view.project.slug])}?{query}saved={view.pk}"


def default_address(viewer: Actor, project: Project) -> str | None:
    """Where the bare address of a project's table leads: to its default view, where it has one."""
    view = views_of(viewer, project).filter(is_default=True).first()
    return address_of(view) if view else None


@require_POST
@signed_in
def save(request: HttpRequest, slug: str) -> HttpResponse:
    """Keep what the table shows under a name."""
    viewer = actor_of(request)
    project = find_project(viewer, slug)
    query = request.POST.get("query", "")
    try:
        view = save_view(
            viewer,
            project,
            name=request.POST.get("name", ""),
            query=query,
            is_shared=request.POST.get("shared") == "1",
        )
    except NotFound:
        raise
    except MledError as error:
        messages.error(request, str(error))
        return redirect(f"{reverse('experiments:runs', args=[project.slug])}?{checked_query(query)}")
    messages.success(
        request, f"The view {view.name} is kept{' and shared with the project' if view.is_shared else ''}."
    )
    return redirect(address_of(view))


@require_POST
@signed_in
def act(request: HttpRequest, slug: str, view: int, verb: str) -> HttpResponse:
    """Update, share, rename, make default or delete a view, and back to the table."""
    viewer = actor_of(request)
    project = find_project(viewer, slug)
    found = get_view(viewer, project, view)
    if verb not in ACTS:
        raise NotFound("A view has no such act.")
    try:
        messages.success(request, ACTS[verb](viewer, found, request))
    except NotFound:
        raise
    except MledError as error:
        messages.error(request, str(error))
        query = request.POST.get("query", "")  # what the reader had before them is kept in the address
        kept = f"{checked_query(query)}&" if query else ""
        return redirect(f"{reverse('experiments:runs', args=[project.slug])}?{kept}saved={found.pk}")
    if verb == "delete":
        return redirect("experiments:runs", slug=project.slug)
    return redirect(address_of(get_view(viewer, project, view)))


def _seen(request: HttpRequest) -> int:
    text = request.POST.get("version", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _update(viewer: Actor, view: SavedView, request: HttpRequest) -> str:
    change_view(viewer, view, version=_seen(request), query=request.POST.get("query", ""))
    return f"{view.name} keeps what the table shows now."


def _rename(viewer: Actor, view: SavedView, request: HttpRequest) -> str:
    changed = change_view(viewer, view, version=_seen(request), name=request.POST.get("name", ""))
    return f"{view.name} is now {changed.name}."


def _share(viewer: Actor, view: SavedView, request: HttpRequest) -> str:
    change_view(viewer, view, version=_seen(request), is_shared=True)
    return f"{view.name} is shared with the project."


def _unshare(viewer: Actor, view: SavedView, request: HttpRequest) -> str:
    change_view(viewer, view, version=_seen(request), is_shared=False)
    return f"{view.name} is yours alone."


def _delete(viewer: Actor, view: SavedView, request: HttpRequest) -> str:
    delete_view(viewer, view)
    return f"The view {view.name} is gone; no run changed."


def _default(viewer: Actor, view: SavedView, request: HttpRequest) -> str:
    set_default_view(viewer, view.project, view=view)
    return f"The project's table opens with {view.name}."


def _no_default(viewer: Actor, view: SavedView, request: HttpRequest) -> str:
    set_default_view(viewer, view.project, view=None)
    return "The project's table opens with all active runs."


ACTS: dict[str, Callable[[Actor, SavedView, HttpRequest], str]] = {
    "update": _update,
    "rename": _rename,
    "share": _share,
    "unshare": _unshare,
    "delete": _delete,
    "default": _default,
    "no-default": _no_default,
}
