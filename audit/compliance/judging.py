"""A profile over a record: each rule's result, with what people said of it (waived, not applicable)."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from audit.compliance.models import NotApplicable, Waiver
from audit.compliance.rules import own
from audit.compliance.rules.engine import RULES, Judged, Outcome, Result, Severity, missing
from audit.compliance.rules.record import Record
from kernel.digests import canonical_json, sha256_hex

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Tally:
    """A judgement in a few numbers. of: rules that apply; blocking: unmet ones that block; open: that must be fixed."""

    blocking: int
    open: int
    met: int
    of: int


def judge(record: Record) -> list[Judged]:
    """Every rule of the record's profile, in its order, then what the project asks besides."""
    asked = {**record.profile.rules, **dict.fromkeys(own.asked(record), Severity.MUST)}
    exceptions, waivers = exceptions_of(record), waivers_of(record)
    return [_judged(key, severity, record, exceptions, waivers) for key, severity in asked.items()]


def _judged(
    key: str,
    severity: Severity,
    record: Record,
    exceptions: Mapping[str, NotApplicable],
    waivers: Mapping[str, Waiver],
) -> Judged:
    result = _asked(key, record)
    found = Judged(key, severity.value, result.outcome.value, result.words, result.fix, result.code, result.proof)
    if found.is_met:
        return found
    if said := exceptions.get(key):
        return replace(found, outcome=Outcome.NOT_APPLICABLE.value, words=said.reason, by=str(said.by), fix="", code="")
    if waiver := waivers.get(key):
        return replace(
            found,
            outcome=Outcome.WAIVED.value,
            words=f"{found.words} Waived: {waiver.reason}",
            by=str(waiver.by),
            until=waiver.until.isoformat(),
        )
    return found


def _asked(key: str, record: Record) -> Result:
    """A rule that breaks is a defect of ours, not of the run: it is logged, and the rest goes on."""
    try:
        return RULES[key].check(record)
    except Exception:
        log.exception("Rule %s over run %s", key, record.run.uid.hex)
        return missing("This rule could not be checked.", fix="Tell the administrator: the server's log says why.")


def exceptions_of(record: Record) -> dict[str, NotApplicable]:
    """Which rules people said do not apply to the run."""
    return {one.rule: one for one in NotApplicable.objects.filter(run=record.run).select_related("by")}


def waivers_of(record: Record) -> dict[str, Waiver]:
    """The waivers that hold now: not ended, not run out, and where the rule blocks signed along by an auditor."""
    rows = Waiver.objects.filter(run=record.run, ended_at=None, until__gte=record.at.date()).select_related("by")
    blocking = {key for key, severity in record.profile.rules.items() if severity is Severity.BLOCKS}
    return {one.rule: one for one in rows if one.cosigned_at is not None or one.rule not in blocking}


def tally_of(results: Iterable[Judged]) -> Tally:
    """The numbers over some results."""
    applying = [one for one in results if one.outcome != Outcome.NOT_APPLICABLE and one.severity != Severity.INFORMS]
    unmet = [one for one in applying if not one.is_met]
    blocking = sum(one.blocks for one in unmet)
    return Tally(blocking, len(unmet) - blocking, len(applying) - len(unmet), len(applying))


def as_rows(results: Sequence[Judged]) -> list[dict[str, Any]]:
    """As an assessment keeps them."""
    return [one.as_json() for one in results]


def digest_of_rows(rows: Sequence[Mapping[str, Any]]) -> str:
    """SHA-256 of the canonical JSON of results: the same results have the same digest."""
    return sha256_hex(canonical_json([dict(row) for row in rows]))


def results_in(rows: Iterable[Mapping[str, Any]]) -> list[Judged]:
    """The results that an assessment keeps."""
    return [Judged(**row) for row in rows]
