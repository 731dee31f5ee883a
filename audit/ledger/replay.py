"""What the records must look like after all recorded changes, compared with the rows as they are.

A log of a million events does not fit in memory as one: changes and rows are then laid down in temporary files, parted
by record, and one part is replayed after the other.
"""

import tempfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import IO, Any

import orjson

from audit.ledger.evidence import Kind, Problem

Change = dict[str, Any]
"""{"type", "id", "op": create | update | delete | set | redact, "fields": {name: [old, new]}}."""

FoundRow = tuple[str, str, Mapping[str, Any]]
"""Kind, id and plain fields of a row as it is now."""

Report = Callable[[Problem], None]

EVENTS_PER_PART = 200_000
REDACTED = "redact"


def compare(
    changes: Iterable[Change], rows: Iterable[FoundRow], kinds: Mapping[str, Kind], report: Report, *, parts: int
) -> dict[str, int]:
    """Replay the changes, which are taken first, and report where the rows differ.

    Returns how many records each kind had that nobody reads, and which are therefore not compared.
    """
    if parts == 1:
        return _compare_part(changes, rows, kinds, report)
    unread: dict[str, int] = {}
    with ExitStack() as stack:
        changed = [stack.enter_context(tempfile.TemporaryFile()) for _ in range(parts)]
        found = [stack.enter_context(tempfile.TemporaryFile()) for _ in range(parts)]
        for change in changes:
            _put(changed, str(change["type"]), str(change["id"]), change)
        for row in rows:
            _put(found, row[0], row[1], row)
        for mine, here in zip(changed, found, strict=True):
            for kind, count in _compare_part(_taken(mine), _taken(here), kinds, report).items():
                unread[kind] = unread.get(kind, 0) + count
    return unread


def _put(files: Sequence[IO[bytes]], kind: str, row_id: str, what: Any) -> None:
    part = zlib.crc32(f"{kind} {row_id}".encode()) % len(files)
    files[part].write(orjson.dumps(what) + b"\n")


def _taken(file: IO[bytes]) -> Iterator[Any]:
    file.seek(0)
    return map(orjson.loads, file)


def _compare_part(
    changes: Iterable[Change], rows: Iterable[FoundRow], kinds: Mapping[str, Kind], report: Report
) -> dict[str, int]:
    records = Records()
    doubts = [problem for change in changes if (problem := records.apply(change))]
    for problem in doubts:
        if not records.was_redacted(problem.kind, problem.id):
            report(problem)
    for kind, row_id, fields in rows:
        for problem in records.meet(kinds[kind], row_id, fields):
            report(problem)
    unread: dict[str, int] = {}
    for kind, row_id in records.left():
        if kind in kinds:
            report(Problem("The events have this record, the database has not.", kind=kind, id=row_id))
        else:
            unread[kind] = unread.get(kind, 0) + 1
    return unread


class Records:
    """The records as the events tell of them.

    Of a record whose history was redacted only what was recorded since is known, until it is made or deleted anew.
    """

    def __init__(self) -> None:
        self._fields: dict[tuple[str, str], dict[str, Any]] = {}
        self._partial: set[tuple[str, str]] = set()
        self._redacted: set[tuple[str, str]] = set()

    def apply(self, change: Change) -> Problem | None:
        """Take in one change. Says so if it speaks of a record that no event made."""
        key, operation, pairs = (change["type"], change["id"]), change["op"], change["fields"]
        if operation == REDACTED:
            self._fields.pop(key, None)
            self._partial.add(key)
            self._redacted.add(key)
            return None
        if operation == "delete":
            known = self._fields.pop(key, None) is not None or key in self._partial
            self._partial.discard(key)
            if not known:
                return Problem("An event deletes a record that no event made.", kind=key[0], id=key[1])
            return None
        values = {name: pair[1] for name, pair in pairs.items()}
        if operation == "create":
            self._fields[key] = values
            self._partial.discard(key)
            return None
        record = self._fields.get(key)
        if operation == "set":
            self._set(key, record, values)
            return None
        if record is None:
            self._fields[key] = values
            if key in self._partial:
                return None
            return Problem("An event changes a record that no event made.", kind=key[0], id=key[1])
        record.update(values)
        return None

    def _set(self, key: tuple[str, str], record: dict[str, Any] | None, values: dict[str, Any]) -> None:
        """Set fields one by one; null removes a field, and the last field the record."""
        merged = {**record, **values} if record else values
        kept = {name: value for name, value in merged.items() if value is not None}
        if kept:
            self._fields[key] = kept
        else:
            self._fields.pop(key, None)

    def meet(self, kind: Kind, row_id: str, found: Mapping[str, Any]) -> list[Problem]:
        """Compare a row with its record, which is then done with."""
        key = (kind.name, row_id)
        expected = self._fields.pop(key, None)
        if key in self._partial:
            expected = {**found, **(expected or {})}
        if expected == found or (expected is None and not found):
            return []
        if expected is None:
            return [Problem("No event made this row, or another row has the same id.", kind=kind.name, id=row_id)]
        return [
            Problem("A row is not as its events left it.", kind.name, row_id, name, expected.get(name), found.get(name))
            for name in sorted(expected.keys() | found.keys())
            if not _agree(kind.defaults, name, expected, found)
        ]

    def was_redacted(self, kind: str, row_id: str) -> bool:
        """Whether an event that spoke of this record was erased."""
        return (kind, row_id) in self._redacted

    def of_kind(self, kind: str) -> dict[str, dict[str, Any]]:
        """The records of one kind as they are now, by their ids."""
        return {row_id: fields for (name, row_id), fields in self._fields.items() if name == kind}

    def left(self) -> Iterator[tuple[str, str]]:
        """The records that no row has met."""
        yield from self._fields


def _agree(
    defaults: Mapping[str, Any] | None, name: str, expected: Mapping[str, Any], found: Mapping[str, Any]
) -> bool:
    if name in expected and name in found:
        return same(expected[name], found[name])
    if defaults is None:
        return False
    if name in expected:
        return name not in defaults  # a column that is gone
    return name in defaults and same(defaults[name], found[name])  # a column that came later


def same(expected: Any, found: Any) -> bool:
    """Whether two plain values are one. Canonical JSON writes 1e20 in digits, which come back as a whole number."""
    if expected == found:
        return True
    numbers = [value for value in (expected, found) if isinstance(value, int | float) and not isinstance(value, bool)]
    return len(numbers) == 2 and float(numbers[0]) == float(numbers[1])
