"""Names for what the ledger tells."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from accounts.models import ApiToken, User
from audit.ledger.models import AuditEvent
from audit.ledger.queries.history import PastEvent
from kernel.actor import ActorKind

_NONE = UUID(int=0)
_NAMED = {ActorKind.OPERATOR.value: "Operator", ActorKind.SYSTEM.value: "MLED", ActorKind.ANONYMOUS.value: "Nobody"}


@dataclass(frozen=True, slots=True)
class NamedEvent:
    """One event with the names of today for its ids. token: of the token used, empty for none."""

    past: PastEvent
    who: str
    token: str


def with_names(past: Sequence[PastEvent]) -> list[NamedEvent]:
    """Names of people and tokens for events: two queries for any number."""
    people = {user.pk: str(user) for user in User.objects.filter(pk__in={one.event.actor_id for one in past})}
    used = {one.event.token_id for one in past if one.event.token_id}
    tokens = dict(ApiToken.objects.filter(pk__in=used).values_list("pk", "name")) if used else {}
    return [NamedEvent(one, _name(one.event, people), tokens.get(one.event.token_id or _NONE, "")) for one in past]


def _name(event: AuditEvent, people: Mapping[UUID, str]) -> str:
    known = people.get(event.actor_id) if event.actor_id else None
    return known or _NAMED.get(event.actor_kind, "Unknown")
