"""Findings as pages show them: what is wrong, who answers until when, the thread, and what this viewer may do."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from accounts.access import can
from audit.compliance.actions.findings import answer_finding, ask_again, close_finding
from audit.compliance.models import Finding, FindingNote
from audit.compliance.queries.reviews import findings_of, threads_of
from audit.compliance.rules.engine import RULES
from experiments.models import Run
from kernel.actor import Actor
from kernel.clock import now


def _answer(actor: Actor, finding: Finding, text: str) -> str:
    answer_finding(actor, finding, text=text)
    return "Answered. The auditor is told."


def _again(actor: Actor, finding: Finding, text: str) -> str:
    ask_again(actor, finding, text=text)
    return "Asked again."


def _close(actor: Actor, finding: Finding, text: str) -> str:
    close_finding(actor, finding, closure=text)
    return "Closed."


# verb -> (what does it, permission, label of its button)
ACTS: dict[str, tuple[Callable[[Actor, Finding, str], str], str, str]] = {
    "answer": (_answer, "compliance.answer", "Answer"),
    "again": (_again, "compliance.find", "Ask again"),
    "close": (_close, "compliance.find", "Close it"),
}


@dataclass(frozen=True, slots=True)
class Unsent:
    """What somebody wrote to a finding that could not be kept, and why."""

    finding: Finding
    text: str
    why: str


@dataclass(frozen=True, slots=True)
class Thread:
    """One finding. rule: its title, where it speaks of one; offers: (verb, label) of what the viewer may do."""

    finding: Finding
    notes: list[FindingNote]
    rule: str
    offers: list[tuple[str, str]]
    is_overdue: bool
    unsent: Unsent | None


def threads_about(viewer: Actor, run: Run, unsent: Unsent | None = None) -> list[Thread]:
    """The findings about a run with their threads, open ones first."""
    findings = findings_of(viewer, run)
    notes = threads_of(viewer, findings)
    return [
        Thread(
            finding=one,
            notes=notes[one.pk],
            rule=RULES[one.rule].title if one.rule in RULES else "",
            offers=offers_on(viewer, one),
            is_overdue=is_overdue(one),
            unsent=unsent if unsent is not None and unsent.finding.pk == one.pk else None,
        )
        for one in findings
    ]


def offers_on(viewer: Actor, finding: Finding) -> list[tuple[str, str]]:
    """What this viewer may do about a finding as it stands."""
    if finding.state == Finding.State.CLOSED:
        return []
    fits = {"again": finding.state == Finding.State.ANSWERED}
    return [
        (verb, label)
        for verb, (_, permission, label) in ACTS.items()
        if fits.get(verb, True) and can(viewer, permission, finding)
    ]


def is_overdue(waiting: Any) -> bool:
    """Whether the day until which something was asked for is past."""
    return waiting.due is not None and waiting.due < now().date()
