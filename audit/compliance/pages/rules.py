"""The tab of a run that says what the rules found, what is missing and how to fix it."""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from accounts.access import can
from accounts.pages.doors import actor_of, signed_in
from audit.compliance.actions.assessments import assess_run, judgement_of
from audit.compliance.actions.exceptions import (
    cosign_waiver,
    end_waiver,
    remove_not_applicable,
    set_not_applicable,
    waive_rule,
)
from audit.compliance.judging import results_in
from audit.compliance.models import RunStanding, Waiver
from audit.compliance.pages.afterwards import lines_for
from audit.compliance.profile import profile_of
from audit.compliance.queries.assessments import (
    exceptions_said,
    get_waiver,
    past_assessments,
    standing_of,
    waivers_in_force,
)
from audit.compliance.queries.reviews import rounds_of
from audit.compliance.rules.engine import GROUPS, RULES, Judged, Outcome, Severity
from experiments.models import Run
from experiments.pages.frame import run_frame
from experiments.queries.runs import get_run
from kernel.actor import Actor
from kernel.errors import Invalid, MledError, NotFound, Refused, Unauthenticated

TYPED_MAX = 10_000
ORDER = (Outcome.FAIL, Outcome.MISSING, Outcome.WAIVED, Outcome.PASS, Outcome.NOT_APPLICABLE)


@dataclass(frozen=True, slots=True)
class Line:
    """One rule as the page shows it."""

    key: str
    title: str
    group: str
    clauses: str
    judged: Judged
    outcome: Outcome
    severity: Severity
    waiver: Waiver | None
    is_excepted: bool
    afterwards: str = ""

    @property
    def is_met(self) -> bool:
        return self.outcome.is_met


@dataclass(frozen=True, slots=True)
class Unsent:
    """A form about a rule that was not taken: what was typed, why not, and at which of its fields that stands."""

    verb: str
    rule: str
    reason: str
    until: str
    why: str
    field: str


def lines_of(
    results: list[Judged], waivers: Mapping[str, Waiver] | None = None, excepted: frozenset[str] = frozenset()
) -> list[Line]:
    """Rules in the order that people work in: what fails and blocks first, what is in order last."""
    lines = [_line(one, (waivers or {}).get(one.rule), one.rule in excepted) for one in results if one.rule in RULES]
    weight = {severity: place for place, severity in enumerate(Severity)}
    return sorted(lines, key=lambda line: (ORDER.index(line.outcome), weight[line.severity]))


def _line(judged: Judged, waiver: Waiver | None, is_excepted: bool) -> Line:
    rule = RULES[judged.rule]
    group = GROUPS["own"] if rule.key.startswith("own.") else GROUPS[rule.group]
    return Line(
        key=rule.key,
        title=rule.title,
        group=group,
        clauses=", ".join(rule.clauses),
        judged=judged,
        outcome=Outcome(judged.outcome),
        severity=Severity(judged.severity),
        waiver=waiver,
        is_excepted=is_excepted,
    )


def counted(lines: list[Line]) -> list[tuple[Outcome, int]]:
    """How many rules came out how, in the order of work."""
    return [(one, number) for one in ORDER if (number := sum(line.outcome is one for line in lines))]


@require_safe
@signed_in
def page(request: HttpRequest, run: str) -> HttpResponse:
    """What the rules of the project's profile say of the run."""
    return _page(request, run)


def _page(request: HttpRequest, run: str, unsent: Unsent | None = None) -> HttpResponse:
    found, context = run_frame(request, run, "rules")
    viewer = actor_of(request)
    standing = standing_of(viewer, found)
    assessment = standing.assessment if standing else None
    waivers = {one.rule: one for one in waivers_in_force(viewer, found)}
    excepted = frozenset(one.rule for one in exceptions_said(viewer, found))
    lines = lines_of(results_in(assessment.results), waivers, excepted) if assessment else []
    if unsent and not any(line.key == unsent.rule and not line.is_met for line in lines):
        messages.error(request, unsent.why)  # the form has gone meanwhile
    context |= {
        "profile": profile_of(found.project.profile),
        "standing": standing,
        "is_behind": standing is not None and is_behind(viewer, found, standing),
        "assessment": assessment,
        "unmet": [replace(line, afterwards=lines_for(found, line.judged.code)) for line in lines if not line.is_met],
        "must": sum(not line.is_met and line.severity is not Severity.INFORMS for line in lines),
        "for_information": sum(not line.is_met and line.severity is Severity.INFORMS for line in lines),
        "met": [line for line in lines if line.is_met],
        "counts": counted(lines),
        "earlier": past_assessments(viewer, found)[1:],
        "may": offered(viewer, found),
        "unsent": unsent,
    }
    return render(request, "compliance/run_rules.html", context, status=400 if unsent else 200)


