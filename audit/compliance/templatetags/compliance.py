"""How outcomes of rules look: always an icon and a word."""

from typing import Final

from django import template
from django.utils.safestring import SafeString

from accounts.templatetags.mled import badge, icon
from audit.compliance.rules.engine import Outcome, Severity

register = template.Library()

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
