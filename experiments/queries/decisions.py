"""The decisions of a project, and those that cite a run."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Prefetch, QuerySet

from accounts.access import not_found
from accounts.models import Project
from experiments.gone import Gone
from experiments.models import Decision, DecisionRun, Run
from experiments.queries.runs import get_run
from kernel.actor import Actor
from kernel.errors import Invalid, NotFound


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether a decision holds. later: the one that replaced it."""

    holds: bool
    later: Decision | None = None


def decisions_of(viewer: Actor, project: Project) -> QuerySet[Decision]:
    """A project's decisions, the newest first, each with the runs that it cites."""
    rows: QuerySet[Decision] = Decision.objects.visible_to(viewer).filter(project=project)
    return _with_all(rows).order_by("-number")


def get_decision(viewer: Actor, project: Project, number: int) -> Decision:
    """One of them. Raises NotFound, the same for absent and invisible."""
    found = decisions_of(viewer, project).filter(number=number).first()
    if found is None:
        raise not_found(Decision)
    return found


def decisions_that_hold(viewer: Actor, project: Project, *, limit: int, also: int | None = None) -> dict[int, str]:
    """Title by number of the newest that were neither replaced nor taken back, and of one more, however it stands."""
    rows = Decision.objects.visible_to(viewer).filter(project=project).order_by("-number")
    standing = rows.filter(taken_back_at=None, replaced_by=None).values_list("number", "title")[:limit]
    return dict([*standing, *rows.filter(number=also).values_list("number", "title")])


def decisions_citing(viewer: Actor, run: Run) -> QuerySet[Decision]:
    """Those that cite a run, the newest first."""
    rows: QuerySet[Decision] = Decision.objects.visible_to(viewer).filter(citations__run=run)
    return rows.select_related("created_by", "replaced_by", "project").order_by("-number")


def runs_cited(decision: Decision) -> list[Run]:
    """The runs in the order in which they are cited. Who sees a decision sees the runs of its project."""
    return [one.run for one in decision.citations.all()]  # type: ignore[attr-defined]  # prefetched


def standing_of(decision: Decision) -> Standing:
    """Whether it holds, was replaced, or was taken back."""
    later: Decision | None = getattr(decision, "replaced_by", None)
    return Standing(later is None and decision.taken_back_at is None, later)


def runs_named(
    viewer: Actor, project: Project, refs: Sequence[str], *, most: int, key: UUID | None = None
) -> list[Run]:
    """The runs of a project by their ids, as somebody wrote them. Raises Invalid for the first that is none, and for
    more than so many.

    key: of a decision that may be recorded already; a run that it cites is known, even if it was purged since.
    """
    once = list(dict.fromkeys(refs))
    if len(once) > most:
        raise Invalid(f"{len(once):,} runs are cited; a decision cites at most {most}.", field="runs")
    known = {} if key is None else _cited_by(viewer, project, key)
    return [known.get(ref) or _run_named(viewer, project, ref) for ref in once]


def _cited_by(viewer: Actor, project: Project, key: UUID) -> dict[str, Run]:
    kept = decisions_of(viewer, project).filter(pk=key).first()
    return {ref: run for run in (runs_cited(kept) if kept else []) for ref in (run.uid.hex, run.readable_id)}


def _run_named(viewer: Actor, project: Project, ref: str) -> Run:
    try:
        return get_run(viewer, ref, project=project)
    except Gone as gone:
        raise Invalid(gone.message, hint="Leave it out.", field="runs") from None
    except NotFound:
        words = f"'{ref[:80]}' is no run of this project."
        raise Invalid(words, hint=f"Write ids such as {project.key}-12.", field="runs") from None


def _with_all(rows: QuerySet[Decision]) -> QuerySet[Decision]:
    cited = DecisionRun.objects.order_by("place").select_related("run__project")
    people = ("created_by", "taken_back_by", "replaces", "replaced_by", "project")
    return rows.select_related(*people).prefetch_related(Prefetch("citations", queryset=cited))
