"""Finding events in a log of millions: what a question asks, a page of what it finds, and what one may ask for.

A question with at most one of the narrowings that have an index (actor, action, refusals, kind of object or object) is
answered from the whole log. Any other reads a stretch of it: the newest events below the page's start, as many as are
read in a fraction of a second. The answer says how long the stretch was, so that a reader can go on from its end.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import msgspec
from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce

from audit.ledger.models import AuditEvent, AuditPayload

STRETCH = 60_000  # events that one answer looks at, where no index leads to what is asked
TEXT_STRETCH = 4_000  # and where it reads what they say
CHOICES_MAX = 300
_ACT_MAX = dt.timedelta(days=1)  # an id is made when an act begins, its time when it ends
_COLUMNS = frozenset({"actor_id", "verb", "subject_type"})
_LAST = UUID(int=(1 << 128) - 1)


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of the log; empty is everything. since, until: moments, the second one outside.

    without: actions that are left out where MLED itself did them.
    """

    actor: UUID | None = None
    actor_kind: str = ""
    role: str = ""
    door: str = ""
    verb: str = ""
    subject_type: str = ""
    subject_id: str = ""
    outcome: str = ""
    since: dt.datetime | None = None
    until: dt.datetime | None = None
    text: str = ""
    without: tuple[str, ...] = ()

    @property
    def stretch(self) -> int | None:
        """How many events one answer looks at; None: all."""
        if self.text:
            return TEXT_STRETCH
        led = (self.actor, self.verb, self.outcome == "denied", self.subject_type)
        searched = (self.actor_kind, self.role, self.door, self.without, self.subject_id and not self.subject_type)
        return STRETCH if any(searched) or sum(map(bool, led)) > 1 else None


@dataclass(frozen=True, slots=True)
class Found:
    """Events newest first. next_id: the page below begins under it, None: there is none.

    searched: how many events were looked at, where that was not the whole log.
    """

    events: Sequence[AuditEvent]
    next_id: UUID | None
    searched: int | None


def matching(question: Question) -> Q:
    """The question as a condition on events."""
    told = Q()
    for column in ("actor_kind", "door", "verb", "subject_type", "subject_id", "outcome"):
        if value := getattr(question, column):
            told &= Q(**{column: value})
    if question.actor is not None:
        told &= Q(actor_id=question.actor)
    if question.without:
        told &= ~Q(actor_kind="system", verb__in=question.without)
    if question.role:
        told &= _has_role(question.role)
    if question.since is not None:
        told &= Q(at__gte=question.since, id__gte=_first_id(question.since - _ACT_MAX))
    if question.until is not None:
        told &= Q(at__lt=question.until, id__lt=_first_id(question.until))
    if question.text:
        said = msgspec.json.encode(question.text).decode()[1:-1]
        told &= Q(Exists(AuditPayload.objects.filter(event_id=OuterRef("id"), body__icontains=said)))
    return told


def found_in(project_id: UUID, question: Question, *, before: UUID | None = None, limit: int = 50) -> Found:
    """A page of a project's events that match, newest first. before: the `next_id` of the page above."""
    start = before if before is not None else _LAST
    if question.until is not None:
        start = min(start, _first_id(question.until))
    floor = _floor(project_id, start, question.stretch) if question.stretch else None
    asked = _in_project(project_id, question).filter(matching(question), id__lt=start)
    if floor is not None:
        asked = asked.filter(id__gt=floor)
    events = list(asked.order_by("-id")[: limit + 1])
    if len(events) > limit:
        return Found(events[:limit], events[limit - 1].id, None)
    if floor is None or (question.since is not None and floor < _first_id(question.since - _ACT_MAX)):
        return Found(events, None, None)
    return Found(events, UUID(int=floor.int + 1), question.stretch)


def values_of(project_id: UUID, column: str) -> list[str | UUID]:
    """The values that a column has in a project's events: one step in the index for each, however many events."""
    if column not in _COLUMNS:
        raise ValueError(f"There is no index over {column}.")
    table, quoted = AuditEvent._meta.db_table, connection.ops.quote_name(column)
    step = f"SELECT {quoted} FROM {table} WHERE project_id = %s AND {quoted} {{}} ORDER BY {quoted} LIMIT 1"  # noqa: S608 - fixed words
    query = (
        f"WITH RECURSIVE seen(v) AS (SELECT ({step.format('IS NOT NULL')}) "  # noqa: S608 - fixed words
        f"UNION ALL SELECT ({step.format('> seen.v')}) FROM seen WHERE seen.v IS NOT NULL) "
        f"SELECT v FROM seen WHERE v IS NOT NULL LIMIT {CHOICES_MAX}"
    )
    project = AuditEvent._meta.get_field("project_id").get_db_prep_value(project_id, connection)
    with connection.cursor() as cursor:
        cursor.execute(query, [project, project])
        found = [row[0] for row in cursor.fetchall()]
    return [UUID(hex=str(one)) for one in found] if column == "actor_id" else [str(one) for one in found]


def _has_role(role: str) -> Q:
    """Roles stand comma-separated, so a role is one of them, or first, last or in the middle."""
    middle = Q(actor_roles__contains=f",{role},")
    return Q(actor_roles=role) | Q(actor_roles__startswith=f"{role},") | Q(actor_roles__endswith=f",{role}") | middle


def _first_id(moment: dt.datetime) -> UUID:
    """The smallest id that an event of this millisecond could have."""
    return UUID(int=max(0, int(moment.timestamp() * 1000)) << 80)


def _in_project(project_id: UUID, question: Question) -> QuerySet[AuditEvent]:
    """The project's events; of one object by the index over objects, which is the shortest way whatever else is asked.

    SQLite, which counts no rows, would take one that leads to all objects of the kind.
    """
    if question.subject_type and question.subject_id:
        return AuditEvent.objects.alias(home=Coalesce("project_id", "project_id")).filter(home=project_id)
    return AuditEvent.objects.filter(project_id=project_id)


def _floor(project_id: UUID, start: UUID, stretch: int) -> UUID | None:
    """The id of the last event of a stretch below a start; None where the log has no more than it."""
    ids = AuditEvent.objects.filter(project_id=project_id, id__lt=start).order_by("-id").values_list("id", flat=True)
    return next(iter(ids[stretch - 1 : stretch]), None)
