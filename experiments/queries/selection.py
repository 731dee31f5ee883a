"""The runs that somebody chose in a table: by their ids, or all that match."""

import re
from collections.abc import Sequence

from accounts.models import Project
from experiments.models import Run
from experiments.queries.search import View, search_runs
from kernel.actor import Actor

MOST = 1_000
_READABLE = re.compile(r"([A-Za-z0-9]{1,20})-([0-9]{1,9})")


def chosen_runs(viewer: Actor, project: Project, refs: Sequence[str]) -> list[Run]:
    """The project's runs of these readable ids (VIS-123), oldest first; unknown ones are left out. At most MOST."""
    asked = [found for ref in refs[: 2 * MOST] if (found := _READABLE.fullmatch(ref.strip()))]
    numbers = {int(found[2]) for found in asked if found[1].upper() == project.key.upper()}
    runs = Run.objects.visible_to(viewer).filter(project=project, number__in=sorted(numbers)[:MOST])
    return list(runs.select_related("project", "experiment").order_by("number"))


def runs_that_match(
    viewer: Actor, project: Project, *, experiments: Sequence[int] | None, text: str, view: View
) -> tuple[list[Run], bool]:
    """The first MOST runs that a query finds, newest first, and whether there are more. Raises QueryError."""
    page = search_runs(viewer, project=project, experiments=experiments, text=text, view=view, limit=MOST)
    ids = [run.id for run in page.rows]
    rows = Run.objects.visible_to(viewer).select_related("project", "experiment").in_bulk(ids)
    return [rows[pk] for pk in ids if pk in rows], page.next_token is not None
