"""The sealed bundle (.mledlog): events, proofs, a signed head and the files of a report, verified without MLED.

What belongs into a bundle is itself in the log: report.json names every event and file, and the event of `seal_bundle`
holds its SHA-256. So whoever has the public key finds an event that was left out and a file that was exchanged. Whoever
builds a report:

    content = content_of_report(report, files)      # once files, report.digest, log_size … are what they will be
    seal = seal_bundle(system(), report.project, manifest=content.manifest, report=report)  # the same event if repeated
    if is_covered(seal):                            # else leave it and come back: the next head is seconds away
        write_bundle(content, seal, out)            # out: a file that can seek, such as a temporary one

The archive is a plain zip: README.txt, events.jsonl (as audit.ledger.queries.extract writes it), checkpoint (the signed
note), proofs.json (the nodes of all inclusion paths), consistency.json (that earlier heads are beginnings of this log),
pubkey, report.json, and the files below files/. audit/ledger/offline/mled_verify.py reads it.
"""

import datetime as dt
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO
from uuid import UUID

import orjson

from accounts.models import Project
from audit.compliance.models import Report
from audit.compliance.reports.asked import question_of
from audit.compliance.reports.bundle_events import left_out, places_for
from audit.compliance.reports.sealed_zip import SealedZip
from audit.ledger import checkpoints
from audit.ledger.keys import trusted_keys
from audit.ledger.models import Checkpoint, Leaf
from audit.ledger.queries.erasures import erasures_of
from audit.ledger.queries.extract import lines_at, places_of
from audit.ledger.queries.heads import earlier_heads
from audit.ledger.queries.multiproof import LogTree
from audit.ledger.queries.proofs import newest_checkpoint
from audit.ledger.queries.search import Question, matching
from audit.ledger.snapshot import snapshot
from audit.ledger.values import plain
from kernel.clock import now
from kernel.digests import canonical_json, sha256_hex
from kernel.errors import Conflict

FORM = 1
EARLIER_REPORTS = 50
MEDIA_TYPE = "application/vnd.mled.log+zip"
README = """A sealed bundle of MLED: events of an audit log with proof that they stand in it, and the files of a report.
Verify it with mled_verify.py, one file that needs nothing but Python 3.8 or newer. Do not take it from this bundle's
sender alone; docs/verify.md of MLED tells where it is.

    python mled_verify.py THIS-FILE.mledlog --key ledger.pub --anchor checkpoints.log

ledger.pub are public keys and checkpoints.log are heads of the log that you have from elsewhere than from this bundle.
Without them the bundle is checked against itself alone. Exit code 0: verified, 1: something was changed, 2: unreadable.
"""
AGAIN = "Ask for the bundle again."


@dataclass(frozen=True, slots=True)
class BundleFile:
    """A file of a report. name: of ASCII letters, digits and .-_ ; read: its bytes in pieces, from their beginning."""

    name: str
    size_bytes: int
    sha256: str
    read: Callable[[], Iterable[bytes]]


@dataclass(frozen=True, slots=True)
class Content:
    """What goes into a bundle. places: of its events, ascending; manifest: the bytes of report.json."""

    project_id: UUID
    places: Sequence[int]
    heads: Sequence[tuple[int, str]]
    pubkey: bytes
    manifest: bytes
    files: Sequence[BundleFile]


def content_of_report(report: Report, files: Sequence[BundleFile]) -> Content:
    """The bundle of a report that speaks of log_size, log_root. Asked again, it is the same."""
    told = {
        "id": report.ledger_id,
        "kind": report.kind,
        "title": report.title,
        "reason": report.reason,
        "scope": report.scope,
        "subject": report.subject,
        "question": question_of(report),
        "requested_by": report.requested_by_id,
        "requested_at": report.requested_at,
        "as_of": report.as_of,
        "head_at": report.head_at,
        "profile": report.profile,
        "profile_digest": report.profile_digest,
        "records": report.records,
        "content_digest": report.digest,
        "left_out": left_out(report),
    }
    head = (report.log_size or 0, report.log_root, report.head_at or now())
    return content_of(report.project, {"report": plain(told)}, places_for(report), head, files)


def content_of_log(project: Project, words: Mapping[str, str], question: Question, *, size: int) -> Content:
    """A bundle of what a question finds in the first `size` events of the log, under a head of that size.

    words: the question as it was asked. Raises Conflict where no head has that size.
    """
    head = Checkpoint.objects.filter(size=size).order_by("id").first()
    if head is None:
        raise Conflict(f"The log was never signed at {size} events.", hint=AGAIN)
    places = places_of(project.pk, matching(question), size=size)
    return content_of(project, {"log": {"question": dict(words)}}, places, (size, head.root, head.at))


