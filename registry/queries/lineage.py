"""Where something came from and what stands on it: data, runs, logged models, model versions, aliases.

Upper rooms add kinds of nodes to `lineage_kinds` and links to `lineage_edges`.
"""

from collections.abc import Iterable

from accounts.access import can_see, not_found
from accounts.models import Project
from accounts.scoping import ProjectScoped
from kernel.actor import Actor
from kernel.errors import Invalid, NotFound
from registry.lineage.graph import Edge, Flag, Graph, Node, PageOf, Ref
from registry.lineage.kinds import Kind, lineage_kinds
from registry.lineage.links import Link, lineage_edges
from registry.lineage.walk import LEVELS_MAX, Walk

NODES_MAX = 1_000
FOLD_OVER = 12

__all__ = [
    "LEVELS_MAX",
    "NODES_MAX",
    "Edge",
    "Flag",
    "Graph",
    "Kind",
    "Link",
    "Node",
    "PageOf",
    "Ref",
    "find_start",
    "lineage_edges",
    "lineage_kinds",
    "lineage_of",
]


def find_start(viewer: Actor, ref: Ref, *, project: Project | None = None) -> ProjectScoped:
    """The row that a lineage starts from, in one project or any. Raises Invalid for an unknown kind, NotFound."""
    kind = lineage_kinds.get(ref.kind)
    if kind is None:
        known = ", ".join(lineage_kinds)
        raise Invalid(f"Nothing here is called '{ref.kind[:40]}'.", hint=f"There are {known}.", field="of")
    try:
        ident = kind.parse(ref.id)
    except (ValueError, OverflowError):
        ident = None
    rows = kind.rows(viewer).select_related(*kind.joins)
    if project is not None:
        rows = rows.filter(**{kind.project: project})
    found = None if ident is None or _is_beyond(ident) else rows.filter(**{kind.id_field: ident}).first()
    if found is None or not can_see(viewer, found):
        raise NotFound(f"No {kind.noun} '{ref.id[:80]}' was found.")
    return found  # type: ignore[no-any-return]


def _is_beyond(ident: object) -> bool:
    """Whether a number is larger than any key."""
    return isinstance(ident, int) and not 0 <= ident < 2**63


def lineage_of(
    viewer: Actor,
    start: tuple[str, ProjectScoped],
    *,
    up: int = 2,
    down: int = 2,
    limit: int = 200,
    fold_over: int = FOLD_OVER,
    opened: Iterable[str] = (),
) -> Graph:
    """The graph around `start` (a kind and its row), so many steps up to its sources and down to what stands on it.

    What the viewer may not see is not in it, nor any edge to it. More than `fold_over` of a kind on the same nodes are
    one node, which `opened` takes apart; a single node in `opened` is followed one step beyond the last. At most
    `limit` nodes, and then one for each kind that had no more room. The number of statements grows with the levels,
    not with the nodes. Raises NotFound for a start that the viewer may not see.
    """
    kind, row = start
    if not can_see(viewer, row):
        raise not_found(row)
    walk = Walk(viewer, limit=limit, fold_over=fold_over, opened=frozenset(opened))
    return walk.graph((kind, row.pk), lineage_kinds[kind].project_of(row), up=up, down=down)
