"""Findings: opened by auditors, answered by those who work on the run, closed with what showed that it is right."""

import datetime as dt
from dataclasses import dataclass

from accounts.access import not_found
from accounts.decorators import action
from accounts.models import User
from accounts.notices import tell
from audit.compliance.models import Finding, FindingNote, Review
from audit.compliance.reviewers import may_answer
from audit.compliance.rules.engine import RULES
from audit.compliance.texts import kept_text
from audit.ledger.acting import current_act
from experiments.models import Run
from kernel.actor import Actor
from kernel.clock import now
from kernel.errors import Conflict, Invalid

WORDS = "Say it in words."


@dataclass(frozen=True, slots=True)
class Flag:
    """What an auditor found: its kind, what is wrong, the rule it speaks of, who answers until when."""

    kind: str
    text: str
    rule: str = ""
    owner: User | None = None
    due: dt.date | None = None


@action("compliance.find", on="run")
def open_finding(actor: Actor, run: Run, *, flag: Flag) -> Run:
    """Record something that has to be put right, outside of a review. Raises Invalid, Refused (four eyes)."""
    open_finding_in(actor, run, flag, review=None)
    return run


def open_finding_in(actor: Actor, run: Run, flag: Flag, *, review: Review | None) -> Finding:
    """Part of an act: make a finding, and tell who has to answer; without an owner that is the run's author."""
    _check(run, flag)
    who = flag.owner or run.created_by
    finding = Finding(
        run=run,
        review=review,
        kind=flag.kind,
        text=kept_text(flag.text, field="text", ask=WORDS),
        rule=flag.rule,
        owner=who,
        due=flag.due,
        opened_by_id=actor.user_id,
    )
    finding.save()
    current_act().speaks_of(run.ledger_subject)
    if who is not None:
        words = f"{run.readable_id} has a finding: {finding.text}"
        tell([who], kind="finding.opened", text=words, url=page_of(run), project=run.project)
    return finding


def _check(run: Run, flag: Flag) -> None:
    if flag.kind not in Finding.Kind.values:
        hint = f"Use {', '.join(Finding.Kind.values)}."
        raise Invalid(f"'{flag.kind[:40]}' is no kind of finding.", hint=hint, field="kind")
    if flag.rule and flag.rule not in RULES:
        raise Invalid(f"There is no rule '{flag.rule[:40]}'.", field="rule")
    if flag.owner is not None and not may_answer(flag.owner, run.project):
        raise Invalid(f"{flag.owner} does not work in this project.", field="owner")
    if flag.due is not None and flag.due < now().date():
        raise Invalid("The day is past.", field="due")


@action("compliance.answer", on="finding")
def answer_finding(actor: Actor, finding: Finding, *, text: str) -> Finding:
    """Answer a finding. Raises Conflict for one that is closed, Invalid without words."""
    held = _open(finding)
    _note(actor, held, text)
    if held.state == Finding.State.OPEN:
        held.state = Finding.State.ANSWERED
        held.save()
    _tell(actor, held, [held.opened_by], "was answered")
    return held


@action("compliance.find", on="finding")
def ask_again(actor: Actor, finding: Finding, *, text: str) -> Finding:
    """Say that the answer does not do: the finding is open again. Raises Conflict, Invalid, Refused (four eyes)."""
    held = _open(finding)
    _note(actor, held, text)
    if held.state == Finding.State.ANSWERED:
        held.state = Finding.State.OPEN
        held.save()
    _tell(actor, held, [held.owner], "is asked about again")
    return held


@action("compliance.find", on="finding")
def close_finding(actor: Actor, finding: Finding, *, closure: str) -> Finding:
    """Close a finding, with what showed that it was put right. Raises Conflict, Invalid, Refused (four eyes)."""
    held = _open(finding)
    held.state, held.closure = Finding.State.CLOSED, kept_text(closure, field="text", ask=WORDS)
    held.closed_at, held.closed_by_id = now(), actor.user_id
    held.save()
    current_act().speaks_of(held.run.ledger_subject)
    _tell(actor, held, [held.owner], "is closed")
    return held


def _open(finding: Finding) -> Finding:
    rows = Finding.objects.select_for_update(of=("self",), no_key=True)
    ready = rows.select_related("run__project", "owner", "opened_by")
    held: Finding | None = ready.filter(pk=finding.pk).first()
    if held is None:
        raise not_found(Finding)
    if held.state == Finding.State.CLOSED:
        raise Conflict("This finding is closed.", hint="Open a new one where something else is wrong.")
    return held


def _note(actor: Actor, finding: Finding, text: str) -> None:
    FindingNote(finding=finding, text=kept_text(text, field="text", ask=WORDS), by_id=actor.user_id).save()
    current_act().speaks_of(finding.run.ledger_subject)


def _tell(actor: Actor, finding: Finding, people: list[User | None], what: str) -> None:
    others = [one for one in people if one is not None and one.pk != actor.user_id]
    words = f"A finding about {finding.run.readable_id} {what}: {finding.text}"
    tell(others, kind="finding.changed", text=words, url=page_of(finding.run), project=finding.run.project)


def page_of(run: Run) -> str:
    """Path of the page where a run's findings are answered."""
    return f"/r/{run.uid.hex}/review/"
