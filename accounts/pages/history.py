"""Events as lines to read: who, in which role then, through which door, when, what, old and new."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.http import HttpRequest

from accounts.queries.history import NamedEvent
from accounts.roles import Role
from kernel.errors import Invalid

CHANGES_SHOWN = 6
DOORS = {
    "web": "web",
    "admin": "admin console",
    "rest": "REST",
    "mlflow": "MLflow client",
    "command": "command line",
    "task": "background task",
}


@dataclass(frozen=True, slots=True)
class Change:
    """One value that changed. old is empty where there was none; new is empty where it went."""

    name: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One event as a line of the history."""

    who: str
    role: str
    door: str
    did: str
    at: dt.datetime
    changes: list[Change]
    more: int
    reason: str
    place: int | None
    denied: bool
    erased: str = ""


def entry(named: NamedEvent, changes: Sequence[Change], said: Mapping[str, str]) -> Entry:
    """The line of one event. said: words for verbs; others are told by their function's name."""
    event = named.past.event
    return Entry(
        who=named.who,
        role=_roles(event.actor_roles) or event.actor_kind,
        door=_door(event.door, named.token, event.client),
        did=said.get(event.verb, event.verb.rpartition(".")[2].replace("_", " ")),
        at=event.at,
        changes=list(changes[:CHANGES_SHOWN]),
        more=max(0, len(changes) - CHANGES_SHOWN),
        reason=named.past.reason,
        place=named.past.seq,
        denied=event.outcome == "denied",
        erased=named.erased,
    )


def _roles(text: str) -> str:
    known = {role.value: role.label for role in Role}
    return ", ".join(known.get(name, name) for name in text.split(",") if name)


def _door(door: str, token: str, client: str) -> str:
    said = DOORS.get(door, door)
    if token:
        said += f", {token}" if token.startswith("claim token ") else f", token {token}"
    if door == "mlflow" and client:
        said += f", {client.split(' ')[0]}"
    return said


def before_of(request: HttpRequest) -> UUID | None:
    """Where the page of the history begins: `?before=` names the last event of the one above. Raises Invalid."""
    text = request.GET.get("before", "")
    try:
        return UUID(hex=text) if text else None
    except ValueError:
        raise Invalid("'before' is the id of an event.", field="before") from None
