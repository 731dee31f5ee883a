"""The digest of a report: over what it says, and nothing of who asked for it and when.

A section's digest is the SHA-256 of its canonical JSON (RFC 8785). The report's is that of the canonical JSON of

    {"form", "kind", "project", "scope", "subject", "question", "log_size", "log_root", "profile_digest",
     "sections": [digest, ...]}

so that the same question about the same moment has the same digest again, whoever asks.
"""

from collections.abc import Sequence

import msgspec

from audit.compliance.models import Report
from audit.compliance.reports.asked import question_of
from audit.compliance.reports.facts import Section
from audit.ledger.values import plain
from kernel.digests import canonical_json, sha256_hex

FORM = "mled-report-1"


def section_bytes(section: Section) -> bytes:
    """The canonical JSON of a section; whole numbers beyond 53 bits are strings in it, as everywhere in the log."""
    return canonical_json(plain(msgspec.to_builtins(section)))


def content_digest(report: Report, sections: Sequence[str]) -> str:
    """The digest of a report, of which the head is fixed, with these digests of its sections in their order."""
    covered = {
        "form": FORM,
        "kind": report.kind,
        "project": report.project_id.hex,
        "scope": report.scope,
        "subject": report.subject,
        "question": question_of(report),
        "log_size": report.log_size,
        "log_root": report.log_root,
        "profile_digest": report.profile_digest,
        "sections": list(sections),
    }
    return sha256_hex(canonical_json(covered))
