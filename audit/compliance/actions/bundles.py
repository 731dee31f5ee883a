"""Sealing bundles, and recording that one was verified outside of MLED."""

import re
from typing import Any
from uuid import UUID

import orjson

from accounts.access import require
from accounts.decorators import action
from accounts.models import Project
from audit.compliance.models import Report
from audit.compliance.reports.sealing import BUNDLE, sealed_before
from audit.compliance.texts import kept_text
from audit.ledger.acting import current_act
from audit.ledger.values import Subject
from experiments.models import Run
from kernel.actor import Actor
from kernel.digests import sha256_hex
from kernel.errors import Invalid

VERIFICATION = "compliance.verification"
CODES = (0, 1, 2)
_SHA256 = re.compile(r"[0-9a-f]{64}")


@action("compliance.report", on="project")
def seal_bundle(
    actor: Actor, project: Project, *, manifest: bytes, report: Report | None = None, question: str = ""
) -> UUID:
    """Put into the log which events and files make up a bundle; the id of the event, the same one if repeated.

    manifest: report.json. report: whose bundle it is; without it, of the log itself, as `question` asks. Raises
    Refused, NotFound.
    """
    if report is None:
        require(actor, "projects.read_log", project)
    digest, act = sha256_hex(manifest), current_act()
    if report is not None and (there := sealed_before(report, digest)) is not None:
        return there
    said: dict[str, Any] = orjson.loads(manifest)
    told = {"manifest": digest, "size": said["size"], "events": said["events"], "question": question}
    act.record(BUNDLE, act.event_id.hex, "set", {name: (None, value) for name, value in told.items()})
    if report is not None:
        act.speaks_of(report.ledger_subject)
    return act.event_id


@action("compliance.verified", on="run")
def record_verification(actor: Actor, run: Run, *, exit_code: int, sha256: str, note: str = "") -> None:
    """Keep what the offline verifier said of a bundle that holds this run, and that this person says so.

    exit_code: of the verifier; sha256: of the bundle. Raises Invalid, Refused, NotFound.
    """
    if type(exit_code) is not int or exit_code not in CODES:
        raise Invalid("'exit_code' is 0 (verified), 1 (something was changed) or 2 (unreadable).", field="exit_code")
    digest = sha256.strip().lower()
    if not _SHA256.fullmatch(digest):
        hint = "sha256sum FILE prints it."
        raise Invalid("'sha256' is the SHA-256 of the bundle, 64 hex digits.", hint=hint, field="sha256")
    act = current_act()
    told = {"run": run.ledger_id, "exit_code": exit_code, "sha256": digest, "note": kept_text(note, field="note")}
    act.record(VERIFICATION, act.event_id.hex, "set", {name: (None, value) for name, value in told.items()})
    act.speaks_of(Subject(run.ledger_subject.kind, run.ledger_id))
