"""`@action`: every write states its permission, runs in one transaction and leaves one event.

No door can forget it, because no door does it.
"""

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

from accounts.access import require, roles_text
from accounts.opening import told
from accounts.roles import PERMISSIONS
from accounts.scoping import ProjectScoped
from audit.ledger.acting import acting, open_act, record_denial
from audit.ledger.tracking import Tracked
from audit.ledger.values import Subject
from kernel.actor import Actor
from kernel.errors import Invalid, MledError

P = ParamSpec("P")
R = TypeVar("R")


class ActionWithoutPermission(TypeError):
    """An action that names no known permission cannot be declared."""


@dataclass(frozen=True, slots=True)
class Action:
    """An entry in the register of all actions."""

    verb: str
    permission: str
    on: str | None
    function: Callable[..., Any]


ACTIONS: dict[str, Action] = {}


def action(
    permission: str,
    *,
    on: str | None = None,
    within: Callable[..., ProjectScoped | None] | None = None,
    before: Callable[..., Any] | None = None,
) -> Callable[[Callable[Concatenate[Actor, P], R]], Callable[Concatenate[Actor, P], R]]:
    """Declare an action. permission: a name in PERMISSIONS; on: the parameter that holds the subject (None: the site).
    within: gives, of the same arguments, the row that something is made in; asked only for a job's token, which makes
    things in its own run alone. before: does, of the same arguments, what needs no lock, once the actor may and before
    the transaction begins; what it gives is `Act.take_prepared` within. Not asked for what is part of another act.

    The verb is '<room>.<function>'. A keyword `reason` is kept with the event; `started_ms`, `ended_ms` or `at_ms` is
    the client's time. The event speaks of the row that the function returns if it made it, else of the subject, else
    of the first row among the keywords.
    """
    if permission not in PERMISSIONS:
        raise ActionWithoutPermission(f"'{permission}' is not a permission of accounts.roles.")

    def declare(function: Callable[Concatenate[Actor, P], R]) -> Callable[Concatenate[Actor, P], R]:
        verb = f"{_room(function.__module__)}.{function.__name__}"
        _check_signature(function, on)

        @functools.wraps(function)
        def act(actor: Actor, *args: P.args, **kwargs: P.kwargs) -> R:
            subject: Any = None if on is None else (args[0] if args else kwargs[on])
            project_id = subject.scope_project_id if isinstance(subject, ProjectScoped) else None
            reason = str(kwargs.get("reason") or "")
            place = within(actor, *args, **kwargs) if within is not None and actor.is_job else None
            _authorise(actor, verb, permission, subject, place, project_id, reason)
            roles = roles_text(actor, project_id)
            prepared = before(actor, *args, **kwargs) if before is not None and open_act() is None else None
            with acting(actor, verb, roles=roles, project_id=project_id) as opened:
                opened.prepared = prepared if prepared is not None else opened.prepared
                opened.reason = opened.reason or reason
                opened.client_ms = opened.client_ms or _client_ms(kwargs)
                if opened.subject is None:
                    opened.subject = _subject_of_event(subject, kwargs)
                made_before = len(opened.changes)
                told(opened, (subject, *args, *kwargs.values()))
                result = function(actor, *args, **kwargs)
                if opened.verb == verb and not opened.is_named and isinstance(result, Tracked):
                    _name_what_was_made(opened, result, made_before)
                return result

        ACTIONS[verb] = Action(verb, permission, on, act)
        return cast("Callable[Concatenate[Actor, P], R]", act)

    return declare


def _room(module: str) -> str:
    """The room that a module belongs to; `audit` is a folder of two."""
    first, _, rest = module.partition(".")
    return rest.partition(".")[0] if first == "audit" else first


def _check_signature(function: Callable[..., Any], on: str | None) -> None:
    names = list(inspect.signature(function).parameters)
    if names[0] != "actor" or (on is not None and (len(names) < 2 or names[1] != on)):
        raise TypeError(f"{function.__name__} must take (actor, {on or '*'}, ...).")


def _authorise(
    actor: Actor, verb: str, permission: str, subject: Any, place: Any, project_id: Any, reason: str
) -> None:
    try:
        allowed = require(actor, permission, subject, within=place)
    except MledError as refusal:
        if PERMISSIONS[permission].privileged and actor.is_person:
            named = getattr(subject, "ledger_subject", None)
            roles = roles_text(actor, project_id)
            record_denial(actor, verb, roles=roles, project_id=project_id, subject=named, why=str(refusal))
        raise
    if allowed.needs_reason and not reason:
        raise Invalid(
            "Say why: in your role this is only done with a reason.", hint="Give a reason; it is kept.", field="reason"
        )


def _subject_of_event(subject: Any, kwargs: dict[str, Any]) -> Subject | None:
    named = (getattr(row, "ledger_subject", None) for row in (subject, *kwargs.values()))
    return next((one for one in named if isinstance(one, Subject)), None)


def _client_ms(kwargs: dict[str, Any]) -> int | None:
    for name in ("at_ms", "ended_ms", "started_ms"):
        value = kwargs.get(name)
        if isinstance(value, int):
            return value
    return None


def _name_what_was_made(opened: Any, result: Any, before: int) -> None:
    named = result.ledger_subject
    for change in opened.changes[before:]:
        if change["op"] == "create" and change["type"] == named.kind and change["id"] == named.id:
            opened.subject = Subject(named.kind, named.id)
            if isinstance(result, ProjectScoped) and opened.project_id is None:
                opened.project_id = result.scope_project_id
            return
