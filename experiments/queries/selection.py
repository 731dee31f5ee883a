"""The runs that somebody chose in a table: by their ids, or all that match."""

from collections.abc import Sequence

from accounts.models import Project
from experiments.models import Run
from experiments.queries.runs import runs_in_order
from experiments.queries.search import View, search_runs
from experiments.refs import readable_id_in
from kernel.actor import Actor

MOST = 1_000


def chosen_runs(viewer: Actor, project: Project, refs: Sequence[str]) -> list[Run]:
    """The project's runs of these readable ids (VIS-123), oldest first; unknown ones are left out. At most MOST."""
    said = [readable_id_in(ref.strip()) for ref in refs[: 2 * MOST]]
    numbers = {one[1] for one in said if one is not None and one[0] == project.key}
    runs = Run.objects.visible_to(viewer).filter(project=project, number__in=sorted(numbers)[:MOST])
    return list(runs.select_related("project", "experiment").order_by("number"))


def runs_that_match(
    viewer: Actor, project: Project, *, experiments: Sequence[int] | None, text: str, view: View
) -> tuple[list[Run], bool]:
    """The first MOST runs that a query finds, newest first, and whether there are more. Raises QueryError."""
    page = search_runs(viewer, project=project, experiments=experiments, text=text, view=view, limit=MOST)
    return runs_in_order(viewer, [run.id for run in page.rows]), page.next_token is not None
