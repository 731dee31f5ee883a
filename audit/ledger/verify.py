"""Is everything as the log says? Recomputes the log from the events, and the rows from the log.

1. every leaf from its event, every payload against its commitment, numbers without a gap;
2. every checkpoint's root and signature, and the anchors outside the database;
3. events that are neither in the log nor waiting for it;
4. every record that events speak of, and every row that there is, against each other;
5. what rooms have registered besides, such as the seals of runs.

Whoever can change the database can also recompute the hashes in it; a changed event then fails its checkpoint, which
only the signing key could have made anew, and a changed row fails the replay of its events.
"""

import hmac
from collections.abc import Iterator
from itertools import islice
from typing import Any

import orjson
from django.db import DatabaseError, connection
from django.db.models import Max

from audit.ledger import checkpoints, evidence, replay
from audit.ledger.anchors import Anchored, BadLine
from audit.ledger.anchors_kept import AnchorsKept
from audit.ledger.canonical import LEAF_COLUMNS, Unreadable, as_bytes, hex_id, leaf_hash_of, leaf_select
from audit.ledger.evidence import Problem
from audit.ledger.findings import Findings
from audit.ledger.heads import Heads
from audit.ledger.keys import public_file, trusted_keys
from audit.ledger.merkle import CompactRange, Grown
from audit.ledger.models import AuditEvent, AuditPayload, Checkpoint, Subtree
from audit.ledger.queries.history import PAYLOAD
from audit.ledger.replay import Change
from audit.ledger.signers import REPLACED, Signers
from audit.ledger.snapshot import snapshot
from audit.ledger.tree import STEP
from audit.ledger.triggers import refusals, trigger_name
from audit.ledger.values import plain

CHUNK = 2000
GUARDED = ("ledger_auditevent", "ledger_auditpayload", "ledger_leaf", "ledger_subtree", "ledger_checkpoint")

_WIDTH = len(LEAF_COLUMNS)
_ID, _COMMITMENT = LEAF_COLUMNS.index("id"), LEAF_COLUMNS.index("commitment")
_VERB, _SUBJECT = LEAF_COLUMNS.index("verb"), LEAF_COLUMNS.index("subject_id")


def verify_ledger(*, limit: int = 20, is_copy: bool = False) -> Findings:
    """Check everything, in one snapshot of the database. limit: how many problems to keep.

    is_copy: this is a restored back-up; anchors of checkpoints after its last one are nothing to wonder at.
    """
    findings, kinds = Findings(limit=limit), evidence.kinds()
    kept = AnchorsKept(findings)  # before: what is anchored later may be of checkpoints that the snapshot does not see
    with snapshot():
        _read_all_of_it()
        log = Log(findings, kept, is_copy=is_copy)
        parts = 1 + AuditEvent.objects.count() // replay.EVENTS_PER_PART
        unread = replay.compare(log.changes(), _rows(kinds, findings), kinds, findings.report, parts=parts)
        for kind, count in sorted((kind, count) for kind, count in unread.items() if not evidence.is_told(kind)):
            findings.remark(
                f"{count} records of kind {kind} were not compared: nobody has registered how to read them."
            )
        for name, check in evidence.checks().items():
            findings.checks.append(name)
            for problem in check():
                findings.report(problem)
    return findings


