"""The runs that somebody chose in a table: by their ids, or all that match."""

from collections.abc import Sequence
from uuid import UUID

from django.db.models import Q

from accounts.models import Project
from experiments.gone import without_gone
from experiments.models import Run
from experiments.queries.runs import runs_in_order
from experiments.queries.search import View, search_runs
from experiments.refs import readable_id_in, uid_in
from kernel.actor import Actor

MOST = 1_000
NO_UID = UUID(int=0)


def chosen_runs(viewer: Actor, project: Project, refs: Sequence[str]) -> list[Run]:
    """The project's runs of these readable ids (VIS-123), oldest first; unknown ones are left out. At most MOST."""
    said = [readable_id_in(ref.strip()) for ref in refs[: 2 * MOST]]
    numbers = {one[1] for one in said if one is not None and one[0] == project.key}
    runs = Run.objects.visible_to(viewer).filter(project=project, number__in=sorted(numbers)[:MOST])
    return list(runs.select_related("project", "experiment").order_by("number"))


def runs_of(viewer: Actor, project: Project, refs: Sequence[str]) -> dict[str, Run | None]:
    """The project's runs by readable id or 32 digits, in this order, each once; None for a name that leads to none."""
    numbers = {ref: said[1] for ref in refs if (said := readable_id_in(ref)) and said[0] == project.key}
    uids = {ref: uid for ref in refs if (uid := uid_in(ref))}
    named = Q(number__in=list(numbers.values())) | Q(uid__in=list(uids.values()))
    seen = without_gone(Run.objects.visible_to(viewer)).filter(named, project=project)
    found = list(seen.select_related("project", "experiment"))
    by_number, by_uid = {run.number: run for run in found}, {run.uid: run for run in found}
    chosen: dict[str, Run | None] = {}
    taken: set[int] = set()
    for ref in refs:
        run = by_number.get(numbers.get(ref, 0)) or by_uid.get(uids.get(ref, NO_UID))
        if run is None or run.pk not in taken:
            chosen[ref] = run
        if run is not None:
            taken.add(run.pk)
    return chosen


def runs_that_match(
    viewer: Actor, project: Project, *, experiments: Sequence[int] | None, text: str, view: View
) -> tuple[list[Run], bool]:
    """The first MOST runs that a query finds, newest first, and whether there are more. Raises QueryError."""
    page = search_runs(viewer, project=project, experiments=experiments, text=text, view=view, limit=MOST)
    return runs_in_order(viewer, [run.id for run in page.rows]), page.next_token is not None
