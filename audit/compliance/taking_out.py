"""The log on its way out, the same through pages and REST: as lines, or as a sealed bundle."""

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import IO
from uuid import UUID

import orjson

from accounts.access import require
from accounts.models import Project
from audit.compliance.actions.bundles import seal_bundle
from audit.compliance.actions.exports import export_log
from audit.compliance.queries.bundles import Sealed
from audit.compliance.queries.log import log_lines, standing_of_log
from audit.compliance.queries.log_question import asked_of
from audit.compliance.reports.bundle import Content, content_of_log, write_bundle
from audit.ledger.models import Checkpoint
from kernel.actor import Actor
from kernel.digests import sha256_hex
from kernel.errors import Conflict


@dataclass(frozen=True, slots=True)
class Lines:
    """The log as JSON Lines, under the name that its file has."""

    name: str
    lines: Iterator[bytes]


def lines_of_log(viewer: Actor, project: Project, given: Mapping[str, str]) -> Lines:
    """Everything that the fields of a filter find, up to the newest head; that it was taken out is on record.

    Raises Invalid, Refused, Conflict before the first head.
    """
    require(viewer, "compliance.report", project)
    asked, head = asked_of(viewer, project, given), _head(viewer, project)
    lines = log_lines(viewer, project, asked.question, size=head.size)
    narrowed = ", ".join(f"{name}: {text}" for name, text in asked.words.items())
    what = f"Log up to place {head.size - 1} as JSON Lines"
    export_log(viewer, project, what=f"{what}; {narrowed}" if narrowed else what)
    return Lines(f"{project.slug}-log-{head.size}.jsonl", lines)


def seal_log(viewer: Actor, project: Project, given: Mapping[str, str]) -> UUID:
    """Put into the log what a bundle of it holds; the event that did. Raises Invalid, Refused, Conflict as above.

    Call it outside a transaction, since it reads every event.
    """
    require(viewer, "compliance.report", project)
    asked, head = asked_of(viewer, project, given), _head(viewer, project)
    content = content_of_log(project, asked.words, asked.question, size=head.size)
    words = orjson.dumps(dict(asked.words)).decode()
    return seal_bundle(viewer, project, manifest=content.manifest, question=words)


def name_of(project: Project, sealed: Sealed) -> str:
    """The name of a bundle's file."""
    return f"{project.slug}-log-{sealed.size}.mledlog"


def sealed_file(viewer: Actor, project: Project, sealed: Sealed) -> IO[bytes]:
    """A bundle that was sealed, as a file to give out and close; that it was taken out is on record.

    Raises Conflict while it awaits its checkpoint, and where what was sealed has changed since.
    """
    content = _content(viewer, project, sealed)
    if sha256_hex(content.manifest) != sealed.manifest:
        raise Conflict("What the bundle holds is not what it was when it was sealed.", hint="Ask for it again.")
    out = tempfile.TemporaryFile()  # noqa: SIM115 - the response closes it
    write_bundle(content, sealed.event, out)  # type: ignore[arg-type]  # a file that can seek
    out.seek(0)
    export_log(viewer, project, what=f"{name_of(project, sealed)}, sealed by event {sealed.event.hex}")
    return out


def _content(viewer: Actor, project: Project, sealed: Sealed) -> Content:
    asked = asked_of(viewer, project, sealed.question)
    return content_of_log(project, asked.words, asked.question, size=sealed.size)


def _head(viewer: Actor, project: Project) -> Checkpoint:
    head = standing_of_log(viewer, project).head
    if head is None:
        raise Conflict("The log has no signed head yet.", hint="Try again in some seconds.")
    return head
