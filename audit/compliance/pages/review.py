"""One round of review: the evidence, what the rules say, what changed since the last verdict, and the verdict."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import HttpResponseClientRefresh

from accounts.access import Denied, can, find_project, require
from accounts.models import Project, User
from accounts.pages.doors import actor_of, fill_in_error, signed_in
from accounts.pages.signing import given_proof, signing
from accounts.queries.people import people_who
from accounts.templatetags.mled import short_digest
from audit.compliance.actions.findings import Flag
from audit.compliance.actions.reviews import (
    AFTER_APPROVAL,
    assign_review,
    blocking,
    decide_review,
    start_review,
    withdraw_drawn,
)
from audit.compliance.judging import results_in
from audit.compliance.models import Assessment, Finding, Review
from audit.compliance.pages.evidence import evidence_of
from audit.compliance.pages.findings import threads_about
from audit.compliance.pages.rules import Line, counted, lines_of
from audit.compliance.pages.run_review import last_verdict, said
from audit.compliance.profile import profile_of
from audit.compliance.queries.assessments import standing_of
from audit.compliance.queries.reviews import changes_since, facts_now, get_review, queue, rounds_of, signature_state
from audit.compliance.reviewers import ANSWER, REVIEW
from audit.compliance.rules.engine import RULES, Judged, Rule
from audit.compliance.verdict import digest_of_facts
from experiments.pages.frame import recalled_of
from kernel.actor import Actor
from kernel.clock import now
from kernel.errors import Conflict, Invalid, MledError, NotFound

TEXT_MAX = 4000
DECISIONS = {"compliant": True, "flag": False}
MEANINGS = {"compliant": "Reviewed and found compliant", "flag": "Reviewed and flagged"}
WORDS = {"compliant": "compliant", "flag": "flagged"}
PROOF_FIELDS = frozenset({"password", "email"})
# What the action calls the reason, the signed form calls its comment.
FIELDS = {"reason": "comment"}


class Verdict(forms.Form):
    """The reason of a verdict, and the finding that a flag comes with."""

    comment = forms.CharField(
        required=False,
        max_length=TEXT_MAX,
        label="Reason",
        help_text="A flag needs one. It is signed with the verdict.",
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    kind = forms.ChoiceField(required=False, choices=Finding.Kind.choices, label="What is the matter?")
    text = forms.CharField(
        required=False,
        max_length=TEXT_MAX,
        label="What was found",
        help_text="What has to be put right, so that it can be answered.",
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    rule = forms.ChoiceField(required=False, label="Rule")
    owner = forms.ChoiceField(required=False, label="Who answers")
    due = forms.DateField(
        required=False, label="Until", widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )

    # What the signature dialogue repeats of the finding that is opened with a flag.
    SAID = (("text", "Finding"), ("kind", "Matter"), ("rule", "Rule"), ("owner", "Answers"), ("due", "Until"))

    def __init__(self, rules: Sequence[Rule], people: Sequence[User], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.people = {str(one.pk): one for one in people}
        named = [("", "None in particular"), *((one.key, f"{one.key} {one.title}") for one in rules)]
        owners = [("", "The author"), *((key, one.name) for key, one in self.people.items())]
        self.fields["rule"].choices = named  # type: ignore[attr-defined]
        self.fields["owner"].choices = owners  # type: ignore[attr-defined]
        self.fields["due"].widget.attrs |= {"min": now().date().isoformat(), "data-past": "The day is past."}

    @property
    def found(self) -> list[forms.BoundField]:
        """The fields of the finding."""
        return [self[name] for name in ("text", "kind", "rule", "owner", "due")]

    @property
    def flag(self) -> Flag:
        """The finding that was written. Raises Invalid where there is none."""
        asked = self.cleaned_data
        if not asked["comment"].strip():
            raise Invalid("Say why it is flagged.", field="reason")
        if not asked["text"].strip():
            raise Invalid("Say what was found: a flag has at least one finding.", field="text")
        owner = self.people.get(asked["owner"])
        return Flag(asked["kind"] or Finding.Kind.OTHER, asked["text"], asked["rule"], owner, asked["due"])


class Withdrawal(forms.Form):
    """Why a drawn run is taken out of its sample."""

    reason = forms.CharField(max_length=TEXT_MAX, label="Why?", help_text="It is kept; the run stands as before.")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a round stands in the queue, with the ones before and behind it."""

    number: int
    of: int
    before: Review | None
    after: Review | None


@dataclass(frozen=True, slots=True)
class Ahead:
    """Where to go on after a verdict, and how many wait in all."""

    review: Review
    waiting: int


def _found(viewer: Actor, slug: str, review: UUID) -> Review:
    return get_review(viewer, review, project=find_project(viewer, slug))


