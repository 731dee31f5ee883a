"""What a reader asks of the log, from the words of an address."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from accounts.access import require
from accounts.models import Project
from accounts.roles import Role
from audit.compliance.queries.log import READS
from audit.ledger.queries.search import Question
from experiments.models import Run
from experiments.queries.runs import get_run
from kernel.actor import Actor, ActorKind, Door
from kernel.errors import Invalid, NotFound

FIELDS = ("actor", "role", "door", "action", "kind", "object", "outcome", "from", "to", "q")
TEXT_MAX = 200
OUTCOMES = ("done", "denied")
NOT_PEOPLE = tuple(kind.value for kind in ActorKind if kind is not ActorKind.USER)
FIRST_YEAR, LAST_YEAR = 1970, 9998


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with the words it was asked in, empty ones left out."""

    question: Question
    words: Mapping[str, str]


def asked_of(viewer: Actor, project: Project, given: Mapping[str, str]) -> Asked:
    """The question that an address asks. Raises Invalid with the field that is wrong; NotFound, Refused."""
    require(viewer, READS, project)
    words = {name: text for name in FIELDS if (text := given.get(name, "").strip())}
    for name, text in words.items():
        if len(text) > TEXT_MAX or "\x00" in text:
            raise Invalid(f"'{name}' has at most {TEXT_MAX} characters.", field=name)
    actor, actor_kind = _actor(words.get("actor", ""))
    kind, thing = _thing(viewer, project, words.get("kind", ""), words.get("object", ""))
    since, until = _day(words, "from"), _day(words, "to")
    if since is not None and until is not None and since > until:
        raise Invalid("The first day is after the last.", hint="Exchange the two.", field="from")
    question = Question(
        actor=actor,
        actor_kind=actor_kind,
        role=_one_of(words, "role", [role.value for role in Role]),
        door=_one_of(words, "door", [door.value for door in Door]),
        verb=words.get("action", ""),
        subject_type=kind,
        subject_id=thing,
        outcome=_one_of(words, "outcome", OUTCOMES),
        since=since,
        until=until + dt.timedelta(days=1) if until is not None else None,
        text=words.get("q", ""),
    )
    return Asked(question, words)


def _actor(text: str) -> tuple[UUID | None, str]:
    if not text or text in NOT_PEOPLE:
        return None, text
    try:
        return UUID(hex=text), ""
    except ValueError:
        others = ", ".join(NOT_PEOPLE)
        raise Invalid(f"'actor' is the id of a person, or one of {others}.", field="actor") from None


def _thing(viewer: Actor, project: Project, kind: str, text: str) -> tuple[str, str]:
    """The kind and id of an object: a run may be named by its readable id too."""
    run_kind = Run._meta.label_lower
    if not text or kind not in ("", run_kind):
        return kind, text
    try:
        return run_kind, get_run(viewer, text, project=project).uid.hex
    except NotFound:
        return kind, text


def _one_of(words: Mapping[str, str], name: str, known: list[str] | tuple[str, ...]) -> str:
    text = words.get(name, "")
    if text and text not in known:
        raise Invalid(f"'{name}' is one of {', '.join(known)}.", field=name)
    return text


def _day(words: Mapping[str, str], name: str) -> dt.datetime | None:
    text = words.get(name, "")
    if not text:
        return None
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        raise Invalid(f"'{text[:40]}' is no day.", hint="Write it as 2026-11-20.", field=name) from None
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise Invalid("The day is outside the log.", hint="Write it as 2026-11-20.", field=name)
    return dt.datetime.combine(day, dt.time.min, dt.UTC)
