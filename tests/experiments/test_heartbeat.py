"""Signs of life: each batch leaves one, at most every half minute, and nobody's event."""

import datetime as dt

from django.db import connection
from django.test.utils import CaptureQueriesContext

from experiments.actions.batches import log_batch
from experiments.actions.runs import update_run
from experiments.models import Run
from experiments.pages.frame import SILENT, heartbeat_of
from experiments.values import RunStatus
from kernel import clock
from kernel.clock import now
from tests.factories import curve, events_since


def beats(ada, run) -> int:
    """How many statements of a batch note a sign of life."""
    fresh = Run.objects.get(pk=run.pk)
    with CaptureQueriesContext(
        connection,
    ) as asked:
        log_batch(ada, fresh, batch=curve(3))
    return sum("SET heartbeat_at" in query["sql"] for query in asked)


def test_a_batch_is_a_sign_of_life_without_an_event_and_the_next_ones_cost_nothing(ada, run, monkeypatch):
    assert Run.objects.get(pk=run.pk).heartbeat_at is None
    assert not events_since(lambda: log_batch(ada, run, batch=curve(3)))
    first = Run.objects.get(pk=run.pk).heartbeat_at
    assert now() - first < dt.timedelta(seconds=10)
    assert beats(ada, run) == 0
    later = now() + dt.timedelta(seconds=31)
    monkeypatch.setattr("experiments.metrics.heartbeat.now", lambda: later)
    assert beats(ada, run) == 1
    assert Run.objects.get(pk=run.pk).heartbeat_at == later
    assert not Run.history.filter(uid=run.uid).exclude(history_type="+").exists()


def test_a_running_run_says_so_when_nothing_came_for_long(ada, run, monkeypatch):
    log_batch(ada, run, batch=curve(3))
    fresh = Run.objects.get(pk=run.pk)
    assert not heartbeat_of(fresh).is_silent
    monkeypatch.setattr("experiments.pages.frame.now", lambda: clock.now() + SILENT + dt.timedelta(minutes=1))
    assert heartbeat_of(fresh).is_silent
    assert heartbeat_of(update_run(ada, fresh, status=RunStatus.FINISHED)) is None
