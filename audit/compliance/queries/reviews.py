"""Reviews, findings and samples, for those who read the runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from django.db.models import Count, Exists, F, OuterRef, QuerySet

from accounts.access import can_see, not_found
from accounts.models import Project, User
from accounts.queries.people import people_who
from accounts.signing import SignatureState, state_of
from audit.compliance.models import Draw, Finding, FindingNote, Review, TrailReview
from audit.compliance.reviewers import ANSWER, REVIEW
from audit.compliance.signed import state_now
from audit.compliance.trail import last_place
from audit.compliance.verdict import facts_of, record_of
from audit.ledger.values import plain
from experiments.models import Run
from experiments.models.runs import UNDER_REVIEW
from experiments.queries.search import search_runs
from experiments.values import ENDED
from kernel.actor import Actor
from kernel.errors import Invalid
from registry.queries.registered_models import find_model, versions_of

POPULATION_MAX = 10_000


def reviews_in(viewer: Actor, project: Project | None = None) -> QuerySet[Review]:
    """Every round of review that the viewer sees, in one project or all."""
    rows = Review.objects.visible_to(viewer)
    rows = rows if project is None else rows.filter(run__project=project)
    return rows.select_related(
        "run__project", "run__experiment", "run__created_by", "run__standing", "submitted_by", "assigned_to",
        "decided_by", "signature", "draw", "assessment",
    )  # fmt: skip


def queue(viewer: Actor, project: Project | None = None) -> QuerySet[Review]:
    """The rounds that wait for a verdict: what blocks most first, then the oldest."""
    waiting = reviews_in(viewer, project).filter(state__in=Review.OPEN)
    return waiting.order_by(F("run__standing__blocking").desc(nulls_last=True), "submitted_at", "pk")


def newest_rounds(viewer: Actor, project: Project, states: Sequence[str]) -> QuerySet[Review]:
    """The newest round that was not withdrawn of each run that stands so, the latest verdict first."""
    rounds = reviews_in(viewer, project).filter(run__lifecycle="active", run__review_state__in=list(states))
    kept = rounds.exclude(state=Review.State.WITHDRAWN)
    later = Review.objects.filter(run=OuterRef("run"), number__gt=OuterRef("number"))
    newest = kept.filter(~Exists(later.exclude(state=Review.State.WITHDRAWN)))
    return newest.order_by(F("decided_at").desc(nulls_last=True), "-submitted_at", "pk")


def waiting_count(viewer: Actor, project: Project) -> int:
    """How many runs of a project wait for a verdict."""
    return int(Review.objects.visible_to(viewer).filter(run__project=project, state__in=Review.OPEN).count())


def trail_end(viewer: Actor, project: Project) -> int | None:
    """The last place in the log that speaks of the project; None where there is none yet."""
    return last_place(project) if can_see(viewer, project) else None


def counts_by_state(viewer: Actor, project: Project | None = None) -> dict[str, int]:
    """How many runs stand how, by their newest round that was not withdrawn."""
    runs = Run.objects.visible_to(viewer).filter(UNDER_REVIEW, lifecycle="active")
    runs = runs if project is None else runs.filter(project=project)
    return dict(runs.order_by().values_list("review_state").annotate(n=Count("*")))


def get_review(viewer: Actor, review_id: UUID, *, project: Project | None = None) -> Review:
    """One round. Raises NotFound, the same for absent and invisible."""
    found = reviews_in(viewer, project).filter(pk=review_id).first()
    if found is None:
        raise not_found(Review)
    return found


def get_reviews(viewer: Actor, project: Project, ids: Sequence[UUID]) -> list[Review]:
    """Some rounds of a project, in the order of the queue. Raises NotFound where one is absent or invisible."""
    found = reviews_in(viewer, project).filter(pk__in=ids).order_by("submitted_at", "pk")
    if len(found) != len(set(ids)):
        raise not_found(Review)
    return list(found)


def rounds_of(viewer: Actor, run: Run) -> list[Review]:
    """Every round of one run, newest first."""
    return list(reviews_in(viewer).filter(run=run).order_by("-number"))


def findings_of(viewer: Actor, run: Run) -> list[Finding]:
    """The findings about a run, open ones first, then the newest."""
    rows = Finding.objects.visible_to(viewer).filter(run=run)
    found = list(rows.select_related("owner", "opened_by", "closed_by", "review", "run__project"))
    return sorted(found, key=lambda one: (one.state == Finding.State.CLOSED, -one.opened_at.timestamp()))


def unanswered(viewer: Actor, run: Run) -> int:
    """How many findings about a run nobody has answered."""
    return int(Finding.objects.visible_to(viewer).filter(run=run, state=Finding.State.OPEN).count())


def open_findings(viewer: Actor, project: Project | None = None) -> QuerySet[Finding]:
    """The findings that are not closed, what is due first."""
    rows = Finding.objects.visible_to(viewer).exclude(state=Finding.State.CLOSED)
    rows = rows if project is None else rows.filter(run__project=project)
    return rows.select_related("run__project", "owner", "opened_by").order_by(
        F("due").asc(nulls_last=True), "opened_at"
    )


def findings_in(viewer: Actor, project: Project) -> QuerySet[Finding]:
    """Every finding of a project, closed ones too."""
    rows = Finding.objects.visible_to(viewer).filter(run__project=project)
    return rows.select_related("run__project", "owner", "opened_by")


def get_finding(viewer: Actor, finding_id: UUID) -> Finding:
    """One finding. Raises NotFound, the same for absent and invisible."""
    rows = Finding.objects.visible_to(viewer).select_related("run__project", "owner", "opened_by")
    found: Finding | None = rows.filter(pk=finding_id).first()
    if found is None:
        raise not_found(Finding)
    return found


def threads_of(viewer: Actor, findings: Sequence[Finding]) -> dict[UUID, list[FindingNote]]:
    """What was written to each finding, oldest first."""
    threads: dict[UUID, list[FindingNote]] = {one.pk: [] for one in findings}
    rows = FindingNote.objects.visible_to(viewer).filter(finding__in=list(threads)).select_related("by")
    for note in rows.order_by("at", "pk"):
        threads[note.finding_id].append(note)
    return threads


def draws_in(viewer: Actor, project: Project) -> list[Draw]:
    """The samples that were drawn, newest first."""
    return list(Draw.objects.visible_to(viewer).filter(project=project).select_related("by").order_by("-at"))


def trail_reviews_in(viewer: Actor, project: Project) -> list[TrailReview]:
    """When the project's audit trail was looked through, newest first."""
    rows = TrailReview.objects.visible_to(viewer).filter(project=project)
    return list(rows.select_related("by").order_by("-at"))


