"""What happened to a run, from the ledger."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from accounts.access import require
from accounts.models import ApiToken, User
from audit.ledger.models import AuditEvent
from audit.ledger.queries.history import PastEvent, history_of
from experiments.models import Run
from kernel.actor import Actor, ActorKind

_NONE = UUID(int=0)
_NAMED = {ActorKind.OPERATOR.value: "Operator", ActorKind.SYSTEM.value: "MLED", ActorKind.ANONYMOUS.value: "Nobody"}


@dataclass(frozen=True, slots=True)
class RunEvent:
    """One event with the names of today for its ids. token: of the token used, empty for none."""

    past: PastEvent
    who: str
    token: str


def history_of_run(viewer: Actor, run: Run, *, before: UUID | None = None, limit: int = 50) -> list[RunEvent]:
    """The events about a run, newest first. before: the id of the last event of the page above. Raises NotFound."""
    require(viewer, "experiments.see", run)
    return with_names(history_of(run.ledger_subject, before=before, limit=limit))


def with_names(past: Sequence[PastEvent]) -> list[RunEvent]:
    """Names of people and tokens for events: two queries for any number."""
    people = {user.pk: str(user) for user in User.objects.filter(pk__in={one.event.actor_id for one in past})}
    used = {one.event.token_id for one in past if one.event.token_id}
    tokens = dict(ApiToken.objects.filter(pk__in=used).values_list("pk", "name")) if used else {}
    return [RunEvent(one, _name(one.event, people), tokens.get(one.event.token_id or _NONE, "")) for one in past]


def _name(event: AuditEvent, people: Mapping[UUID, str]) -> str:
    known = people.get(event.actor_id) if event.actor_id else None
    return known or _NAMED.get(event.actor_kind, "Unknown")
