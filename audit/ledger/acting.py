"""The open act: collects what changes and writes one event before the transaction commits.

No commit without event, no event without commit. Acts nest: an action called by another belongs to the outer one.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from uuid import UUID

from django.db import DatabaseError, models, transaction

from audit.ledger.inserting import insert_rows
from audit.ledger.models import AuditEvent, AuditPayload, Pending
from audit.ledger.values import Subject, address_in, plain
from kernel.actor import Actor
from kernel.clock import now
from kernel.digests import canonical_json, commitment
from kernel.errors import Conflict, MledError, Unavailable
from kernel.ids import uuid7

# PostgreSQL names them by SQLSTATE, SQLite by the name of its error.
_IN_THE_WAY = frozenset({"40001", "40P01", "55P03", "SQLITE_BUSY", "SQLITE_BUSY_SNAPSHOT", "SQLITE_LOCKED"})
_MADE_TWICE = frozenset({"23505", "SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY"})

# What other rooms do in the transaction of an act that changed something, before its event is written.
before_event: list[Callable[["Act"], None]] = []

_open: ContextVar["Act | None"] = ContextVar("open_act", default=None)
_denials: ContextVar[list[Callable[[], None]] | None] = ContextVar("denials", default=None)


class NoOpenAct(RuntimeError):
    """A tracked row was about to change outside an action: a bug, so the write is refused."""


class Act:
    """One act under way: who, what verb, on what, and the row changes so far."""

    def __init__(self, actor: Actor, verb: str, *, roles: str = "", project_id: UUID | None = None) -> None:
        self.actor = actor
        self.verb = verb
        self.roles = roles
        self.project_id = project_id
        self.subject: Subject | None = None
        self.reason = ""
        self.client_ms: int | None = None
        self.event_id = uuid7()
        self.changes: list[dict[str, Any]] = []
        self.always = False
        self.is_named = False
        self.rows: list[models.Model] = []
        self.prepared: Any = None

    def record(self, kind: str, row_id: str, op: str, fields: Mapping[str, tuple[Any, Any]]) -> None:
        """Note a row change. kind: 'app.model'; op: create, update, delete or set (and redact, see erasing);
        fields: name -> (old, new)."""
        pairs = {name: [plain(old), plain(new)] for name, (old, new) in fields.items()}
        self.changes.append({"type": kind, "id": row_id, "op": op, "fields": pairs})

    def speaks_of(self, subject: Subject, *, whatever_is_made: bool = False) -> None:
        """Name what the event is about, where it is not the subject that the action was asked on.

        whatever_is_made: also where the action gives back another row that it made.
        """
        self.subject = subject
        self.is_named = whatever_is_made

    def insert_later(self, *rows: models.Model) -> None:
        """Have these rows inserted together with the event, in one statement. The act itself reads none of them: it
        reads no history that it makes."""
        self.rows += rows

    def take_prepared(self) -> Any:
        """What the action prepared before the transaction began, once; None where it is part of another act."""
        prepared, self.prepared = self.prepared, None
        return prepared

    def write(self) -> None:
        """Store the event, its payload and its place in the queue of the sequencer."""
        payload: dict[str, Any] = {"changes": self.changes}
        if self.reason:
            payload["reason"] = self.reason
        rows, self.rows = self.rows, []
        store_event(self.event(), payload, ip=self.actor.ip, besides=rows)

    def event(self, outcome: str = "done") -> AuditEvent:
        """The event's row, still without its commitment."""
        return AuditEvent(**self.columns(outcome))

    def columns(self, outcome: str = "done") -> dict[str, Any]:
        """All that the event's row holds but the commitment."""
        actor, subject = self.actor, self.subject
        credential = actor.token or actor.claim
        return {
            "id": self.event_id,
            "project_id": self.project_id,
            "actor_kind": actor.kind.value,
            "actor_id": actor.user_id,
            "actor_roles": self.roles[:200],
            "token_id": credential.id if credential else None,
            "door": actor.door.value,
            "client": actor.client[:200],
            "request_id": actor.request_id[:64],
            "verb": self.verb,
            "outcome": outcome,
            "subject_type": subject.kind if subject else "",
            "subject_id": subject.id if subject else "",
            "client_ms": self.client_ms,
            "at": now(),
        }


def store_event(
    event: AuditEvent, payload: Mapping[str, Any], *, ip: str = "", besides: Sequence[models.Model] = ()
) -> None:
    """Insert an event with its committed payload and queue it. Call inside the transaction of the act.

    besides: rows that go in the same statement.
    """
    salt, body = os.urandom(32), canonical_json(payload)
    event.commitment = commitment(salt, body)
    payload_row = AuditPayload(event_id=event.id, salt=salt, body=body.decode())
    insert_rows([*besides, event, payload_row, Pending(event_id=event.id, ip=address_in(ip))])


def current_act() -> Act:
    """The open act. Raises NoOpenAct where there is none."""
    act = _open.get()
    if act is None:
        raise NoOpenAct("A tracked row changes only inside an action.")
    return act


def open_act() -> Act | None:
    """The open act, or None."""
    return _open.get()


@contextmanager
def acting(actor: Actor, verb: str, *, roles: str = "", project_id: UUID | None = None) -> Iterator[Act]:
    """Open an act in a transaction of its own, or join the one that is open.

    Raises Unavailable or Conflict where another writer was in the way; then nothing was written.
    """
    outer = _open.get()
    if outer is not None:
        yield outer
        return
    act = Act(actor, verb, roles=roles, project_id=project_id)
    with _races_in_words(), transaction.atomic():
        mark = _open.set(act)
        try:
            yield act
        finally:
            _open.reset(mark)
        if act.changes or act.always:
            for prepare in before_event:
                prepare(act)
            act.write()


@contextmanager
def apart() -> Iterator[None]:
    """Acts inside have events of their own, in the transaction of the act that is open: they are about other things."""
    mark = _open.set(None)
    try:
        yield
    finally:
        _open.reset(mark)


@contextmanager
def _races_in_words() -> Iterator[None]:
    """What two writers do to each other is nobody's mistake and no bug: say so, and that trying again is right."""
    try:
        yield
    except DatabaseError as error:
        told = told_of(error)
        if told is None:
            raise
        raise told from error


def told_of(error: DatabaseError) -> MledError | None:
    """What two writers did to each other, in words; None for any other failure of the database."""
    name = getattr(error.__cause__, "sqlstate", None) or getattr(error.__cause__, "sqlite_errorname", None)
    if name in _IN_THE_WAY:
        return Unavailable("Another writer was in the way, and nothing was written.", hint="Try again.")
    if name in _MADE_TWICE:
        return Conflict("Somebody else made the same thing a moment ago, and nothing was written.", hint="Look again.")
    return None


def record_denial(
    actor: Actor, verb: str, *, roles: str, project_id: UUID | None, subject: Subject | None, why: str
) -> None:
    """Keep that a privileged act was refused, in a transaction of its own."""
    act = Act(actor, verb, roles=roles, project_id=project_id)
    act.subject = subject

    def keep() -> None:
        with transaction.atomic():
            store_event(act.event(outcome="denied"), {"changes": [], "reason": why}, ip=actor.ip)

    waiting = _denials.get()
    keep() if waiting is None else waiting.append(keep)


@contextmanager
def denials_outlive_rollback() -> Iterator[None]:
    """Around a transaction that a refusal rolls back: what was denied within is written once it is over."""
    waiting: list[Callable[[], None]] = []
    mark = _denials.set(waiting)
    try:
        yield
    finally:
        _denials.reset(mark)
        for keep in waiting:
            keep()
