"""A report as CSV, a line for each run, event, person or line of a card: of the content alone, nothing of who asked."""

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from io import TextIOWrapper
from typing import Any, BinaryIO

from audit.compliance.models import Report
from audit.compliance.reports.facts import AccessSection, CardSection, Fact, RunSection, Section, TrailSection
from audit.compliance.rules.engine import Outcome, Severity
from experiments.exporting.fields import defused

MEDIA_TYPE = "text/csv"
Row = Sequence[str]

_RUN = (
    "id", "run_id", "name", "state", "status", "experiment", "made_by", "started", "ended", "rules_met", "rules_asked",
    "blocking", "unmet", "assessed", "verdict", "decided_by", "decided_at", "signature_sha256", "signature_holds",
    "open_findings", "datasets", "dataset_digests", "params", "metrics", "files", "git_commit", "seal", "reproduced_by",
    "events", "first_place", "last_place", "log", "gaps", "changed", "section_sha256",
)  # fmt: skip
_EVENT = ("place", "at", "actor", "roles", "door", "verb", "subject", "change", "reason", "outcome")
_PERSON = ("id", "name", "rights", "why", "notes", "section_sha256")
_CARD = ("version", "part", "label", "value", "section_sha256")


def write_csv(out: BinaryIO, kind: str, sections: Iterable[tuple[str, Section]]) -> None:
    """RFC 4180 in UTF-8 with a head line. sections: each with its digest. Cells that begin a formula are defused."""
    header, rows = _TABLES[kind]
    text = TextIOWrapper(out, encoding="utf-8", newline="", write_through=False)
    writer = csv.writer(text)
    writer.writerow(header)
    for digest, section in sections:
        for row in rows(section, digest):
            writer.writerow([defused(cell) for cell in row])
    text.flush()
    text.detach()


def _run_rows(section: Any, digest: str) -> Iterator[Row]:
    if not isinstance(section, RunSection):
        return
    about = _by_label(section.about)
    asked = [one for one in section.rules if one.outcome != Outcome.NOT_APPLICABLE]
    unmet = [one for one in asked if not Outcome(one.outcome).is_met]
    last = section.verdicts[-1] if section.verdicts else None
    signature = last.signature if last else None
    yield (
        section.uid,
        section.id,
        section.name,
        section.state,
        about.get("Status", ""),
        about.get("Experiment", ""),
        about.get("Made by", ""),
        about.get("Started", ""),
        about.get("Ended", ""),
        str(len(asked) - len(unmet)),
        str(len(asked)),
        " ".join(one.rule for one in unmet if one.severity == Severity.BLOCKS.label),
        " ".join(one.rule for one in unmet),
        section.assessed,
        last.state if last else "",
        last.decided_by if last else "",
        last.decided_at if last else "",
        signature.digest if signature else "",
        signature.holds if signature else "",
        str(sum(one.state != "Closed" for one in section.findings)),
        "; ".join(f"{one.name} v{one.version}" for one in section.datasets),
        "; ".join(one.digest for one in section.datasets),
        "; ".join(f"{one.label}={one.value}" for one in section.params),
        "; ".join(f"{one.key}={one.last}" for one in section.metrics),
        str(len(section.files)),
        _by_label(section.code).get("Commit", ""),
        about.get("Seal, SHA-256", ""),
        "; ".join(one.label for one in section.reproductions),
        str(section.chain.events),
        "" if section.chain.first is None else str(section.chain.first),
        "" if section.chain.last is None else str(section.chain.last),
        section.chain.wrong or "sound",
        " ".join(section.gaps),
        section.changed,
        digest,
    )


def _event_rows(section: Any, digest: str) -> Iterator[Row]:
    if isinstance(section, TrailSection):
        for one in section.events:
            yield (
                str(one.seq), one.at, one.actor, one.roles, one.door, one.verb, one.subject, one.change, one.reason,
                one.outcome,
            )  # fmt: skip


def _person_rows(section: Any, digest: str) -> Iterator[Row]:
    if isinstance(section, AccessSection):
        rights = "; ".join(f"{one.label}: {one.value}" for one in section.rights)
        yield section.id, section.name, rights, "; ".join(section.why), "; ".join(section.notes), digest


def _card_rows(section: Any, digest: str) -> Iterator[Row]:
    if not isinstance(section, CardSection):
        return
    for part, facts in [("Written", section.written), *section.recorded]:
        for fact in facts:
            yield section.name, part, fact.label, fact.value, digest
    for gap in section.gaps:
        yield section.name, "Gap", gap, "", digest


def _by_label(facts: Iterable[Fact]) -> Mapping[str, str]:
    return {one.label: one.value for one in facts}


_Table = tuple[Sequence[str], Callable[[Section, str], Iterator[Row]]]
_TABLES: Mapping[str, _Table] = {
    Report.Kind.COMPLIANCE: (_RUN, _run_rows),
    Report.Kind.REPRODUCIBILITY: (_RUN, _run_rows),
    Report.Kind.TRAIL: (_EVENT, _event_rows),
    Report.Kind.ACCESS: (_PERSON, _person_rows),
    Report.Kind.MODEL_CARD: (_CARD, _card_rows),
}