class Log:
    """The walk through the log from its first leaf to the events that still wait."""

    def __init__(self, findings: Findings, anchors: AnchorsKept, *, is_copy: bool = False) -> None:
        self.findings = findings
        self.is_copy = is_copy
        self.anchors = anchors
        self.tree = CompactRange()
        self.keys = trusted_keys()
        self.signers = Signers(self.keys)
        self.met = 0
        self.missing: list[tuple[str, str, int | None]] = []
        self.erased: dict[str, str] = {}
        self.redacted: set[tuple[str, str]] = set()
        self.sound_size = 0
        self.broken = False

    def changes(self) -> Iterator[Change]:
        """Check the log and give the recorded changes in their order."""
        if not self.keys:
            self.findings.remark(f"There is no public key in {public_file()}, so no signature can be checked.")
        try:
            yield from self._leaves()
            self._require_covered()
            yield from self._waiting()
            self._meet_erasures()
            self._find_strays()
        except DatabaseError as error:
            self._report(f"The log cannot be read further than this: {error}", seq=self.tree.size)
        self._meet_anchors()
        self._look_for_triggers()
        self._tell_of_keys()
        self.findings.root = self.tree.root().hex()

    def _leaves(self) -> Iterator[Change]:
        heads, subtrees, grown = Heads(), _stored_subtrees(), Grown()
        self._meet_heads(heads.at(0))
        for seq, stored, *row in _rows_of(_LEAVES):
            self._require_next(seq)
            yield from self._event(row, seq)
            self.tree.append(self._leaf(seq, stored, row), grown)
            self._meet_subtrees(grown, subtrees, seq)
            self._meet_heads(heads.at(self.tree.size))
        self.findings.events = self.tree.size
        for head in heads.rest():
            self._report(
                f"Checkpoint {head.pk} was signed over {head.size} events, the log has {self.tree.size}: "
                "its end is missing.",
                seq=self.tree.size,
            )
        for level, place in subtrees:
            self._report(f"A root of subtree {level}/{place} is stored, but the log does not reach so far.")

    def _require_next(self, seq: int) -> None:
        """Report a gap in the numbers, and close it as well as one can."""
        expected = self.tree.size
        if seq != expected and not self.broken:
            self.broken = True
            self._report(f"Leaf {expected} is missing: after {expected - 1} comes {seq}.", seq=expected)

    def _meet_subtrees(self, grown: Grown, stored: dict[tuple[int, int], str], seq: int) -> None:
        """Compare the full subtrees that the last leaf completed with their stored roots."""
        for height, place, root in grown:
            if height % STEP == 0 and stored.pop((height // STEP, place), None) != root.hex() and not self.broken:
                self._report(f"The stored root of subtree {height // STEP}/{place} is wrong.", seq=seq)
        grown.clear()

    def _leaf(self, seq: int, stored: Any, row: list[Any]) -> bytes:
        """The leaf's hash from its event. Where that is not the stored one, the stored one goes on into the tree, so
        that the next checkpoint tells which of the two was signed."""
        try:
            kept = bytes.fromhex(stored)
        except (TypeError, ValueError):
            kept = b""
        if row[_ID] is None:
            self._report("The event of this leaf is missing.", seq=seq)
            return kept
        try:
            leaf = leaf_hash_of(row[:_WIDTH])
        except Unreadable:
            leaf = b""
        if leaf != kept:
            self._report("The event is not the one that was put into the log.", id=hex_id(row[_ID]), seq=seq)
        return kept or leaf

    def _event(self, row: list[Any], seq: int | None) -> Iterator[Change]:
        """Check an event's payload and give its changes."""
        if row[_ID] is None:
            return
        self.met += 1
        if row[_VERB] == REPLACED:  # it is in the leaf, so it holds whatever became of the payload
            self.signers.lost.add(row[_SUBJECT])
        salt, body = row[_WIDTH], row[_WIDTH + 1]
        if body is None:
            self.missing.append((hex_id(row[_ID]), row[_COMMITMENT], seq))
            return
        try:
            text = body.encode()
            if hmac.digest(as_bytes(salt), text, "sha256").hex() != row[_COMMITMENT]:
                raise Unreadable("another payload")
            changes = orjson.loads(text)["changes"]
            self._note_erasures(changes)
            yield from (change for change in changes if change["type"] != PAYLOAD)
        except (Unreadable, AttributeError, ValueError, KeyError):
            self._report("The payload is not the one that the event committed to.", id=hex_id(row[_ID]), seq=seq)

    def _note_erasures(self, changes: list[Change]) -> None:
        """Keep which payloads an event says were erased, and which records they spoke of."""
        for change in changes:
            if change["type"] == PAYLOAD and change["op"] == "delete":
                self.erased[change["id"]] = change["fields"]["commitment"][0]
            elif change["op"] == replay.REDACTED:
                self.redacted.add((change["type"], change["id"]))

    def _meet_erasures(self) -> None:
        """Every missing payload must have been erased by an act, and what was erased must be gone."""
        gone = {event_id for event_id, _, _ in self.missing}
        for event_id, commitment, seq in self.missing:
            if self.erased.get(event_id) != commitment:
                self._report("The payload of the event is missing, and no act erased it.", id=event_id, seq=seq)
        for event_id in sorted(self.erased.keys() - gone):
            self._report("The payload of the event was erased, and somebody has put it back.", id=event_id)
        if self.erased:
            self.findings.remark(
                f"Payloads erased with a basis that is on record: {len(self.erased)}. Records that they spoke of, "
                f"compared only as far as the log still tells of them: {len(self.redacted)}."
            )

    def _meet_heads(self, heads: list[Checkpoint]) -> None:
        """Compare checkpoints of this size with the tree."""
        for head in heads:
            self.findings.checkpoints += 1
            trouble = self._trouble_with(head)
            if trouble:
                self._report(
                    f"Checkpoint {head.pk} at {head.size} events: {trouble}", kind="ledger.checkpoint", id=str(head.pk)
                )
        if heads and not self.broken:
            self.sound_size = self.tree.size

    def _trouble_with(self, row: Checkpoint) -> str:
        try:
            head = checkpoints.verify(row.note, self.keys)
        except checkpoints.BadCheckpoint as error:
            return str(error)
        if (head.size, head.root.hex()) != (row.size, row.root):
            return "its columns do not say what its signed note says."
        if trouble := self.signers.trouble_with(row):
            return trouble
        if head.root == self.tree.root() or self.broken:
            return ""
        self.broken = True  # every later root differs as well: that says nothing new
        first, last = self.sound_size, row.size - 1
        return (
            f"one of the events {first} to {last} is not what was signed (the last sound head was over {first} events)."
        )

    def _require_covered(self) -> None:
        last = Checkpoint.objects.order_by("-size").values_list("size", flat=True).first() or 0
        if self.tree.size > last:
            self._report(f"Leaves {last} to {self.tree.size - 1} are covered by no checkpoint.", seq=last)

    def _waiting(self) -> Iterator[Change]:
        for number, leaf, *row in _rows_of(_WAITING):
            self.findings.waiting += 1
            if row[_ID] is None:
                self._report(
                    "A place in the queue names an event that does not exist.", kind="ledger.pending", id=str(number)
                )
            elif leaf is not None:
                self._report("An event is in the log and waits for it as well.", id=hex_id(row[_ID]), seq=leaf)
            else:
                yield from self._event(row, None)

    def _find_strays(self) -> None:
        """Events out of the log and payloads without event. Counted first: the search is for when the counts differ."""
        if AuditEvent.objects.count() != self.met:
            for (event_id,) in _rows_of(_STRAY_EVENTS):
                self._report(
                    "An event is neither in the log nor waiting for it.", kind="ledger.auditevent", id=hex_id(event_id)
                )
        if AuditPayload.objects.count() > self.met:
            for (event_id,) in _rows_of(_STRAY_PAYLOADS):
                self._report("A payload belongs to no event.", kind="ledger.auditpayload", id=hex_id(event_id))

    def _meet_anchors(self) -> None:
        """Look for every anchored checkpoint in the database."""
        lines, last = self.anchors.lines(), Checkpoint.objects.aggregate(last=Max("pk"))["last"] or 0
        while some := list(islice(lines, CHUNK)):
            self.findings.anchors += len(some)
            rows = Checkpoint.objects.in_bulk([line.checkpoint for _, line in some if isinstance(line, Anchored)])
            for place, line in some:
                if isinstance(line, BadLine):
                    what, which = f"An anchor cannot be read: {line.where}.", line.where
                else:
                    row, which = rows.get(line.checkpoint), str(line.checkpoint)
                    what = self._trouble_with_anchor(place, line, row, last)
                if what:
                    self._report(what, kind="anchor", id=which)
                if isinstance(line, Anchored) and line.checkpoint in rows:
                    self.anchors.meets(place, line.checkpoint)
        self.anchors.tell_of_missing(is_copy=self.is_copy)
        named = set(Checkpoint.objects.values_list("anchor", flat=True).distinct())
        for name in sorted({one for names in named for one in names.split(", ") if one} - self.anchors.names):
            self.findings.remark(f"Checkpoints say that they are anchored in {name}, which MLED_ANCHORS does not name.")
        if not self.findings.anchors and self.tree.size:
            self.findings.remark("There is no anchor outside the database: its owner could have rolled all of it back.")

    def _trouble_with_anchor(self, place: str, line: Anchored, row: Checkpoint | None, last: int) -> str:
        """What is wrong between an anchor and the checkpoint of its number, or ''. last: the newest checkpoint."""
        if row is None and self.is_copy and line.checkpoint > last:
            return ""
        if row is None or row.note != line.note:
            return self._what_became_of(line)
        if row.at.isoformat() != line.at:
            return f"Checkpoint {row.pk} was signed at {line.at}, as its anchor says, and not at {row.at.isoformat()}."
        if place not in row.anchor.split(", "):
            return f"Checkpoint {row.pk} does not say that it is anchored in {place}, where it is."
        return ""

    def _what_became_of(self, line: Anchored) -> str:
        """Words for an anchored checkpoint that the database does not have."""
        try:
            head = checkpoints.verify(line.note, self.keys)
        except checkpoints.BadCheckpoint as error:
            return f"The anchor of checkpoint {line.checkpoint} is not to be trusted: {error}"
        if head.size > self.tree.size:
            return f"The log was rolled back: at {line.at} it had {head.size} events, now it has {self.tree.size}."
        return f"The checkpoint over {head.size} events that was anchored at {line.at} is gone: the log was rewritten."

    def _tell_of_keys(self) -> None:
        self.findings.remarks += self.signers.remarks
        for key in self.signers.unused() if self.findings.checkpoints else ():
            self.findings.remark(
                f"Key {key} is trusted, but signed nothing: a change of keys was not finished, or taken back."
            )

    def _look_for_triggers(self) -> None:
        there = refusals(connection)
        for table in GUARDED:
            if not {trigger_name(table, "UPDATE"), trigger_name(table, "DELETE")} <= there:
                self.findings.remark(f"The database no longer refuses changes to {table}: its triggers are off.")

    def _report(self, what: str, *, kind: str = "ledger.leaf", id: str = "", seq: int | None = None) -> None:
        self.findings.report(Problem(what, kind=kind, id=id or ("" if seq is None else str(seq)), seq=seq))


def _stored_subtrees() -> dict[tuple[int, int], str]:
    rows = Subtree.objects.values_list("level", "place", "root").iterator(chunk_size=CHUNK)
    return {(level, place): root for level, place, root in rows}


def _rows(kinds: dict[str, evidence.Kind], findings: Findings) -> Iterator[replay.FoundRow]:
    """Every row of every kind, with plain fields."""
    for kind in kinds.values():
        try:
            for row_id, fields in kind.read():
                findings.rows += 1
                yield kind.name, row_id, {name: plain(value) for name, value in fields.items()}
        except (DatabaseError, ValueError, TypeError, LookupError) as error:
            # A value that no column of this type can hold: only SQL past MLED writes such.
            findings.report(Problem(f"The rows cannot all be read: {error}", kind=kind.name))


_LEAVES = """
    SELECT leaf.seq, leaf.leaf_hash, {columns}, payload.salt, payload.body FROM ledger_leaf leaf
    LEFT JOIN ledger_auditevent event ON event.id = leaf.event_id
    LEFT JOIN ledger_auditpayload payload ON payload.event_id = leaf.event_id
    ORDER BY leaf.seq
"""

_WAITING = """
    SELECT waiting.id, leaf.seq, {columns}, payload.salt, payload.body FROM ledger_pending waiting
    LEFT JOIN ledger_leaf leaf ON leaf.event_id = waiting.event_id
    LEFT JOIN ledger_auditevent event ON event.id = waiting.event_id
    LEFT JOIN ledger_auditpayload payload ON payload.event_id = waiting.event_id
    ORDER BY waiting.id
"""

_STRAY_EVENTS = """
    SELECT event.id FROM ledger_auditevent event
    WHERE NOT EXISTS (SELECT 1 FROM ledger_leaf leaf WHERE leaf.event_id = event.id)
      AND NOT EXISTS (SELECT 1 FROM ledger_pending waiting WHERE waiting.event_id = event.id)
    ORDER BY event.id
"""

_STRAY_PAYLOADS = """
    SELECT payload.event_id FROM ledger_auditpayload payload
    WHERE NOT EXISTS (SELECT 1 FROM ledger_auditevent event WHERE event.id = payload.event_id)
    ORDER BY payload.event_id
"""


def _read_all_of_it() -> None:
    """Tell PostgreSQL that cursors here are read to their end: it would plan for the first rows, by index lookups."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL cursor_tuple_fraction = 1.0; SET LOCAL work_mem = '64MB'")


def _rows_of(query: str) -> Iterator[tuple[Any, ...]]:
    """Rows of a query as the database streams them: models would triple the time (see canonical.py)."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(query.format(columns=leaf_select(connection.vendor, "event")))
        while rows := cursor.fetchmany(CHUNK):
            yield from rows
