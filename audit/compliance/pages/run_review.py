"""The tab of a run that tells its reviews: submitting it, each verdict, findings and their answers, amendments."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from accounts.access import can
from accounts.pages.doors import actor_of, fill_in_error, signed_in
from accounts.signing import SignatureState
from audit.compliance.actions.reviews import NOTE_TAG, amend_run, submit_run, withdraw_submission
from audit.compliance.models import Finding, Review
from audit.compliance.pages import findings
from audit.compliance.pages.findings import Unsent, threads_about
from audit.compliance.pages.log_words import words
from audit.compliance.pages.profile import lines_in
from audit.compliance.queries.assessments import standing_of
from audit.compliance.queries.reviews import (
    Change,
    changes_since,
    facts_now,
    get_finding,
    get_review,
    rounds_of,
    signature_state,
    unanswered,
)
from experiments.actions.notes import state_of
from experiments.models import Run
from experiments.pages.frame import run_frame
from experiments.pages.slots import BulkOffer
from experiments.queries.runs import get_run, tags_of
from experiments.values import ENDED, ReviewState
from kernel.actor import Actor
from kernel.errors import AlreadyExists, Conflict, Invalid, MledError, NotFound

TEXT_MAX = 4000
SHOWN_MAX = 60


class Submission(forms.Form):
    """What the submitter says."""

    comment = forms.CharField(
        required=False,
        max_length=TEXT_MAX,
        label="What shall the auditors know?",
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class Withdrawal(forms.Form):
    """Why the run is taken out of review."""

    reason = forms.CharField(required=False, max_length=TEXT_MAX, label="Why?")


class Amendment(forms.Form):
    """What is added or put right after the submission."""

    reason = forms.CharField(max_length=TEXT_MAX, help_text="Auditors read it; it is kept with the change.")
    params = forms.CharField(
        required=False,
        label="Parameters to add",
        help_text="One a line: seed = 17. Those that are there stay as they are.",
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    tags = forms.CharField(
        required=False,
        label="Tags to set",
        help_text="One a line: stage = candidate",
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    name = forms.CharField(required=False, max_length=TEXT_MAX)
    note = forms.CharField(required=False, label="Note", widget=forms.Textarea(attrs={"rows": 3}))
    before = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)


FORMS: dict[str, type[forms.Form]] = {"submit": Submission, "withdraw": Withdrawal, "amend": Amendment}


@dataclass(frozen=True, slots=True)
class Round:
    """One round of review, and what its signature is worth now."""

    review: Review
    signature_state: SignatureState | None


@require_safe
@signed_in
def page(request: HttpRequest, run: str) -> HttpResponse:
    """The reviews of a run, and what its author can do about them."""
    return _page(request, run, {})


def _page(
    request: HttpRequest, ref: str, bound: Mapping[str, forms.Form], unsent: Unsent | None = None
) -> HttpResponse:
    run, context = run_frame(request, ref, "review")
    viewer = actor_of(request)
    every = rounds_of(viewer, run)
    facts = facts_now(viewer, run) if any(one.signature for one in every) else None
    rounds = [Round(one, signature_state(viewer, one, facts=facts)) for one in every]
    decided = last_verdict([one.review for one in rounds])
    current = next((one.review for one in rounds if one.review.is_open), None)
    threads = threads_about(viewer, run, unsent)
    may = offered(viewer, run, current, threads)
    note = tags_of(viewer, run).get(NOTE_TAG, "")
    initial = {"amend": {"name": run.name, "note": note, "before": state_of(run.name, note)}}
    context |= {
        "rounds": rounds,
        "current": current,
        "decided": decided,
        "changes": said(changes_since(viewer, decided, facts=facts)) if decided else [],
        "threads": threads,
        "unanswered": [one for one in threads if one.finding.state == Finding.State.OPEN],
        "standing": standing_of(viewer, run),
        "has_ended": run.status in ENDED,
        "may": may,
        "forms": {
            verb: bound.get(verb) or form(initial=initial.get(verb), prefix=verb) for verb, form in FORMS.items()
        },
        "opened": list(bound),
    }
    return render(request, "compliance/run_review.html", context)


def offered(viewer: Actor, run: Run, current: Review | None, threads: list[findings.Thread]) -> dict[str, bool]:
    """What this viewer may do with the run as it stands."""
    is_theirs = bool(can(viewer, "compliance.submit", run)) and not run.is_deleted
    is_open = any(one.finding.state == Finding.State.OPEN for one in threads)
    return {
        "own": is_theirs,
        "submit": is_theirs and current is None and run.status in ENDED and not is_open,
        "withdraw": is_theirs and current is not None and current.draw_id is None,
        "amend": is_theirs and run.review_state != ReviewState.NOT_REVIEWED,
    }


def last_verdict(rounds: list[Review], *, up_to: int | None = None) -> Review | None:
    """The newest round that was decided with a signature. up_to: none after this round."""
    signed = (one for one in rounds if one.signature is not None and (up_to is None or one.number <= up_to))
    return next(signed, None)


def said(changes: list[Change]) -> list[Change]:
    """Changes in words: short values, and what was not there said so."""
    return [Change(one.path, _short(words(one.before)), _short(words(one.now))) for one in changes]


def _short(text: str) -> str:
    return text if len(text) <= SHOWN_MAX else f"{text[:SHOWN_MAX]}…"


def url_of(run: Run) -> str:
    """The address of the tab."""
    return reverse("compliance:run_review", args=[run.uid.hex])


def unanswered_count(viewer: Actor, run: Run) -> int | None:
    """How many findings nobody has answered, for the tab; None for none."""
    return unanswered(viewer, run) or None


# Below selected runs: each of them is submitted.
BULK_OFFER = BulkOffer(
    label="Request review",
    icon="shieldok",
    do=lambda actor, run, reason: submit_run(actor, run, comment=reason),
    done="sent to review",
    permission="experiments.log_run",  # who logs runs has some of their own; the action looks at each
    is_so=lambda run: run.review_state in (ReviewState.SUBMITTED, ReviewState.IN_REVIEW),
)


# --- Acts


def _submit(actor: Actor, run: Run, asked: Mapping[str, Any]) -> str:
    submit_run(actor, run, comment=asked["comment"])
    return "Submitted. It waits in the auditors' queue."


def _withdraw(actor: Actor, run: Run, asked: Mapping[str, Any]) -> str:
    withdraw_submission(actor, run, reason=asked["reason"])
    return "Withdrawn. Nobody decides about it."


def _amend(actor: Actor, run: Run, asked: Mapping[str, Any]) -> str:
    note, stored = asked["note"].replace("\r\n", "\n"), tags_of(actor, run).get(NOTE_TAG, "")
    changes = asked["name"] not in ("", run.name) or note != stored
    if changes and asked["before"] and asked["before"] != state_of(run.name, stored):
        raise Invalid(
            f"Somebody changed name or note while you wrote. Now it is '{run.name}', with the note: {stored[:400]}",
            hint="Take over what you want to keep of it, and amend again.",
            field="note",
        )
    amend_run(
        actor,
        run,
        reason=asked["reason"],
        params=pairs_in(asked["params"], "params"),
        tags=pairs_in(asked["tags"], "tags"),
        name=asked["name"] if asked["name"] not in ("", run.name) else None,
        note=note if note != stored else None,
    )
    return "Amended. The reason is kept with the change."


ACTS: dict[str, Callable[[Actor, Run, Mapping[str, Any]], str]] = {
    "submit": _submit,
    "withdraw": _withdraw,
    "amend": _amend,
}


def pairs_in(text: str, field: str) -> dict[str, str]:
    """'seed = 17', one a line. Raises Invalid for a line that names nothing."""
    found = {}
    for line in lines_in(text):
        name, equals, value = line.partition("=")
        if not equals or not name.strip():
            raise Invalid(f"'{line[:80]}' names no value.", hint="Write: seed = 17", field=field)
        found[name.strip()] = value.strip()
    return found


@require_POST
@signed_in
def act(request: HttpRequest, run: str, verb: str) -> HttpResponse:
    """Submit, withdraw or amend the run, and back to the tab; what could not be done stands beside its field."""
    if verb not in ACTS:
        raise NotFound(f"Reviews have no act '{verb[:40]}'.")
    viewer = actor_of(request)
    found = get_run(viewer, run)
    form = FORMS[verb](request.POST, prefix=verb)
    if form.is_valid():
        try:
            messages.success(request, ACTS[verb](viewer, found, form.cleaned_data))
        except (AlreadyExists, Conflict) as error:
            messages.error(request, str(error))
        except MledError as error:
            fill_in_error(form, error)
            return _page(request, run, {verb: _up_to_date(viewer, found, form)})
        return redirect(url_of(found))
    return _page(request, run, {verb: form})


def _up_to_date(viewer: Actor, run: Run, form: forms.Form) -> forms.Form:
    """The form with what name and note are now, which its writer has just been told: sent again, it counts."""
    if isinstance(form, Amendment):
        now_ = state_of(run.name, tags_of(viewer, run).get(NOTE_TAG, ""))
        form.data = {**form.data.dict(), form.add_prefix("before"): now_}  # type: ignore[attr-defined]  # a QueryDict
    return form


@require_POST
@signed_in
def finding_act(request: HttpRequest, finding: UUID, verb: str) -> HttpResponse:
    """Answer a finding, ask again or close it, and back to where it was read."""
    if verb not in findings.ACTS:
        raise NotFound(f"Findings have no act '{verb[:40]}'.")
    viewer = actor_of(request)
    found = get_finding(viewer, finding)
    text = request.POST.get("text", "").replace("\r\n", "\n")
    try:
        messages.success(request, findings.ACTS[verb][0](viewer, found, text))
    except Invalid as error:
        return _page(request, found.run.uid.hex, {}, Unsent(found, text, str(error)))
    except Conflict as error:
        messages.error(request, str(error))
    return redirect(f"{_back_of(request, viewer, found)}#finding-{found.pk}")


def _back_of(request: HttpRequest, viewer: Actor, finding: Finding) -> str:
    """The review page that the form stood on, else the run's tab."""
    try:
        review = get_review(viewer, UUID(request.POST.get("review", "")))
    except (ValueError, NotFound):
        return url_of(finding.run)
    return reverse("compliance:review", args=[review.run.project.slug, review.pk])
