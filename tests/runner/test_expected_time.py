"""How long a job may take is told from those like it that were done, with regard to how much they had to do."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kernel import clock
from kernel.actor import system
from runner.actions.jobs import end_job
from runner.models import Job
from runner.pages.launch_checks import expected_words
from runner.queries.launching import expected_time
from runner.sweeping import plan_of
from tests.factories import a_team, default_experiment
from tests.factories_runner import a_draft, a_job, a_worker, held_by

pytestmark = pytest.mark.django_db


def test_more_epochs_take_at_most_so_many_times_longer_and_fewer_are_not_promised_to_be_quicker(monkeypatch):
    team = a_team()
    done = a_draft(params={"lr": 0.1, "epochs": 40})
    assert expected_words(expected_time(team.scientist, team.project, done), None).startswith("not known")
    for seconds in (20, 30, 40):
        job = held_by(a_job(team.scientist, default_experiment(team.project), draft=done), a_worker())
        begun = job.started_at.timestamp()
        monkeypatch.setattr(clock, "_now", lambda now=begun + seconds: now)
        end_job(system(), job, lease=job.lease, state=Job.State.FINISHED, cause=Job.Cause.EXIT, exit_code=0)
        monkeypatch.undo()

    def told(plan=None, **params) -> str:
        return expected_words(expected_time(team.scientist, team.project, replace(done, params=params)), plan)

    assert told(epochs=40) == told(epochs=10) == told(lr=1) == "about 30 s, from 3 like runs"
    assert told(epochs="400") == "up to about 5 min, from 3 like runs with less to do"
    assert told(epochs="many") == told(epochs="inf") == told(epochs="nan") == "about 30 s, from 3 like runs"
    plan = plan_of(space={"lr": [0.1, 0.2, 0.3]}, at_once=2, metric="", higher_is_better=None)
    assert told(plan, epochs=80) == "up to about 1 min each, up to about 2 min in all; from 3 like runs with less to do"
