"""Keeping ways of looking at the run table."""

from urllib.parse import parse_qsl, urlencode

from django.db import IntegrityError, transaction

from accounts.access import not_found
from accounts.decorators import action
from accounts.models import Project
from accounts.texts import checked_line
from experiments.models import SavedView
from kernel.actor import Actor
from kernel.clock import now
from kernel.errors import AlreadyExists, Conflict, Invalid, Refused

SAVE = "experiments.save_view"
DEFAULT = "experiments.set_default_view"
# How charts are drawn, see static/src/charts/look.ts: axes, smoothing, colours, what is cut, settings of single charts.
LOOK = (
    *("x", "log", "logx", "smooth", "method", "outliers", "yrange", "middle", "spread"),
    *("color", "dash", "facet", "tip", "metric", "off", "set", "xfrom", "xto"),
)
# What a view holds of an address.
KEPT = frozenset(
    {"q", "experiment", "sort", "lifecycle", "columns", "group", "only", "spark", "tree"}
    | {"view", "count", "hide", "show", "panel", *LOOK}
)
QUERY_MAX = 8_000


def checked_query(query: str) -> str:
    """What of a query string makes a view, in one spelling. Raises Invalid for one too long."""
    pairs = [(name, value) for name, value in parse_qsl(query.lstrip("?")) if name in KEPT and "\x00" not in value]
    plain = urlencode(pairs)
    if len(plain) > QUERY_MAX:
        raise Invalid(f"A view has at most {QUERY_MAX:,} characters; this one has {len(plain):,}.", field="query")
    return plain


@action(SAVE, on="project")
def save_view(actor: Actor, project: Project, *, name: str, query: str, is_shared: bool = False) -> SavedView:
    """Keep a view under a name. Raises Invalid, AlreadyExists where the actor has one of that name."""
    view = SavedView(
        project=project,
        name=checked_line(name, "A view's name", 120, field="name"),
        query=checked_query(query),
        is_shared=is_shared,
        created_by_id=actor.user_id,
        updated_by_id=actor.user_id,
    )
    _save(view)
    return view


@action(SAVE, on="view")
def change_view(
    actor: Actor,
    view: SavedView,
    *,
    version: int,
    name: str | None = None,
    query: str | None = None,
    is_shared: bool | None = None,
) -> SavedView:
    """Change one's own view. version: the one that the actor saw; Conflict if it was changed since.

    Raises Invalid, AlreadyExists, Refused for somebody else's, NotFound for one that is gone or not shared.
    """
    view = _own(actor, view)
    if view.version != version:
        raise Conflict(
            f"The view '{view.name}' was changed meanwhile by {view.updated_by}; nothing was saved.",
            hint="Open it again, or save yours under another name.",
        )
    view.name = view.name if name is None else checked_line(name, "A view's name", 120, field="name")
    view.query = view.query if query is None else checked_query(query)
    view.is_shared = view.is_shared if is_shared is None else is_shared
    if view.is_default and not view.is_shared:
        raise Conflict("The project's table opens with this view, so it stays shared.", hint="Choose another first.")
    if view.pending_changes():
        view.version += 1
        view.updated_at, view.updated_by_id = now(), actor.user_id
        _save(view)
    return view


@action(SAVE, on="view")
def delete_view(actor: Actor, view: SavedView) -> None:
    """Remove one's own view. Raises Refused for somebody else's, Conflict while the project's table opens with it."""
    view = _own(actor, view)
    if view.is_default:
        raise Conflict("The project's table opens with this view.", hint="Choose another, or none, first.")
    view.delete()


@action(DEFAULT, on="project")
def set_default_view(actor: Actor, project: Project, *, view: SavedView | None) -> None:
    """Let the project's table open with a shared view, or with none. Raises Conflict for one that is not shared."""
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)  # one change of the default at a time
    for other in SavedView.objects.filter(project=project, is_default=True).exclude(pk=view.pk if view else None):
        other.is_default = False
        other.save()
    if view is None:
        return
    held = SavedView.objects.select_for_update(no_key=True).filter(pk=view.pk, project=project).first()
    if held is None:
        raise not_found(SavedView)
    if not held.is_shared:
        raise Conflict("Only a shared view can be what everybody's table opens with.", hint="Share it first.")
    held.is_default = True
    held.save()


def _own(actor: Actor, view: SavedView) -> SavedView:
    rows = SavedView.objects.select_for_update(of=("self",), no_key=True).select_related("updated_by", "created_by")
    held: SavedView | None = rows.filter(pk=view.pk).first()
    if held is None or (not held.is_shared and held.created_by_id != actor.user_id):
        raise not_found(SavedView)
    if held.created_by_id != actor.user_id:
        raise Refused(f"This view is {held.created_by}'s.", hint="Save yours under a name of your own.")
    return held


def _save(view: SavedView) -> None:
    try:
        with transaction.atomic():
            view.save()
    except IntegrityError:
        raise AlreadyExists(
            f"You have a view '{view.name}' in this project already.", hint="Choose another name.", field="name"
        ) from None
