"""Saying that a rule does not apply to a run, or may stay unmet for a while."""

import datetime as dt

from django.db import IntegrityError, transaction

from accounts.access import not_found
from accounts.decorators import action
from audit.compliance.models import NotApplicable, Waiver
from audit.compliance.rules.engine import RULES
from audit.compliance.rules.record import Record
from audit.compliance.texts import kept_text
from experiments.models import Run
from kernel.actor import Actor
from kernel.clock import now
from kernel.errors import AlreadyExists, Conflict, Invalid, Refused

WHY = "Say why: auditors read it."
DAYS_MAX = 366


@action("compliance.except_rule", on="run")
def set_not_applicable(actor: Actor, run: Run, *, rule: str, reason: str) -> NotApplicable:
    """Say that a rule does not apply to a run, and why. Raises Invalid, AlreadyExists."""
    said = NotApplicable(
        run=run, rule=_known(rule), reason=kept_text(reason, field="reason", ask=WHY), by_id=actor.user_id
    )
    try:
        with transaction.atomic():
            said.save()
    except IntegrityError:
        raise AlreadyExists(f"That {rule} does not apply is said already.", field="rule") from None
    return said


@action("compliance.except_rule", on="run")
def remove_not_applicable(actor: Actor, run: Run, *, rule: str) -> None:
    """Take it back: the rule is asked again. Raises NotFound where nobody said so."""
    said = NotApplicable.objects.filter(run=run, rule=rule).first()
    if said is None:
        raise not_found(NotApplicable)
    said.delete()


@action("compliance.waive", on="run")
def waive_rule(actor: Actor, run: Run, *, rule: str, reason: str, until: dt.date) -> Waiver:
    """Let a rule stay unmet until a day. Where it blocks approval, it takes an auditor who signs along.

    Raises Invalid, AlreadyExists, Refused for whoever had a hand in the run (four eyes).
    """
    _refuse_hands(actor, run)
    if not now().date() <= until <= now().date() + dt.timedelta(days=DAYS_MAX):
        raise Invalid(f"A waiver lasts until a day within the next {DAYS_MAX} days.", field="until")
    waiver = Waiver(
        run=run, rule=_known(rule), reason=kept_text(reason, field="reason", ask=WHY), until=until, by_id=actor.user_id
    )
    _end_those_run_out(run, rule)
    try:
        with transaction.atomic():
            waiver.save()
    except IntegrityError:
        raise AlreadyExists(f"{rule} is waived already.", hint="End that waiver first.", field="rule") from None
    return waiver


@action("compliance.cosign_waiver", on="waiver")
def cosign_waiver(actor: Actor, waiver: Waiver) -> Waiver:
    """Sign a waiver along, so that it holds for a rule that blocks. Raises Conflict, Refused (four eyes)."""
    held = _open(waiver)
    _refuse_hands(actor, held.run)
    if held.by_id == actor.user_id:
        raise Refused("You waived it yourself, so somebody else signs along.", hint="Ask another auditor.")
    if held.cosigned_at is not None:
        raise Conflict("Somebody has signed it along already.")
    held.cosigned_by_id, held.cosigned_at = actor.user_id, now()
    held.save()
    return held


@action("compliance.waive", on="waiver")
def end_waiver(actor: Actor, waiver: Waiver, *, reason: str = "") -> Waiver:
    """End a waiver before its day. Raises Conflict for one that has ended."""
    held = _open(waiver)
    held.ended_at, held.ended_by_id = now(), actor.user_id
    held.save()
    return held


def _open(waiver: Waiver) -> Waiver:
    rows = Waiver.objects.select_for_update(of=("self",), no_key=True).select_related("run__project")
    held: Waiver | None = rows.filter(pk=waiver.pk).first()
    if held is None:
        raise not_found(Waiver)
    if held.ended_at is not None:
        raise Conflict("This waiver has ended.", hint="Waive the rule anew if it has to be.")
    return held


def _end_those_run_out(run: Run, rule: str) -> None:
    """A waiver whose day is past makes room for the next."""
    for past in Waiver.objects.filter(run=run, rule=rule, ended_at=None, until__lt=now().date()):
        past.ended_at = now()
        past.save()


def _refuse_hands(actor: Actor, run: Run) -> None:
    if actor.user_id in Record(run).contributors:
        raise Refused(
            f"You had a hand in {run.readable_id}, so somebody else waives its rules.", hint="Ask another manager."
        )


def _known(rule: str) -> str:
    if rule not in RULES:
        raise Invalid(f"There is no rule '{rule[:40]}'.", field="rule")
    return rule