def is_behind(viewer: Actor, run: Run, standing: RunStanding) -> bool:
    """Whether something changed since the rules were asked. Those that follow the log hear of a verdict seconds later;
    who comes from signing it looks sooner."""
    return standing.stale_at is not None or any(
        moment is not None and standing.checked_at is not None and moment > standing.checked_at
        for review in rounds_of(viewer, run)
        for moment in (review.decided_at, review.effective_at)
    )


def offered(viewer: Actor, run: Run) -> dict[str, bool]:
    """What this viewer may say about the rules of this run."""
    names = {
        "assess": "compliance.assess",
        "except": "compliance.except_rule",
        "waive": "compliance.waive",
        "cosign": "compliance.cosign_waiver",
    }
    return {word: bool(can(viewer, permission, run)) for word, permission in names.items()}


def url_of(run: Run) -> str:
    """The address of the tab."""
    return reverse("compliance:run_rules", args=[run.uid.hex])


def unmet_count(viewer: Actor, run: Run) -> int | None:
    """How many rules are not met, for the tab; None before the first assessment."""
    standing = standing_of(viewer, run)
    return standing.of - standing.met if standing and standing.assessment else None


# --- Acts


def _ask(actor: Actor, run: Run, asked: QueryDict) -> str:
    assess_run(actor, run, judgement=judgement_of(run))
    return "The rules were checked again."


def _except(actor: Actor, run: Run, asked: QueryDict) -> str:
    set_not_applicable(actor, run, rule=asked.get("rule", ""), reason=asked.get("reason", ""))
    assess_run(actor, run, judgement=judgement_of(run))
    return f"{asked.get('rule')} does not apply to this run."


def _ask_anyway(actor: Actor, run: Run, asked: QueryDict) -> str:
    remove_not_applicable(actor, run, rule=asked.get("rule", ""))
    assess_run(actor, run, judgement=judgement_of(run))
    return f"{asked.get('rule')} is asked again."


def _waive(actor: Actor, run: Run, asked: QueryDict) -> str:
    waive_rule(
        actor,
        run,
        rule=asked.get("rule", ""),
        reason=asked.get("reason", ""),
        until=day_of(asked.get("until", ""), field="until"),
    )
    assess_run(actor, run, judgement=judgement_of(run))
    return f"{asked.get('rule')} is waived until {asked.get('until')}."


def _cosign(actor: Actor, run: Run, asked: QueryDict) -> str:
    cosign_waiver(actor, get_waiver(actor, run, asked.get("rule", "")))
    assess_run(actor, run, judgement=judgement_of(run))
    return "Signed along."


def _end(actor: Actor, run: Run, asked: QueryDict) -> str:
    end_waiver(actor, get_waiver(actor, run, asked.get("rule", "")), reason=asked.get("reason", ""))
    assess_run(actor, run, judgement=judgement_of(run))
    return "The waiver has ended."


def day_of(text: str, *, field: str) -> dt.date:
    """A day as a form gives it. Raises Invalid."""
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise Invalid(f"'{text[:40]}' is no day.", hint="Write it as 2027-06-30.", field=field) from None


ACTS: dict[str, Callable[[Actor, Run, Any], str]] = {
    "assess": _ask,
    "except": _except,
    "ask": _ask_anyway,
    "waive": _waive,
    "cosign": _cosign,
    "end": _end,
}


def _unsent(verb: str, given: QueryDict, error: MledError) -> Unsent | None:
    """The form to show again, where the error is of one of its fields; None where it is of something else."""
    fields = {"waive": ("reason", "until"), "except": ("reason",)}.get(verb, ())
    if error.field not in fields or given.get("rule") not in RULES:
        return None
    rule, reason, until = (given.get(name, "")[:TYPED_MAX] for name in ("rule", "reason", "until"))
    return Unsent(verb, rule, reason, until, str(error), error.field)


@require_POST
@signed_in
def act(request: HttpRequest, run: str, verb: str) -> HttpResponse:
    """Ask the rules again, or say something about one of them, and back to the tab."""
    if verb not in ACTS:
        raise NotFound(f"Rules have no act '{verb[:40]}'.")
    viewer = actor_of(request)
    found = get_run(viewer, run)
    try:
        messages.success(request, ACTS[verb](viewer, found, request.POST))
    except (NotFound, Unauthenticated):
        raise
    except MledError as error:
        if isinstance(error, Refused) and not offered(viewer, found).get(verb, True):
            raise
        if unsent := _unsent(verb, request.POST, error):
            return _page(request, run, unsent)
        messages.error(request, str(error))
    return redirect(url_of(found))
