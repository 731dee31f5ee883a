"""After a checkpoint others are woken, beside the sequencer: the log waits neither for compliance nor for a broker."""

from __future__ import annotations

import threading

import pytest
from kombu.exceptions import OperationalError

from audit.compliance import tasks as compliance
from audit.ledger import hooks
from audit.ledger.models import Leaf
from audit.ledger.sequencer import Sequencer
from registry import tasks as registry


@pytest.mark.django_db
def test_a_hook_that_hangs_keeps_no_event_from_its_place(act, monkeypatch):
    met, go_on = threading.Event(), threading.Event()

    def hanging() -> None:
        met.set()
        go_on.wait(30)

    monkeypatch.setattr(hooks, "checkpoint_signed", [hanging])
    telling = hooks.Telling()
    telling.start()
    running = Sequencer(on_signed=telling.soon)
    for number in range(3):
        act(thing=str(number))
        assert running.run_once() == 1
        assert met.wait(10)
    assert Leaf.objects.count() == 3
    go_on.set()


def test_what_is_signed_while_one_is_told_is_told_once_more(monkeypatch):
    told, first, go_on, last = [], threading.Event(), threading.Event(), threading.Event()

    def slow() -> None:
        told.append(len(told))
        if len(told) == 1:
            first.set()
            go_on.wait(30)
        else:
            last.set()

    monkeypatch.setattr(hooks, "checkpoint_signed", [slow])
    telling = hooks.Telling()
    telling.start()
    telling.soon()
    assert first.wait(10)
    for _ in range(5):
        telling.soon()
    go_on.set()
    assert last.wait(10)
    assert told == [0, 1]


@pytest.mark.parametrize(
    ("wake", "task"),
    [
        (compliance.wake_verdicts, compliance.apply_covered_verdicts),
        (registry.wake_promotions, registry.carry_out_promotions),
    ],
)
def test_without_a_broker_the_next_round_is_by_the_clock(wake, task, monkeypatch, caplog, settings):
    def away() -> None:
        raise OperationalError("gone")

    monkeypatch.setattr(task, "delay", away)
    wake()
    assert "wait for the next round" in caplog.text
    assert task.name in {one["task"] for one in settings.CELERY_BEAT_SCHEDULE.values()}


def test_what_hears_of_a_checkpoint_only_wakes_a_task():
    assert {one.__name__ for one in hooks.checkpoint_signed} == {"wake_verdicts", "wake_promotions"}