@require_safe
@signed_in
def page(request: HttpRequest, slug: str, review: UUID) -> HttpResponse:
    """One round of review; whoever may decide decides here."""
    return _page(request, _found(actor_of(request), slug, review))


def _page(
    request: HttpRequest,
    review: Review,
    *,
    form: Verdict | None = None,
    opened: str = "",
    error: MledError | None = None,
    withdrawal: Withdrawal | None = None,
) -> HttpResponse:
    viewer, run = actor_of(request), review.run
    assessment = judged_of(viewer, review)
    results = results_in(assessment.results) if assessment else []
    lines = lines_of(results)
    asked, by_verdict = split(review, lines)
    base = last_verdict(rounds_of(viewer, run), up_to=review.number)
    verdict = can(viewer, "compliance.decide_review", review)
    in_the_way = blocking(results) if run.project.is_governed else []
    facts = facts_now(viewer, run) if base or review.signature or review.is_open else None
    recalled = recalled_of(viewer, run)
    context = {
        "at": "reviews",
        "project": run.project,
        "run": run,
        "review": review,
        "place": place_of(viewer, review) if review.is_open else None,
        "ahead": None if review.is_open else ahead_of(viewer, review, request.GET.get("next", "")),
        "recalled": recalled,
        "profile": profile_of(run.project.profile),
        "assessment": assessment,
        "counts": counted(asked),
        "unmet": [line for line in asked if not line.is_met],
        "by_verdict": by_verdict,
        "met": [line for line in lines if line.is_met],
        "base": base,
        "changes": said(changes_since(viewer, base, facts=facts)) if base else [],
        "threads": threads_about(viewer, run),
        "decides": review.is_open and bool(verdict),
        "may_assign": review.is_open and bool(can(viewer, "compliance.assign", review)),
        "me": viewer.user_id,
        "withdrawal": withdrawal or Withdrawal(prefix="withdraw"),
        "why_not": verdict.reason if isinstance(verdict, Denied) else "",
        "in_the_way": in_the_way,
        "signature": review.signature,
        "signature_state": signature_state(viewer, review, facts=facts),
        "form": form or verdict_form(run.project),
        "seen": request.POST.get("seen") or (digest_of_facts(run, facts=facts) if review.is_open and verdict else ""),
        "signing": signing(request, run.project, opened=opened, error=error),
        "sign_what": run.name,
        "sign_id": run.readable_id,
        "sign_word": WORDS[opened or "compliant"],
        "sign_meaning": MEANINGS[opened or "compliant"],
        "meanings": MEANINGS,
        "sign_facts": facts_of(review, results, str(facts["seal"]) if facts else ""),
        "sign_mirrors": Verdict.SAID,
        "sign_recalled": recalled,
        "sign_email": request.POST.get("email", ""),
        "reason_needs": "Say why: it is signed with the verdict.",
        **evidence_of(viewer, run),
    }
    return render(request, "compliance/review.html", context)


def judged_of(viewer: Actor, review: Review) -> Assessment | None:
    """What the rules say: as it was when the round was decided, else as it is now."""
    if review.assessment is not None:
        return review.assessment
    standing = standing_of(viewer, review.run)
    return standing.assessment if standing else None


def verdict_form(project: Project, given: Any = None) -> Verdict:
    """The form of a verdict in this project."""
    rules = [RULES[key] for key in profile_of(project.profile).rules if key in RULES]
    return Verdict(rules, people_who(ANSWER, project), given)


def split(review: Review, lines: Sequence[Line]) -> tuple[list[Line], list[Line]]:
    """What the rules say of the run; and what only the verdict, or what follows it, can meet.

    They were asked before it was given, so they say nothing of that afterwards either.
    """
    is_before = review.is_open or review.assessment is not None
    later = [line for line in lines if is_before and not line.is_met and line.key in AFTER_APPROVAL]
    return [line for line in lines if line not in later], later


def facts_of(review: Review, results: Sequence[Judged], seal: str) -> list[tuple[str, str]]:
    """What is signed, in a few lines. seal: of the run's record as it is now, as the signature will keep it."""
    asked, later = split(review, lines_of(list(results)))
    counts = ", ".join(f"{number} {outcome.label.lower()}" for outcome, number in counted(asked))
    if later:
        counts += f"; {len(later)} more {'is' if len(later) == 1 else 'are'} met by the verdict itself or after it"
    return [
        ("Round", str(review.number)),
        *([("Record", f"sha256:{short_digest(seal)}")] if seal else []),
        ("Signed text", "this record with data, files, submission, rules, verdict and reason; hashed as you sign"),
        ("Rules", counts or "not asked yet; they are asked as you sign"),
    ]


def place_of(viewer: Actor, review: Review) -> Place | None:
    """Where the round stands in its project's queue."""
    waiting = list(queue(viewer, review.run.project))
    at = next((number for number, one in enumerate(waiting) if one.pk == review.pk), None)
    if at is None:
        return None
    after = waiting[at + 1] if at + 1 < len(waiting) else None
    return Place(at + 1, len(waiting), waiting[at - 1] if at else None, after)


