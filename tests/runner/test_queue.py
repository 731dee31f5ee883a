"""Where a job stands in its queue, and when its turn may come."""

from __future__ import annotations

import datetime as dt

import pytest

from kernel import clock
from kernel.actor import system
from runner.actions.jobs import end_job
from runner.models import Job
from runner.queries.queue import positions, standing
from runner.waiting import wait_for
from tests.factories import a_team, default_experiment
from tests.factories_runner import a_job, a_worker, held_by


@pytest.mark.once
@pytest.mark.parametrize(
    ("slots", "under_way", "ahead", "seconds"),
    [
        (1, [30.0], [], 30.0),
        (2, [30.0], [], 0.0),
        (2, [30.0, 10.0], [5.0], 15.0),
        (2, [30.0, 10.0], [5.0, 60.0], 30.0),
        (1, [], [60.0, 60.0], 120.0),
    ],
)
def test_the_wait_is_that_for_the_first_slot_that_is_free(slots, under_way, ahead, seconds):
    assert wait_for(slots, under_way, ahead) == seconds


def test_a_job_stands_behind_the_urgent_and_the_older_of_its_queue(db, monkeypatch):
    team, other = a_team(), a_team()
    place = default_experiment(team.project)
    monkeypatch.setattr(clock, "_now", lambda: 1_800_000_000.0)
    first = held_by(a_job(team.scientist, place, queue="q"), a_worker(queues=["q"]))
    monkeypatch.setattr(clock, "_now", lambda: 1_800_000_060.0)
    end_job(system(), first, lease=first.lease, state=Job.State.FINISHED, cause=Job.Cause.EXIT, exit_code=0)
    worker = a_worker(queues=["q"])
    early = a_job(other.scientist, default_experiment(other.project), queue="q")
    monkeypatch.setattr(clock, "_now", lambda: 1_800_000_061.0)
    asked = a_job(team.scientist, place, queue="q")
    a_job(team.scientist, place, queue="elsewhere")
    urgent = a_job(team.scientist, place, queue="q", priority=1)
    found = standing(team.scientist, asked)
    assert found is not None
    assert (found.position, found.ahead, found.workers_free) == (3, 2, 1), "the other was not heard of for a minute"
    assert found.expected_seconds == 120.0, "one slot, two ahead, and each takes a minute"
    assert positions(team.scientist, [early, asked, urgent]) == {asked.pk: 3, urgent.pk: 1}
    assert standing(other.scientist, asked) is None, "the same as for one that is not there"
    worker.seen_at -= dt.timedelta(minutes=5)
    worker.save()
    again = standing(team.scientist, asked)
    assert again is not None
    assert (again.workers_free, again.expected_seconds) == (0, None), "nobody serves it"
    assert standing(team.scientist, held_by(asked, worker)) is None, "it waits no more"
