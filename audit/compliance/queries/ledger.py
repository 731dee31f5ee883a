"""The log as a whole: its signed heads, and proofs over it for whoever keeps one. None of it shows what events say."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import QuerySet

from accounts.access import can, find_project_by_id, require
from audit.compliance.queries.log import READS, Standing
from audit.ledger.alarm import troubles
from audit.ledger.canonical import leaf_bytes
from audit.ledger.keys import PublicKey, trusted_keys
from audit.ledger.models import AuditEvent, Checkpoint
from audit.ledger.queries.anchored import anchored_and_not
from audit.ledger.queries.health import ledger_lag
from audit.ledger.queries.proofs import Inclusion, consistency_between, inclusion_under, newest_checkpoint
from audit.ledger.tree import leaf_rows
from experiments.models import Run
from experiments.queries.events import events_of_run
from experiments.queries.runs import get_run
from kernel.actor import Actor
from kernel.errors import Conflict, Invalid, MledError, NotFound

RIGHT = "ledger.verify"
SEES_SITE = "users.see"  # whose acts belong to no project are the business of those who keep or audit the site


@dataclass(frozen=True, slots=True)
class Proven:
    """That an event is in the log. leaf: the canonical bytes that were hashed; they name no old or new value."""

    inclusion: Inclusion
    leaf: bytes


@dataclass(frozen=True, slots=True)
class Continued:
    """That the newer head continues the older one."""

    old: Checkpoint
    new: Checkpoint
    path: Sequence[bytes]


def heads_of_log(viewer: Actor) -> QuerySet[Checkpoint]:
    """All signed heads. Raises Unauthenticated, Refused."""
    require(viewer, RIGHT)
    return Checkpoint.objects.all()


def newest_head(viewer: Actor) -> Checkpoint:
    """The last signed head. Raises NotFound before the first."""
    require(viewer, RIGHT)
    head = newest_checkpoint()
    if head is None:
        raise NotFound("The log has no signed head yet.", hint="It has one within seconds of its first event.")
    return head


def head_of_size(viewer: Actor, size: int, *, field: str = "") -> Checkpoint:
    """The last head that was signed over so many events. Raises NotFound for sizes that no head has."""
    found = heads_of_log(viewer).filter(size=size).order_by("-pk").first()
    if found is None:
        hint = "Not every size was signed: see the list of checkpoints."
        raise NotFound(f"No head over {size:,} events was signed.", hint=hint, field=field)
    return found


def keys_of_log(viewer: Actor) -> list[PublicKey]:
    """The public keys whose signatures count, the first one first."""
    require(viewer, RIGHT)
    return list(trusted_keys().values())


def log_standing(viewer: Actor) -> Standing:
    """The newest head, what waits for the next one, and what is wrong with the log as a whole."""
    require(viewer, RIGHT)
    head = newest_checkpoint()
    there, not_yet = anchored_and_not(head) if head else ([], [])
    return Standing(head, ledger_lag(), troubles(), there, not_yet)


def proof_of(viewer: Actor, event_id: UUID, *, size: int | None = None) -> Proven:
    """That an event which the viewer may read is in the log, under the head of a size or the newest one.

    Raises NotFound, Conflict where the head does not cover the event.
    """
    event = _readable(viewer, event_id)
    head = newest_head(viewer) if size is None else head_of_size(viewer, size, field="size")
    inclusion = inclusion_under(head, event.pk)
    if inclusion is None:
        hint = "Wait some seconds." if size is None else "Ask under a newer head."
        raise Conflict(f"The head over {head.size:,} events does not cover this event.", hint=hint, field="size")
    return Proven(inclusion, leaf_bytes(leaf_rows([event.pk])[event.pk]))


def continuation(viewer: Actor, *, old: int, new: int) -> Continued:
    """That the log of `new` events begins with that of `old` ones. Raises Invalid, NotFound."""
    if old > new:
        raise Invalid("'old' is the smaller of the two sizes.", field="old")
    first, second = head_of_size(viewer, old, field="old"), head_of_size(viewer, new, field="new")
    return Continued(first, second, consistency_between(old, new))


def _readable(viewer: Actor, event_id: UUID) -> AuditEvent:
    """An event of a project whose log the viewer reads, about a run that they see, of the site for those who keep it,
    or an act of their own. Raises NotFound, absent and unseen alike."""
    event = AuditEvent.objects.filter(pk=event_id).first()
    if event is None or not _reads(viewer, event):
        raise NotFound("No such event was found.")
    return event


def _reads(viewer: Actor, event: AuditEvent) -> bool:
    if event.project_id is None:
        return bool(can(viewer, SEES_SITE)) or (viewer.is_person and event.actor_id == viewer.user_id)
    try:
        project = find_project_by_id(viewer, event.project_id)
        if can(viewer, READS, project) or event.actor_id == viewer.user_id:
            return True
        if event.subject_type != Run._meta.label_lower:
            return False
        run = get_run(viewer, event.subject_id, project=project)
        return events_of_run(viewer, run).filter(pk=event.pk).exists()
    except MledError:
        return False