def content_of(
    project: Project,
    about: Mapping[str, Any],
    places: Iterable[int],
    head: tuple[int, str, dt.datetime],
    files: Sequence[BundleFile] = (),
) -> Content:
    """A bundle of these events. head: that it speaks of, and when it was signed; about: what report.json says too."""
    size, root, at = head
    with snapshot():
        found = set(places)
        found |= {place for place in erasures_of(project.pk, sorted(found)) if place is not None}
        heads = sorted({(size, root), *_earlier_heads(project, size, at)})
    pubkey = "".join(f"{key.line()}\n" for key in trusted_keys().values()).encode()
    ordered = array("q", sorted(found))
    manifest = {
        **about,
        "form": FORM,
        "project": {"id": project.pk.hex, "slug": project.slug},
        "size": size,
        "root": root,
        "events": len(ordered),
        "places": list(stretches(ordered)),
        "heads": [list(one) for one in heads],
        "members": {"README.txt": sha256_hex(README.encode()), "pubkey": sha256_hex(pubkey)},
        "files": [{"name": one.name, "size_bytes": one.size_bytes, "sha256": one.sha256} for one in files],
    }
    return Content(project.pk, ordered, heads, pubkey, canonical_json(manifest), files)


def write_bundle(content: Content, seal: UUID, out: BinaryIO) -> None:
    """Write the archive under the newest signed head. Memory grows by some bytes for each event.

    Raises Conflict while the seal waits for its head, where what is sealed is no longer what is there, and beyond 4 GB.
    """
    with snapshot():
        head, sealed_at = _head_over(seal)
        places = _with_erasures(content, sealed_at, head)
        tree = LogTree(head.size)
        archive = SealedZip(out)
        archive.add("README.txt", [README.encode()])
        archive.add("events.jsonl", lines_at(places))
        archive.add("checkpoint", [head.note.encode()])
        archive.add("proofs.json", _proofs(tree, head, places))
        proofs = {str(size): [one.hex() for one in tree.consistency_with(size)] for size, _ in content.heads}
        archive.add("consistency.json", [orjson.dumps(proofs)])
        archive.add("pubkey", [content.pubkey])
        archive.add("report.json", [content.manifest])
    for file in content.files:
        archive.add(f"files/{file.name}", file.read())
    archive.close()


def stretches(places: Sequence[int]) -> Iterator[list[int]]:
    """Ascending places as the first and the last of each unbroken stretch."""
    begin = 0
    for end in range(1, len(places) + 1):
        if end == len(places) or places[end] != places[end - 1] + 1:
            yield [places[begin], places[end - 1]]
            begin = end


def _earlier_heads(project: Project, size: int, at: dt.datetime) -> Iterator[tuple[int, str]]:
    """Heads that somebody may have kept: those of earlier reports of the project, and of earlier times."""
    reports = Report.objects.filter(project=project, state=Report.State.DONE, finished_at__lt=at, log_size__lt=size)
    newest = reports.filter(log_size__gt=0).exclude(log_root="").order_by("-finished_at")
    yield from newest.values_list("log_size", "log_root")[:EARLIER_REPORTS]
    yield from ((head.size, head.root) for head in earlier_heads(size, at))


def _head_over(seal: UUID) -> tuple[Checkpoint, int]:
    head = newest_checkpoint()
    place = Leaf.objects.filter(event_id=seal).values_list("seq", flat=True).first()
    if head is None or place is None or place >= head.size:
        raise Conflict("The bundle is sealed and awaits its checkpoint.", hint="Try again in some seconds.")
    return head, place


def _with_erasures(content: Content, sealed_at: int, head: Checkpoint) -> Sequence[int]:
    """The places of all events: those that were sealed, the seal, and erasures since."""
    unknown = checkpoints.parse(head.note).signatures.keys() - _ids_in(content.pubkey)
    if unknown:
        raise Conflict("The log is signed with another key since.", hint=AGAIN)
    since: set[int] = set()
    for place in erasures_of(content.project_id, content.places):
        if place is None or place >= head.size:
            raise Conflict("Something in it was erased just now.", hint="Try again in some seconds.")
        since.add(place)
    since -= set(content.places)
    if any(place < sealed_at for place in since):
        raise Conflict("Something in it was erased since it was asked for.", hint=AGAIN)
    return array("q", sorted({*content.places, sealed_at, *since}))


def _ids_in(pubkey: bytes) -> set[str]:
    return {line.split("+")[1] for line in pubkey.decode().splitlines()}


def _proofs(tree: LogTree, head: Checkpoint, places: Sequence[int]) -> Iterator[bytes]:
    yield b'{"size":%d,"root":"%s","nodes":{' % (head.size, head.root.encode())
    comma = b""
    for start, end, node in tree.nodes(places):
        yield b'%s"%d-%d":"%s"' % (comma, start, end, node.hex().encode())
        comma = b","
    yield b"}}"
