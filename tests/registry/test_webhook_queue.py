"""The queue of messages stays quick, however many were delivered before."""

import datetime as dt

import pytest
from django.db import connection

from kernel import clock
from kernel.clock import now
from registry.actions.webhooks import create_webhook
from registry.models import Delivery
from registry.tasks import forget_deliveries
from registry.webhooks import queue
from registry.webhooks.queue import due
from registry.webhooks.secrets import new_secret
from tests.factories import a_team

State = Delivery.State


@pytest.mark.django_db
def test_what_is_due_is_found_by_its_index() -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":  # it would rather read an empty table
            cursor.execute("SET LOCAL enable_seqscan = off")
    assert "delivery_due" in due(now())[:1].explain()


def ended(webhook, state: str, *, days: float) -> Delivery:
    done_at = None if state in (State.WAITING, State.SENDING) else now() - dt.timedelta(days=days)
    asked = now() - dt.timedelta(days=days)
    return Delivery.objects.create(
        webhook=webhook, event="ping", body="{}", state=state, created_at=asked, done_at=done_at
    )


@pytest.fixture
def webhook(db, settings):
    settings.MLED_WEBHOOK_DAYS = 30
    team = a_team()
    return create_webhook(team.engineer, team.project, url="https://ci.example.org/mled", secret=new_secret())


def test_what_came_to_an_end_goes_after_its_days_and_what_waits_stays(webhook, monkeypatch) -> None:
    monkeypatch.setattr(queue, "AT_ONCE", 2)
    states = (State.DELIVERED, State.FAILED, State.WAITING, State.SENDING)
    old, young = [[ended(webhook, state, days=days) for state in states] for days in (31, 29)]
    old.append(ended(webhook, State.DELIVERED, days=4000))
    assert forget_deliveries() == 3
    assert set(Delivery.objects.all()) == {*young, old[2], old[3]}
    assert forget_deliveries() == 0


def test_no_message_goes_by_a_clock_that_is_wrong_or_where_they_are_to_stay(webhook, settings, monkeypatch) -> None:
    ended(webhook, State.DELIVERED, days=29)
    real = clock._now
    monkeypatch.setattr(clock, "_now", lambda: real() + 365 * 86_400)
    assert forget_deliveries() == 0
    ended(webhook, State.DELIVERED, days=400)
    settings.MLED_WEBHOOK_DAYS = 0
    assert forget_deliveries() == 0
