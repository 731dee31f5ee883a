"""How outcomes of rules look: always an icon and a word."""

from typing import Final

from django import template
from django.utils.safestring import SafeString

from accounts.models import Project
from accounts.pages.doors import actor_of
from accounts.templatetags.mled import badge, icon
from audit.compliance.models import Finding, Review
from audit.compliance.queries.reviews import waiting_count
from audit.compliance.rules.engine import Outcome, Severity
from experiments.templatetags.runs import VERDICT_LOOK
from experiments.values import ReviewState

register = template.Library()


@register.simple_tag(takes_context=True)
def waiting_reviews(context: template.Context, project: Project) -> int:
    """How many runs of the project wait for a verdict, as far as the viewer sees them."""
    return waiting_count(actor_of(context["request"]), project)


# outcome -> (kind of badge, icon, class of the line)
LOOK: Final[dict[Outcome, tuple[str, str, str]]] = {
    Outcome.FAIL: ("fail", "bad", "bad"),
    Outcome.MISSING: ("warn", "warn", "miss"),
    Outcome.WAIVED: ("out", "clock", "na"),
    Outcome.PASS: ("ok", "ok", "pass"),
    Outcome.NOT_APPLICABLE: ("out", "dash", "na"),
}


@register.simple_tag
def outcome_badge(outcome: str, number: int | None = None) -> SafeString:
    """The outcome in words, with how many there are."""
    kind, name, _ = LOOK[Outcome(outcome)]
    label = Outcome(outcome).label
    return badge(kind, name, label if number is None else f"{number} {label.lower()}")


@register.simple_tag
def outcome_icon(outcome: str) -> SafeString:
    """The outcome's icon; the line it stands in says the word."""
    return icon(LOOK[Outcome(outcome)][1])


@register.filter
def rule_class(outcome: str) -> str:
    """The class of a line with this outcome."""
    return LOOK[Outcome(outcome)][2]


@register.simple_tag
def severity_badge(severity: str) -> SafeString:
    """What an unmet rule means."""
    look = {Severity.BLOCKS: ("fail", "lock"), Severity.MUST: ("warn", "flag"), Severity.INFORMS: ("out", "eye")}
    return badge(*look[Severity(severity)], Severity(severity).label)


@register.simple_tag
def review_badge(review: Review, extra: str = "") -> SafeString:
    """Where a round of review stands."""
    state = Review.State(review.state)
    look = ("", "undo") if state == Review.State.WITHDRAWN else VERDICT_LOOK[ReviewState(state)]
    return badge(*look, str(state.label), extra)


FINDING_LOOK: Final[dict[str, tuple[str, str]]] = {
    Finding.State.OPEN: ("fail", "flag"),
    Finding.State.ANSWERED: ("violet", "comment"),
    Finding.State.CLOSED: ("ok", "ok"),
}


@register.simple_tag
def finding_badge(finding: Finding) -> SafeString:
    """Where a finding stands."""
    return badge(*FINDING_LOOK[finding.state], str(Finding.State(finding.state).label))
