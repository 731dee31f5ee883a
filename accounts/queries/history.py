"""Names for what the ledger tells."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from accounts.models import ApiToken, User
from audit.ledger.queries.history import PastEvent
from kernel.actor import ActorKind

_NAMED = {
    ActorKind.OPERATOR.value: "Operator",
    ActorKind.SYSTEM.value: "MLED",
    ActorKind.GUEST.value: "Guest",
    ActorKind.ANONYMOUS.value: "Nobody",
}


@dataclass(frozen=True, slots=True)
class NamedEvent:
    """One event with the names of today for its ids. token: of the token used, empty for none.

    erased: where what it said was erased: by whom, when and on which basis.
    """

    past: PastEvent
    who: str
    token: str
    erased: str = ""


def with_names(past: Sequence[PastEvent]) -> list[NamedEvent]:
    """Names of people and tokens for events: two queries for any number."""
    acted = {one.event.actor_id for one in past} | {one.erasure.by_id for one in past if one.erasure}
    named = [one for one in acted if one is not None]
    people = {user.pk: str(user) for user in User.objects.filter(pk__in=named)}
    used = {one.event.token_id for one in past if one.event.token_id}
    tokens = dict(ApiToken.objects.filter(pk__in=used).values_list("pk", "name")) if used else {}
    return [
        NamedEvent(
            one,
            _name(one.event.actor_kind, one.event.actor_id, people),
            _token(one, tokens),
            _erased(one, people),
        )
        for one in past
    ]


def _token(past: PastEvent, tokens: Mapping[UUID, str]) -> str:
    """What the token is called; the claim token of a board, which has no name, by the beginning of its id."""
    used = past.event.token_id
    if used is None:
        return ""
    known = tokens.get(used, "")
    return known or (f"claim token {used.hex[:8]}" if past.event.verb.startswith("boards.") else "")


def _erased(past: PastEvent, people: Mapping[UUID, str]) -> str:
    if not past.is_erased:
        return ""
    if past.erasure is None:
        return "what it said is gone, and nobody erased it"
    by = _name(past.erasure.by_kind, past.erasure.by_id, people)
    return f"redacted by {by} on {past.erasure.at:%Y-%m-%d}, basis: {past.erasure.basis}"


def _name(actor_kind: str, actor_id: UUID | None, people: Mapping[UUID, str]) -> str:
    known = people.get(actor_id) if actor_id else None
    return known or _NAMED.get(actor_kind, "Unknown")
