"""Who is drawn in charts, where the rows of a table are no plain list: nested or in groups."""

from collections.abc import Sequence

from accounts.models import Project
from experiments.pages.asked import Asked
from experiments.pages.chart_lines import slots_of
from experiments.pages.questions import search
from experiments.pages.run_rows import BEYOND
from experiments.queries.search import FoundRun
from kernel.actor import Actor


def drawn_of(
    viewer: Actor, project: Project | None, asked: Asked, text: str, runs: Sequence[FoundRun]
) -> list[tuple[int, str]]:
    """(colour, act of the eye) of each run: by the plain list that the question has, as charts draw it.

    text: the query that was answered. The colour is 0 where charts do not draw the run. Raises QueryError.
    """
    first = search(viewer, project, asked, text, limit=asked.count).rows
    places = {run.id: place for place, run in enumerate(first)}
    also = [run for run in runs if run.readable_id in asked.show and run.id not in places]
    listed = [*first, *sorted(also, key=lambda run: run.number)]
    slots = dict(zip((run.id for run in listed), slots_of(listed), strict=True))
    found = []
    for run in runs:
        place = places.get(run.id, BEYOND)
        is_drawn = asked.draws(run.readable_id, place)
        found.append((slots.get(run.id, 0) if is_drawn else 0, asked.eye_act(run.readable_id, place)))
    return found
