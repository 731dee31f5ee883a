"""What stands before and after a run in a list, and where it stands itself."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.core.cache import cache

from accounts.access import sight
from accounts.models import Project
from experiments.models import Run
from experiments.queries.search import FoundCount, FoundRun, Page, View, count_runs, search_runs
from kernel.actor import Actor
from kernel.paging import question_digest

WALKED = 10_000
_AT_ONCE = 1_000
_KEPT_SECONDS = 60  # a list is walked once for many steps


@dataclass(frozen=True, slots=True)
class Question:
    """What a list asks, as the search takes it."""

    project: Project | None
    experiments: Sequence[int] | None
    text: str
    order: Sequence[str]
    view: View


@dataclass(frozen=True, slots=True)
class Neighbours:
    """place: from 1, 0 where the run is not in the list (any more); before, after: the runs beside it."""

    place: int
    total: FoundCount
    before: Run | None
    after: Run | None


def neighbours_of(viewer: Actor, run: Run, question: Question, *, at: int = 0) -> Neighbours:
    """Who stands beside a run. at: where it stood when the reader saw it last, which serves where it left the list.

    Looks at the first 10,000. Raises QueryError.
    """
    uids, total = _listed(viewer, question, run.uid.hex)
    place = uids.index(run.uid.hex) + 1 if run.uid.hex in uids else 0
    if place:
        before, after = uids[place - 2] if place > 1 else "", uids[place] if place < len(uids) else ""
    else:
        before, after = (uids[at - 2] if 1 < at <= len(uids) + 1 else ""), (uids[at - 1] if 0 < at <= len(uids) else "")
    seen = Run.objects.visible_to(viewer).filter(uid__in=[uid for uid in (before, after) if uid])
    found = {one.uid.hex: one for one in seen}
    return Neighbours(place, total, found.get(before), found.get(after))


def _listed(viewer: Actor, question: Question, wanted: str) -> tuple[list[str], FoundCount]:
    """The list as far as the wanted run and the one after it, and how many there are."""
    project = question.project.pk.hex if question.project else ""
    asked = (project, list(question.experiments or ()), question.text, list(question.order), question.view.value)
    seen = sight(viewer, "experiments.see")  # whoever sees less now gets another list
    within = (seen.everything, sorted(map(str, seen.projects)), sorted(seen.experiments))
    name = f"beside:{viewer.user_id}:{question_digest('beside', str((asked, within)))}"
    kept = cache.get(name)
    if kept is not None and (kept[1] or wanted in kept[0][:-1]):
        return kept[0], FoundCount(*kept[2])
    uids, token, is_whole = list[str](), "", False
    while len(uids) < WALKED:
        page = _page(viewer, question, token)
        uids += [row.uid for row in page.rows]
        token, is_whole = page.next_token or "", page.next_token is None
        if is_whole or wanted in uids[:-1]:
            break
    total = FoundCount(len(uids), False) if is_whole else _count(viewer, question)
    cache.set(name, (uids, is_whole or len(uids) >= WALKED, (total.number, total.at_least)), _KEPT_SECONDS)
    return uids, total


def _page(viewer: Actor, question: Question, token: str) -> Page[FoundRun]:
    return search_runs(
        viewer,
        project=question.project,
        experiments=question.experiments,
        text=question.text,
        order=question.order,
        view=question.view,
        limit=_AT_ONCE,
        after=token or None,
    )


def _count(viewer: Actor, question: Question) -> FoundCount:
    return count_runs(
        viewer,
        project=question.project,
        experiments=question.experiments,
        text=question.text,
        view=question.view,
    )
