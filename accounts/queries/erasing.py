"""What erasing from the log would do, for whoever may do it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from accounts import hooks
from accounts.access import can, require
from accounts.models import Membership, Notice, PersonalSetting, Signature, User
from accounts.personal_data import account_events, past_rows, sessions_of, was_in
from audit.ledger.models import AuditEvent
from audit.ledger.queries.history import PastEvent, with_payloads
from kernel.actor import Actor

_ERASES = "ledger.erase"


@dataclass(frozen=True, slots=True)
class Forgetting:
    """What forgetting a person does, in numbers: what goes, and what stays. events: whose payloads are erased."""

    user: User
    events: Sequence[UUID]
    tokens: int
    sessions: int
    notices: int
    settings: int
    past_rows: int
    signatures: int
    roles: int
    elsewhere: int
    reports: int


def events_named(viewer: Actor, ids: Sequence[UUID]) -> list[PastEvent]:
    """Events by their ids, without what they say: for whoever may erase it. Raises Refused."""
    require(viewer, _ERASES)
    return [
        PastEvent(one.event, [], "", one.seq, one.is_erased, one.erasure)
        for one in with_payloads(list(AuditEvent.objects.filter(pk__in=ids).order_by("id")))
    ]


def person_to_forget(viewer: Actor, user_id: UUID) -> User | None:
    """A person by id, for whoever may forget people; for others there is none."""
    found: User | None = User.objects.filter(pk=user_id).first() if can(viewer, _ERASES) else None
    return found


def reports_kept(viewer: Actor, projects: Collection[UUID] | None) -> int:
    """How many reports of these projects, or of all, stay as they were issued, whatever is erased. Raises Refused."""
    require(viewer, _ERASES)
    return sum(count(viewer, projects) for count in hooks.reports_kept)


def what_forgetting_does(viewer: Actor, user: User) -> Forgetting:
    """What would go and what would stay. Raises Refused."""
    require(viewer, _ERASES)
    about, elsewhere = account_events(user)
    return Forgetting(
        user=user,
        events=about,
        tokens=user.tokens.filter(revoked_at=None).count(),
        sessions=len(sessions_of(user)),
        notices=Notice.objects.filter(user=user).count(),
        settings=PersonalSetting.objects.filter(user=user).count(),
        past_rows=past_rows(user).count(),
        signatures=Signature.objects.filter(signed_by=user).count(),
        roles=Membership.objects.filter(user=user).count(),
        elsewhere=elsewhere,
        reports=reports_kept(viewer, was_in(user)),
    )
