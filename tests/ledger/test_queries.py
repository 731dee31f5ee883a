import datetime as dt

import pytest

from audit.ledger import sequencer
from audit.ledger.models import EventOrigin
from audit.ledger.queries.health import ledger_lag
from audit.ledger.queries.history import history_of
from audit.ledger.tasks import forget_origins
from audit.ledger.values import Subject
from kernel import clock
from kernel.actor import Actor, ActorKind, Door

pytestmark = pytest.mark.django_db

DESK = Subject("test.thing", "desk")


def test_a_history_tells_the_newest_first_and_says_what_changed(act):
    first = act("thing.made", thing="desk")
    act("thing.made", thing="chair")
    second = act("thing.moved", thing="desk", reason="It stood in the way.")
    newest, oldest = history_of(DESK)
    assert [newest.event.id, oldest.event.id] == [second, first]
    assert newest.reason == "It stood in the way."
    assert newest.changes[0].fields == {"verb": (None, "thing.moved")}
    assert newest.event.at > oldest.event.at


def test_a_history_comes_in_pages(act):
    made = [act(thing="desk") for _ in range(7)]
    first = history_of(DESK, limit=3)
    rest = history_of(DESK, before=first[-1].event.id, limit=10)
    assert [past.event.id for past in first + rest] == made[::-1]


def test_a_history_says_what_still_waits_for_its_place(act):
    act(thing="desk")
    sequencer.run_once()
    act(thing="desk")
    assert [past.seq for past in history_of(DESK)] == [None, 0]


def test_a_history_reads_three_times_however_long(act, django_assert_num_queries):
    for _ in range(20):
        act(thing="desk")
    with django_assert_num_queries(3):
        assert len(history_of(DESK)) == 20


def test_the_lag_is_how_long_the_first_has_waited(act, monkeypatch):
    assert ledger_lag().seconds == 0
    act()
    act()
    later = clock._now() + 42
    monkeypatch.setattr(clock, "_now", lambda: later)
    assert ledger_lag().waiting == 2
    assert 42 <= ledger_lag().seconds < 50
    sequencer.run_once()
    assert ledger_lag().waiting == 0


def test_addresses_are_forgotten_after_ninety_days(act, monkeypatch):
    act(actor=Actor(ActorKind.USER, Door.WEB, ip="192.0.2.1"))
    sequencer.run_once()
    EventOrigin.objects.update(at=clock.now() - dt.timedelta(days=91))
    act(actor=Actor(ActorKind.USER, Door.WEB, ip="192.0.2.2"))
    sequencer.run_once()
    forget_origins()
    assert list(EventOrigin.objects.values_list("ip", flat=True)) == ["192.0.2.2"]
