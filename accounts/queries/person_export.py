"""Everything that is kept about one person, for that person (GDPR 15)."""

from collections.abc import Iterable, Iterator
from typing import Any

from django.apps import apps
from django.db.models import Q, QuerySet

from accounts.access import require
from accounts.models import ApiToken, GroupMember, Membership, Notice, PersonalSetting, Signature, User
from accounts.personal_data import past_rows
from audit.ledger.models import AuditEvent, EventOrigin
from audit.ledger.queries.history import PastEvent, with_payloads
from audit.ledger.values import plain
from kernel.actor import Actor

AT_ONCE = 500
_OWN_ROOMS = frozenset({"accounts", "account", "admin", "guardian"})


def everything_about(viewer: Actor, user: User) -> dict[str, Any]:
    """Account, roles, tokens without their secrets, notices, settings, signatures, events by and about the person, and
    what other rooms keep. Plain values. Raises Refused for whoever may not erase either."""
    require(viewer, "ledger.erase")
    return {
        "account": _columns([user], leave=("password",))[0],
        "earlier": [
            {"at": plain(one.history_date), "name": one.name, "email": one.email}
            for one in past_rows(user).order_by("history_date")
        ],
        "roles": _roles(user),
        "groups": list(GroupMember.objects.filter(user=user).values_list("group__name", flat=True)),
        "tokens": _columns(ApiToken.objects.filter(user=user), leave=("digest",)),
        "notices": _columns(Notice.objects.filter(user=user).order_by("pk")),
        "settings": _columns(PersonalSetting.objects.filter(user=user).order_by("pk")),
        "signatures": _columns(Signature.objects.filter(signed_by=user).order_by("signed_at")),
        "events": list(_events(user)),
        "in projects": _rows_of(user),
    }


def _rows_of(user: User) -> dict[str, list[dict[str, Any]]]:
    """Rows of other rooms that name the person: runs, comments, stars, views, reviews and the like, by their kinds."""
    found: dict[str, list[dict[str, Any]]] = {}
    for model in apps.get_models():
        if model._meta.app_label in _OWN_ROOMS or hasattr(model, "history_object"):
            continue
        names = [field.name for field in model._meta.concrete_fields if field.related_model is User]
        if names:
            theirs = Q(*((name, user) for name in names), _connector=Q.OR)
            secrets = tuple(field.attname for field in model._meta.concrete_fields if "secret" in field.attname)
            rows = _columns(
                model._base_manager.filter(theirs).order_by("pk").iterator(chunk_size=AT_ONCE), leave=secrets
            )
            found |= {model._meta.label_lower: rows} if rows else {}
    return found


def _columns(rows: Iterable[Any], *, leave: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    return [
        {
            field.attname: plain(getattr(row, field.attname))
            for field in row._meta.concrete_fields
            if field.attname not in leave
        }
        for row in rows
    ]


def _roles(user: User) -> list[dict[str, Any]]:
    rows = Membership.objects.filter(user=user).select_related("project").order_by("since_at")
    return [
        {"project": one.project.slug if one.project else None, "role": one.role, "since": plain(one.since_at)}
        for one in rows
    ]


def _events(user: User) -> Iterator[dict[str, Any]]:
    """By the person: that they did it, and where from. About the account: what was recorded, too."""
    mine = Q(actor_id=user.pk) | Q(subject_type=User._meta.label_lower, subject_id=user.ledger_id)
    rows: QuerySet[AuditEvent] = AuditEvent.objects.filter(mine).order_by("id")
    some: list[AuditEvent] = []
    for event in rows.iterator(chunk_size=AT_ONCE):
        some.append(event)
        if len(some) == AT_ONCE:
            yield from _told(some, user)
            some = []
    yield from _told(some, user)


def _told(events: list[AuditEvent], user: User) -> Iterator[dict[str, Any]]:
    origins = dict(EventOrigin.objects.filter(event_id__in=[one.id for one in events]).values_list("event_id", "ip"))
    for past in with_payloads(events):
        event = past.event
        yield {
            "id": event.id.hex,
            "at": plain(event.at),
            "action": event.verb,
            "about": f"{event.subject_type} {event.subject_id}".strip(),
            "door": event.door,
            "client": event.client,
            "ip": origins.get(event.id) if event.actor_id == user.pk else None,
            "outcome": event.outcome,
            "recorded": _recorded(past, user),
        }


def _recorded(past: PastEvent, user: User) -> list[dict[str, Any]]:
    """What the event says of the account itself; the rest belongs to projects."""
    own = (one for one in past.changes if one.type == User._meta.label_lower and one.id == user.ledger_id)
    return [{"op": one.op, "fields": {name: list(pair) for name, pair in one.fields.items()}} for one in own]