@dataclass(frozen=True, slots=True)
class Change:
    """One thing in a run that is not as it was decided about. path: 'tags › stage'."""

    path: str
    before: Any
    now: Any


def facts_now(viewer: Actor, run: Run) -> Mapping[str, Any] | None:
    """Everything in a run that a verdict rests on, for a page that compares it with several; None for who sees none."""
    return facts_of(run) if Run.objects.visible_to(viewer).filter(pk=run.pk).exists() else None


def changes_since(viewer: Actor, review: Review, *, facts: Mapping[str, Any] | None = None) -> list[Change]:
    """What changed in the run since a signed verdict; empty where nothing did, or nothing was signed.

    facts: of the run as it is now (facts_now), where they were read already.
    """
    if review.signature is None or not Run.objects.visible_to(viewer).filter(pk=review.run_id).exists():
        return []
    then: Mapping[str, Any] = orjson.loads(review.signature.record).get("run", {})
    now_: Mapping[str, Any] = plain(facts if facts is not None else facts_of(review.run))
    return [one for one in _differences(then, now_) if one.path != "seal"]


def _differences(then: Any, now_: Any, at: str = "") -> list[Change]:
    if isinstance(then, dict) and isinstance(now_, dict):
        found: list[Change] = []
        for key in sorted(then.keys() | now_.keys()):
            found += _differences(then.get(key), now_.get(key), f"{at} › {key}" if at else key)
        return found
    return [] if then == now_ else [Change(at, then, now_)]


def signature_state(viewer: Actor, review: Review, *, facts: Mapping[str, Any] | None = None) -> SignatureState | None:
    """Whether the verdict's signature still matches, and whether the log covers it. facts: as in changes_since."""
    if review.signature is None or not Review.objects.visible_to(viewer).filter(pk=review.pk).exists():
        return None
    if facts is None:
        return state_now(review.signature)
    return state_of(review.signature, record_of(review, facts=facts))


def reviews_of_mine(viewer: Actor) -> QuerySet[Review]:
    """The rounds that this viewer was given to decide, what is due first."""
    mine = reviews_in(viewer).filter(assigned_to=viewer.user_id, state__in=Review.OPEN)
    return mine.order_by(F("due").asc(nulls_last=True), "submitted_at", "pk")


def findings_to_answer(viewer: Actor) -> QuerySet[Finding]:
    """The findings that this viewer has to answer, what is due first."""
    return open_findings(viewer).filter(owner=viewer.user_id, state=Finding.State.OPEN)


def person_named(viewer: Actor, project: Project, email: str | None, *, field: str) -> User | None:
    """A person of the project by e-mail, None for none. Raises Invalid for somebody who has no part in it."""
    if not email:
        return None
    known = {user.email.lower(): user for user in [*people_who(REVIEW, project), *people_who(ANSWER, project)]}
    found = known.get(email.lower()) if can_see(viewer, project) else None
    if found is None:
        words = f"'{email[:80]}' has no part in this project."
        raise Invalid(words, hint="Give the e-mail address of a member.", field=field)
    return found


def runs_asked(viewer: Actor, project: Project, method: str, question: str) -> list[Run]:
    """The runs that a sample is drawn from: those that a query finds; with rules that block; behind a model.

    Raises Invalid for a query that is none, NotFound for a model that is not there.
    """
    runs = Run.objects.visible_to(viewer).filter(project=project, lifecycle="active", status__in=ENDED)
    ready = runs.select_related("project").order_by("pk")
    if method == Draw.Method.SEVERITY:
        return list(ready.filter(standing__blocking__gt=0)[: POPULATION_MAX + 1])
    if method == Draw.Method.MODEL:
        versions = versions_of(viewer, find_model(viewer, project, question))
        behind = {one.run_id for one in versions}
        behind |= {one.logged_model.source_run_id for one in versions if one.logged_model}
        return list(ready.filter(pk__in=[pk for pk in behind if pk]))
    found: list[int] = []
    after: str | None = None
    while len(found) <= POPULATION_MAX:
        page = search_runs(viewer, project=project, text=question, limit=1000, after=after)
        found += [one.id for one in page.rows]
        after = page.next_token
        if after is None:
            break
    if len(found) > POPULATION_MAX:
        words = f"A sample is drawn from at most {POPULATION_MAX:,} runs."
        raise Invalid(words, hint="Ask for fewer.", field="question")
    return list(ready.filter(pk__in=found))
