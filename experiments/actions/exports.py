"""Taking data out is on record: who, what, how much."""

from collections.abc import Sequence
from typing import Any

from accounts.access import can
from accounts.decorators import action
from accounts.models import Project
from audit.ledger.acting import current_act
from experiments.models import Run
from experiments.queries.runs import get_run
from experiments.queries.search import View, count_runs, runs_by_project, search_runs
from kernel.actor import Actor


@action("experiments.see", on="project")
def note_export(actor: Actor, project: Project, *, what: str) -> None:
    """One event without a change: that the actor took `what` out of the project, such as '312 runs as CSV'."""
    act = current_act()
    act.always = True
    act.reason = what[:2_000]


@action("experiments.see", on="run")
def note_export_of(actor: Actor, run: Run, *, what: str) -> None:
    """The same for what was taken out about this run: also who sees a single experiment of a project may do that."""
    act = current_act()
    act.always = True
    act.reason = what[:2_000]
    act.speaks_of(run.ledger_subject)


_LIVES = {View.ACTIVE_ONLY: "active runs", View.DELETED_ONLY: "deleted runs", View.ALL: "runs"}


def note_runs_taken(
    viewer: Actor,
    project: Project | None,
    *,
    word: str,
    experiments: Sequence[int] | None,
    text: str,
    view: View,
) -> None:
    """Put on record, in each project whose runs it finds, that the runs of a search were taken out.

    word: the kind of file. Raises QueryError.
    """
    scope: dict[str, Any] = {"experiments": experiments, "text": text, "view": view}
    about = f" as {word}, {_LIVES[view]}" + (f", query: {text}" if text else "")
    if project is not None:
        counted = str(count_runs(viewer, project=project, **scope))
        note_taken(viewer, project, what=f"Exported {_runs(counted)}{about}")
        return
    for one, number in runs_by_project(viewer, **scope):
        note_taken(viewer, one, what=f"Exported {_runs(f'{number:,}')}{about}, with runs of other projects")


def _runs(number: str) -> str:
    return f"{number} run{'' if number == '1' else 's'}"


def note_taken(viewer: Actor, project: Project, *, what: str) -> None:
    """Put on record that runs of a project were taken out; of a guest of single experiments about one of those runs."""
    if can(viewer, "experiments.see", project):
        note_export(viewer, project, what=what)
        return
    for found in search_runs(viewer, project=project, view=View.ALL, limit=1).rows:
        note_export_of(viewer, get_run(viewer, found.uid, project=project), what=what)


def note_points_taken(viewer: Actor, run: Run) -> None:
    """Put on record that all archived points of a run were taken out."""
    note_export_of(viewer, run, what=f"Exported the archived points of the run {run.readable_id} as Parquet")


def note_csv(viewer: Actor, runs: Sequence[Run], what: str) -> None:
    """Put on record, in each project that the runs are of, that `what` was taken out about them as CSV."""
    for project in {run.project_id: None for run in runs}:
        mine = [run for run in runs if run.project_id == project]
        noun = "run" if len(mine) == 1 else f"{len(mine)} runs"
        refs = ", ".join(run.readable_id for run in mine)
        note_export_of(viewer, mine[0], what=f"Exported {what} of {noun} as CSV: {refs}")
