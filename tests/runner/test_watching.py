"""Whose worker is gone is judged by who looks again and again, whatever the clocks say."""

import datetime as dt
from uuid import uuid4

import pytest

from runner.working.watching import LEASE, RENEWED_EVERY, Held, Watch

pytestmark = pytest.mark.once
NOON = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
JOB = uuid4()


def watched(renewed_until: float, looks: range, *, jump: tuple[float, float] = (1e9, 0.0)) -> float | None:
    """When a looker says that a worker is gone, which renewed its lease every eight seconds until some moment.

    jump: at which second the clock of the looker's machine jumps, and how far.
    """
    watch, lease = Watch(), uuid4()
    for second in looks:
        last = min(float(second), renewed_until) // RENEWED_EVERY * RENEWED_EVERY
        held = {JOB: Held(lease, NOON + dt.timedelta(seconds=last) + LEASE)}
        hour = NOON + dt.timedelta(seconds=second + (jump[1] if second >= jump[0] else 0.0))
        if watch.lost(held, at=1000.0 + second, hour=hour):
            return second
    return None


@pytest.mark.parametrize("every", [1, 2, 15])
def test_a_living_worker_is_never_lost(every):
    assert watched(1e9, range(0, 600, every)) is None


def test_a_dead_worker_is_found_as_soon_as_its_lease_is_over():
    assert watched(64.0, range(0, 600, 2)) == 94


def test_somebody_who_looks_by_the_clock_finds_it_within_two_more_looks():
    assert 94 <= (watched(64.0, range(0, 600, 15)) or 0) <= 120


def test_who_has_just_come_does_not_believe_the_hour_alone():
    found = watched(0.0, range(100, 200, 2))
    assert found is not None
    assert 113 <= found <= 114


@pytest.mark.parametrize("far", [60.0, 3600.0, 1e6])
def test_a_clock_that_jumps_ahead_ends_no_lease_of_the_living(far):
    assert watched(1e9, range(0, 600, 2), jump=(100, far)) is None


def test_a_clock_that_jumps_back_keeps_no_dead_worker_alive():
    found = watched(64.0, range(0, 600, 2), jump=(70, -3600.0))
    assert found is not None
    assert found <= 64 + 32


def test_after_the_database_was_away_everybody_has_time_to_renew():
    watch, lease = Watch(), uuid4()
    held = {JOB: Held(lease, NOON + LEASE)}
    assert watch.lost(held, at=0.0, hour=NOON) == []
    later = NOON + dt.timedelta(seconds=300)
    assert watch.lost(held, at=300.0, hour=later) == []
    assert watch.lost(held, at=302.0, hour=later) == []
    assert watch.lost(held, at=314.0, hour=later) == [JOB]
