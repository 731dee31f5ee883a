"""Where a person's name and address stand: in the account, in what is around it, and in the log."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import orjson
from allauth.account.models import EmailAddress
from django.contrib.sessions.models import Session
from django.db.models import Q, QuerySet

from accounts.models import GroupMember, Membership, Signature, User
from audit.ledger.models import AuditEvent, AuditPayload
from audit.ledger.queries.history import PastEvent
from kernel.errors import Conflict

USER = User._meta.label_lower
FORGOTTEN = "@forgotten.invalid"


def refuse_signed(told: Sequence[PastEvent]) -> None:
    """Raise Conflict where one of these events carries a signature: its record has to stay readable."""
    signed = Signature.objects.filter(event_id__in=[one.event.id for one in told]).first()
    if signed is not None:
        raise Conflict(
            f"Event {signed.event_id.hex} carries a signature of {signed.printed_name}, so what it says stays.",
            hint="A signed record has to be kept (GDPR 17(3)(b)).",
            field="events",
        )


def sessions_of(user: User) -> list[str]:
    """The keys of the sessions that somebody is signed in with as this user."""
    rows = Session.objects.all().iterator(chunk_size=500)
    return [one.session_key for one in rows if one.get_decoded().get("_auth_user_id") == str(user.pk)]


def past_rows(user: User) -> QuerySet[Any]:
    """What simple-history keeps of the account."""
    rows: QuerySet[Any] = User.history.filter(id=user.pk)
    return rows


def was_in(user: User) -> set[UUID] | None:
    """The projects in which a person ever acted or had a role, by a group as well; None for a role in all of them."""
    groups = GroupMember.history.filter(user_id=user.pk).values("group_id")
    roles = Membership.history.filter(Q(user_id=user.pk) | Q(group_id__in=groups)).values_list("project_id", flat=True)
    held = set(roles)
    if None in held:
        return None
    acted = AuditEvent.objects.filter(actor_id=user.pk, project_id__isnull=False).order_by()
    return held | {one for one in acted.values_list("project_id", flat=True).distinct() if one is not None}


def called(user: User) -> tuple[set[str], set[str]]:
    """Every address and every name that the account ever had."""
    rows = [*past_rows(user).values_list("email", "name"), (user.email, user.name)]
    listed = EmailAddress.objects.filter(user=user).values_list("email", flat=True)
    return {email for email, _ in rows} | set(listed), {name for _, name in rows if name}


def account_events(user: User) -> tuple[list[UUID], int]:
    """The events whose payloads hold name or address as the account's own; and in how many others the address stands.

    Looks through all payloads once: no index leads to a text.
    """
    addresses, _ = called(user)
    inside = Q(body__contains=user.pk.hex, body__icontains=f'"{USER}"')
    for address in addresses:
        inside |= Q(body__icontains=orjson.dumps(address).decode()[1:-1])
    about: list[UUID] = []
    elsewhere = 0
    rows = AuditPayload.objects.filter(inside).order_by("event_id").values_list("event_id", "body")
    for event_id, body in rows.iterator(chunk_size=500):
        if _names_account(body, user):
            about.append(event_id)
        else:
            elsewhere += any(address.lower() in body.lower() for address in addresses)
    return about, elsewhere


def _names_account(body: str, user: User) -> bool:
    try:
        changes = orjson.loads(body)["changes"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return False
    return any(
        one["type"] == USER and one["id"] == user.pk.hex and {"name", "email"} & one["fields"].keys() for one in changes
    )


def refuse_forgotten(user: User) -> None:
    """Raise Conflict where this person was forgotten before."""
    if user.email.endswith(FORGOTTEN):
        raise Conflict(f"{user.name} was forgotten before.", field="email")
