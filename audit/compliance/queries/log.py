"""A project's part of the log, for those who may read it: pages of what was asked, and how the log itself stands."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from accounts.access import can, require
from accounts.models import Project, User
from accounts.queries.history import NamedEvent, with_names
from audit.ledger.alarm import Trouble, troubles
from audit.ledger.models import AuditEvent, Checkpoint
from audit.ledger.queries.anchored import anchored_and_not
from audit.ledger.queries.extract import extract
from audit.ledger.queries.health import Lag, ledger_lag
from audit.ledger.queries.history import PastEvent, with_payloads
from audit.ledger.queries.proofs import newest_checkpoint
from audit.ledger.queries.search import Question, found_in, matching, values_of
from audit.ledger.queries.soundness import broken_link
from kernel.actor import Actor, ActorKind

READS = "projects.read_log"
FOLDED = ("compliance.assess_run",)  # what MLED itself does so often that it would crowd everything else out
LEFT_OUT_MAX = 10_000


@dataclass(frozen=True, slots=True)
class LogPage:
    """A page of the log. next_id: where the page below begins; searched: how far was looked, None: all there is."""

    events: Sequence[NamedEvent]
    next_id: UUID | None
    searched: int | None


@dataclass(frozen=True, slots=True)
class Choices:
    """What the events of a project can be narrowed to."""

    people: Sequence[tuple[str, str]]
    verbs: Sequence[str]
    kinds: Sequence[str]


@dataclass(frozen=True, slots=True)
class Standing:
    """How the log stands. head: its newest signed head, None before the first; troubles: what is wrong with it.

    anchored_in: places outside the database that are known to have the head; not_yet_in: those it names besides.
    """

    head: Checkpoint | None
    lag: Lag
    troubles: Sequence[Trouble] = ()
    anchored_in: Sequence[str] = ()
    not_yet_in: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Checked:
    """What verifying some events came to. wrong: empty for nothing; waiting: not under the head yet."""

    checked: int
    waiting: int
    wrong: str


def log_page(
    viewer: Actor, project: Project, question: Question, *, before: UUID | None = None, limit: int = 50
) -> LogPage:
    """What happened in a project, newest first, as far as it matches. Raises NotFound, Refused."""
    require(viewer, READS, project)
    found = found_in(project.pk, question, before=before, limit=limit)
    return LogPage(with_names(with_payloads(found.events)), found.next_id, found.searched)


def left_out_of(viewer: Actor, project: Project, page: LogPage, *, before: UUID | None = None) -> int:
    """How many acts of MLED itself the page leaves out, among its own events and down to the next page."""
    require(viewer, READS, project)
    events = AuditEvent.objects.filter(project_id=project.pk, verb__in=FOLDED, actor_kind=ActorKind.SYSTEM.value)
    if before is not None:
        events = events.filter(id__lt=before)
    if page.next_id is not None:
        events = events.filter(id__gte=page.next_id)
    return min(len(events.order_by()[: LEFT_OUT_MAX + 1].values_list("id", flat=True)), LEFT_OUT_MAX)


def choices_in(viewer: Actor, project: Project) -> Choices:
    """Who acted in a project, by which actions, on which kinds of things. Raises NotFound, Refused."""
    require(viewer, READS, project)
    actors = values_of(project.pk, "actor_id")
    people = sorted(((one.pk.hex, str(one)) for one in User.objects.filter(pk__in=actors)), key=lambda one: one[1])
    kinds = [str(one) for one in values_of(project.pk, "subject_type") if one]
    return Choices(people, [str(one) for one in values_of(project.pk, "verb")], kinds)


def standing_of_log(viewer: Actor, project: Project) -> Standing:
    """The newest signed head and what waits for the next. Raises NotFound, Refused."""
    require(viewer, READS, project)
    head = newest_checkpoint()
    there, not_yet = anchored_and_not(head) if head else ([], [])
    return Standing(head, ledger_lag(), troubles(), there, not_yet)


def check_events(viewer: Actor, project: Project, events: Sequence[PastEvent]) -> Checked | None:
    """Compute these events' leaves anew and prove them under the signed head; None for who may not verify.

    Raises NotFound, Refused.
    """
    require(viewer, READS, project)
    if not can(viewer, "ledger.verify"):
        return None
    head = newest_checkpoint()
    placed = [one for one in events if head is not None and one.seq is not None and one.seq < head.size]
    wrong = broken_link(placed) if placed else ""
    return Checked(len(placed), len(events) - len(placed), wrong)


def log_lines(viewer: Actor, project: Project, question: Question, *, size: int) -> Iterator[bytes]:
    """What matches as JSON Lines in the order of the log, of its first `size` events. Raises NotFound, Refused."""
    require(viewer, READS, project)
    return extract(project.pk, matching(question), size=size)