def ahead_of(viewer: Actor, review: Review, then: str) -> Ahead | None:
    """Where to go on from a decided round; None where none waits for this viewer.

    then: the round that came behind it in the queue, by its id; where that waits no more, it is the first.
    """
    if not can(viewer, "compliance.decide_review", review.run.project):
        return None
    waiting = list(queue(viewer, review.run.project))
    behind = (one for one in waiting if one.pk.hex == then)
    return Ahead(next(behind, waiting[0]), len(waiting)) if waiting else None


def url_of(review: Review) -> str:
    """The address of a round's page."""
    return reverse("compliance:review", args=[review.run.project.slug, review.pk])


@require_safe
@signed_in
def state(request: HttpRequest, slug: str, review: UUID) -> HttpResponse:
    """Where a signed verdict stands: the page asks again until the log covers it, then it is drawn anew."""
    found = _found(actor_of(request), slug, review)
    if found.signature is None or found.effective_at is not None:
        return HttpResponseClientRefresh()
    return render(request, "compliance/awaiting.html", {"review": found, "project": found.run.project})


@require_POST
@signed_in
def start(request: HttpRequest, slug: str, review: UUID) -> HttpResponse:
    """Begin to review: the author sees it."""
    viewer = actor_of(request)
    found = _found(viewer, slug, review)
    try:
        start_review(viewer, found)
    except NotFound:
        raise
    except MledError as error:
        messages.error(request, str(error))
    return redirect(url_of(found))


@require_POST
@signed_in
def take(request: HttpRequest, slug: str, review: UUID) -> HttpResponse:
    """Take it upon oneself: others see who reads it."""
    viewer = actor_of(request)
    found = _found(viewer, slug, review)
    try:
        me = next((one for one in people_who(REVIEW, found.run.project) if one.pk == viewer.user_id), None)
        assign_review(viewer, found, assigned_to=me, due=found.due)
    except Conflict as error:
        messages.error(request, str(error))
    return redirect(url_of(found))


@require_POST
@signed_in
def withdraw(request: HttpRequest, slug: str, review: UUID) -> HttpResponse:
    """Take a drawn run out of its sample, with a reason."""
    viewer = actor_of(request)
    found = _found(viewer, slug, review)
    form = Withdrawal(request.POST, prefix="withdraw")
    if not form.is_valid():
        return _page(request, found, withdrawal=form)
    try:
        withdraw_drawn(viewer, found, reason=form.cleaned_data["reason"])
    except Conflict as error:
        messages.error(request, str(error))
    else:
        messages.success(request, "Taken out of the sample.")
    return redirect(url_of(found))


@require_POST
@signed_in
def decide(request: HttpRequest, slug: str, review: UUID) -> HttpResponse:
    """Sign a verdict. Without `confirm` the page comes back with the signature dialogue open."""
    viewer = actor_of(request)
    found = _found(viewer, slug, review)
    decision = request.POST.get("decision", "")
    if decision not in DECISIONS:
        raise Invalid(f"'{decision[:20]}' is no verdict.", hint="It is compliant or flag.", field="decision")
    require(viewer, "compliance.decide_review", found)
    form = verdict_form(found.run.project, request.POST)
    if not form.is_valid():
        return _not_signed(request, found, form)
    try:
        flags = () if DECISIONS[decision] else (form.flag,)
        if "confirm" not in request.POST:
            return _page(request, found, form=form, opened=decision)
        proof, place = given_proof(request), place_of(viewer, found)
        reason = form.cleaned_data["comment"].replace("\r\n", "\n")
        given = {"reason": reason, "proof": proof, "flags": flags, "seen": request.POST.get("seen", "")}
        decide_review(viewer, found, compliant=DECISIONS[decision], **given)
    except MledError as error:
        if error.field in PROOF_FIELDS:
            return _page(request, found, form=form, opened=decision, error=error)
        error.field = FIELDS.get(error.field, error.field)
        fill_in_error(form, error)
        return _not_signed(request, found, form)
    messages.success(request, f"Signed: {WORDS[decision]}. It counts once the log covers it, within seconds.")
    return redirect(f"{url_of(found)}?next={place.after.pk.hex}" if place and place.after else url_of(found))


def _not_signed(request: HttpRequest, review: Review, form: Verdict) -> HttpResponse:
    """The page with what was written, the first wrong field focused, and on top that nothing was signed."""
    wrong = next((name for name in form.fields if name in form.errors), None)
    if wrong is not None:
        form.fields[wrong].widget.attrs["autofocus"] = True
    words = [str(one) for errors in form.errors.values() for one in errors]
    messages.error(request, f"Not signed: {' '.join(words)}")
    return _page(request, review, form=form)
