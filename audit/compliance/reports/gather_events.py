"""Events of the log as a report prints them, and where those of a run stand."""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

from accounts.queries.history import with_names
from audit.compliance.reports import said
from audit.compliance.reports.asof import AT_ONCE, People, chunks, places_of
from audit.compliance.reports.chain import Chain, wrong_payloads
from audit.compliance.reports.facts import ChainFact, EventFact
from audit.compliance.rules.record import is_work
from audit.ledger.models import AuditEvent
from audit.ledger.queries.history import PastEvent, RowChange, with_payloads

EVENTS_MAX = 200  # printed of one thing; the log holds the others
# Where there are more, these many small acts are counted and not printed.
_MANY = frozenset({"experiments.log_batch", "experiments.log_metric", "experiments.star_run", "experiments.unstar_run"})


class _Seen(NamedTuple):
    """What is looked at of every event: a run may have millions."""

    id: UUID
    verb: str
    at: dt.datetime
    outcome: str


@dataclass(slots=True)
class Told:
    """What the log says of one thing under the head. later: what happened to it since, as verb and time."""

    printed: list[EventFact] = field(default_factory=list)
    chain: ChainFact = field(default_factory=lambda: ChainFact(0, None, None, ""))
    later: list[tuple[str, str]] = field(default_factory=list)
    rows: list[tuple[int, Sequence[RowChange]]] = field(default_factory=list)

    @property
    def changed(self) -> str:
        """That the thing is not as it was under the head any more, in words; '' where it is."""
        if not self.later:
            return ""
        verb, at = self.later[-1]
        acts = "act" if len(self.later) == 1 else "acts"
        return f"Changed since by {len(self.later):,} {acts}, the last {verb} at {at}."

    @property
    def left_out(self) -> str:
        """How many events are not printed, in words; '' for none."""
        rest = self.chain.events - len(self.printed)
        return f"{rest:,} of {self.chain.events:,} events are not printed here; the log holds them." if rest > 0 else ""


def told_of(kind: str, ids: Sequence[str], chain: Chain, people: People) -> dict[str, Told]:
    """By id: the events about each of these things of one kind, with their places, checked against the head."""
    found: dict[str, Told] = {one: Told() for one in ids}
    by_thing: dict[str, list[_Seen]] = defaultdict(list)
    for some in chunks(ids):
        events = AuditEvent.objects.filter(subject_type=kind, subject_id__in=some).order_by("id")
        rows = events.values_list("subject_id", "id", "verb", "at", "outcome")
        for thing, event_id, verb, at, outcome in rows.iterator(chunk_size=2000):
            by_thing[thing].append(_Seen(event_id, verb, at, outcome))
    places = places_of([one.id for seen in by_thing.values() for one in seen])
    under = {one: place for one, place in places.items() if place < chain.size}
    wrong = chain.wrong_events(under)
    printed: dict[str, list[UUID]] = {}
    for thing, found_of_it in by_thing.items():
        told = sorted(found_of_it, key=lambda one: (places.get(one.id, 1 << 62), one.id))
        inside = [one for one in told if one.id in under]
        found[thing].later = [
            (one.verb, said.moment(one.at))
            for one in told
            if one.id not in under and one.outcome == "done" and is_work(one.verb)
        ]
        printed[thing] = _worth_printing(inside)
        found[thing].chain = _chain(inside, under, wrong)
    _print(found, printed, people)
    return found


def _worth_printing(events: Sequence[_Seen]) -> list[UUID]:
    few = len(events) <= EVENTS_MAX
    return [one.id for one in events if few or one.verb not in _MANY][:EVENTS_MAX]


def _chain(events: Sequence[_Seen], places: Mapping[UUID, int], wrong: Mapping[UUID, str]) -> ChainFact:
    if not events:
        return ChainFact(0, None, None, "no event made it")
    first_wrong = next((wrong[one.id] for one in events if one.id in wrong), "")
    return ChainFact(len(events), places[events[0].id], places[events[-1].id], first_wrong)


def _print(found: Mapping[str, Told], printed: Mapping[str, Sequence[UUID]], people: People) -> None:
    """Read what the events to print say, some hundred at a time, and put it in their places."""
    for some in chunks([(thing, event_id) for thing, events in printed.items() for event_id in events], AT_ONCE):
        events = AuditEvent.objects.in_bulk([event_id for _, event_id in some])
        past = with_payloads([events[event_id] for _, event_id in some])
        bad = wrong_payloads({one.event.id: one.event.commitment for one in past}, [one.event.id for one in past])
        facts = facts_of(past, people)
        for (thing, event_id), one, fact in zip(some, past, facts, strict=True):
            told = found[thing]
            told.printed.append(fact)
            told.rows.append((fact.seq, one.changes))
            if event_id in bad and not told.chain.wrong:
                chain = told.chain
                words = f"what event {fact.seq} says was changed"
                told.chain = ChainFact(chain.events, chain.first, chain.last, words)


def facts_of(past: Sequence[PastEvent], people: People) -> list[EventFact]:
    """Events as they are printed."""
    people.learn(_people_in(past))
    names = people.by_hex()
    return [
        EventFact(
            seq=-1 if one.past.seq is None else one.past.seq,
            at=said.moment(one.past.event.at),
            actor=one.who,
            roles=said.roles(one.past.event.actor_roles),
            door=one.past.event.door,
            verb=one.past.event.verb,
            subject=f"{one.past.event.subject_type} {one.past.event.subject_id}".strip(),
            change="erased" if one.past.is_erased else said.changes(one.past.changes, names),
            reason=one.past.reason,
            outcome=one.past.event.outcome,
        )
        for one in with_names(past)
    ]


def _people_in(past: Iterable[PastEvent]) -> Collection[UUID]:
    """The values in changes that may be ids of people."""
    return {
        UUID(hex=text)
        for one in past
        for row in one.changes
        for name, pair in row.fields.items()
        if name.endswith("_by_id") or name in ("user_id", "assigned_to_id", "owner_id")
        for text in pair
        if isinstance(text, str) and len(text) == 32
    }
