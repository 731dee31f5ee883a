"""Exports and imports of a project: which there are, one of them while it goes on, and what it left."""

from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import HttpResponseClientRefresh

from accounts.access import can, find_project, require
from accounts.models import Project
from accounts.pages.doors import actor_of, signed_in
from artifacts.pages.slots import Panel
from artifacts.storage import StoredBlob
from kernel.actor import Actor
from kernel.errors import Conflict, MledError, NotFound, Refused
from transfer.actions.transfers import begin, cancel_transfer
from transfer.ending import RAN_OUT, is_over, kept_until
from transfer.giving import give_out
from transfer.models import Transfer
from transfer.pages.slots import import_forms
from transfer.pages.words import counted, row_of
from transfer.queries.origins import places_of
from transfer.queries.transfers import files_of, get_transfer, is_given, my_open_transfers, transfers_of

A_PAGE = 25
OPEN_SHOWN = 40
HOME_SHOWN = 5


@require_safe
@signed_in
def page(request: HttpRequest, slug: str) -> HttpResponse:
    """What is under way, and what was done, the newest first."""
    viewer, project = _asked(request, slug)
    over = transfers_of(viewer, project).exclude(state__in=Transfer.OPEN)
    paged = Paginator(over, A_PAGE).get_page(request.GET.get("page"))
    may_bring_in = bool(can(viewer, "transfer.bring_in", project))
    context = {
        "at": "transfers",
        "project": project,
        "paged": paged,
        "rows": [row_of(viewer, one) for one in paged],
        "may_export": bool(can(viewer, "transfer.export", project)),
        "forms": [(form, form.url(project)) for form in import_forms] if may_bring_in else [],
        **_open(viewer, project),
    }
    return render(request, "transfer/transfers.html", context)


@require_safe
@signed_in
def under_way(request: HttpRequest, slug: str) -> HttpResponseBase:
    """The part of the list that asks for itself again; once nothing is open, the whole page is drawn anew."""
    viewer, project = _asked(request, slug)
    told = _open(viewer, project)
    if not told["open"]:
        return HttpResponseClientRefresh()
    return render(request, "transfer/under_way.html", {"project": project, **told})


def _open(viewer: Actor, project: Project) -> dict[str, object]:
    rows = list(transfers_of(viewer, project).filter(state__in=Transfer.OPEN)[:OPEN_SHOWN])
    return {"open": [row_of(viewer, one) for one in rows]}


@require_safe
@signed_in
def one(request: HttpRequest, slug: str, transfer: UUID) -> HttpResponse:
    """One of them: how far it is, and what came of it."""
    viewer, project = _asked(request, slug)
    found = get_transfer(viewer, transfer, project=project)
    files = files_of(viewer, found)
    lines = counted(found.counts)
    context = {
        "at": "transfers",
        "project": project,
        "transfer": found,
        "row": row_of(viewer, found),
        "files": files,
        "is_withheld": _is_made(found) and not is_over(found) and not is_given(viewer, found),
        "is_gone": _is_made(found) and is_over(found),
        "why_gone": found.removed_why or RAN_OUT,
        "until": kept_until(found),
        "lines": lines,
        "in_columns": any(line.cells for line in lines),
        "may_import": _may_import(viewer, found),
        "places": [] if found.kind == Transfer.Kind.EXPORT else places_of(viewer, found),
    }
    return render(request, "transfer/transfer.html", context)


@require_safe
@signed_in
def state(request: HttpRequest, slug: str, transfer: UUID) -> HttpResponse:
    """How far it is: the page asks again until it is over, then it is drawn anew."""
    viewer, project = _asked(request, slug)
    found = get_transfer(viewer, transfer, project=project)
    if not found.is_open:
        return HttpResponseClientRefresh()
    return render(request, "transfer/far.html", {"row": row_of(viewer, found), "project": project, "transfer": found})


@require_safe
@signed_in
def file(request: HttpRequest, slug: str, transfer: UUID, transfer_file: str) -> HttpResponseBase:
    """A file of an export, whole or a range."""
    viewer, project = _asked(request, slug)
    return give_out(request, viewer, get_transfer(viewer, transfer, project=project), transfer_file)


@require_POST
@signed_in
def act(request: HttpRequest, slug: str, transfer: UUID, verb: str) -> HttpResponse:
    """Stop it, or import what was checked."""
    viewer, project = _asked(request, slug)
    found = get_transfer(viewer, transfer, project=project)
    if verb not in ACTS:
        raise NotFound("There is nothing here.")
    try:
        found = ACTS[verb](viewer, found)
    except (NotFound, Refused):
        raise
    except MledError as error:
        messages.error(request, str(error))
    return redirect(url_of(found))


def _stop(viewer: Actor, found: Transfer) -> Transfer:
    cancel_transfer(viewer, found)
    return found


def _import(viewer: Actor, found: Transfer) -> Transfer:
    """The real import of an archive that was only checked."""
    if not _may_import(viewer, found) or found.blob is None:
        raise Conflict("This was not a check of an archive that was found sound.", hint="Upload the archive again.")
    stored = StoredBlob(found.blob.digest, found.blob.size_bytes)
    kind, source, origin = Transfer.Kind.ARCHIVE, found.source, found.origin
    return begin(viewer, found.project, kind=kind, source=source, origin=origin, blob=stored)


ACTS = {"stop": _stop, "import": _import}


def _is_made(found: Transfer) -> bool:
    return found.kind == Transfer.Kind.EXPORT and bool(found.digest)


def _may_import(viewer: Actor, found: Transfer) -> bool:
    """After a check: by whoever brought the archive, who has read it."""
    is_checked = found.kind == Transfer.Kind.ARCHIVE and found.state == Transfer.State.DONE
    own = found.requested_by_id == viewer.user_id and found.blob is not None and not is_over(found)
    return is_checked and own and bool(found.options.get("dry_run") and can(viewer, "transfer.bring_in", found.project))


def _asked(request: HttpRequest, slug: str) -> tuple[Actor, Project]:
    viewer = actor_of(request)
    project = find_project(viewer, slug)
    require(viewer, "transfer.see", project)
    return viewer, project


def url_of(transfer: Transfer) -> str:
    """The page of one."""
    return reverse("transfer:one", args=[transfer.project.slug, transfer.pk])


def home_panel(viewer: Actor) -> Panel | None:
    """On the home page: one's own transfers that are under way, where there are any."""
    found = list(my_open_transfers(viewer)[:HOME_SHOWN])
    return Panel("transfer/home.html", {"rows": [row_of(viewer, one) for one in found]}) if found else None
