"""Whose jobs others act on is told."""

from __future__ import annotations

import pytest

from accounts.models import Notice
from runner.actions.jobs import stop_job
from runner.actions.sweeps import stop_sweep
from tests.factories import a_team, default_experiment, user_of
from tests.factories_runner import a_job, a_worker, held_by
from tests.runner.test_sweeps import a_sweep

pytestmark = pytest.mark.django_db


def test_a_single_job_of_a_sweep_that_somebody_else_stops_is_told():
    team = a_team()
    sweep = a_sweep(team.scientist, team.project)
    job = sweep.jobs.order_by("created_at").first()
    stop_job(team.engineer, job, reason="this one hangs")
    stop_sweep(team.engineer, sweep, reason="and the rest")
    told = list(Notice.objects.filter(user=user_of(team.scientist)).order_by("pk").values_list("text", flat=True))
    assert [f"stopped your job {job.run.readable_id}" in told[0], "“this one hangs”" in told[0]] == [True, True]
    assert [f"stopped your sweep {sweep.parent.readable_id}" in told[1], len(told)] == [True, 2]


def test_whose_job_or_sweep_somebody_else_stops_is_told_once_and_why():
    team = a_team()
    place = default_experiment(team.project)
    mine, theirs = a_job(team.scientist, place), a_job(team.scientist, place, name="long")
    sweep = a_sweep(team.scientist, team.project)
    stop_job(team.scientist, mine, reason="wrong data")
    for _ in range(2):
        stop_job(team.engineer, held_by(theirs, a_worker()) if _ == 0 else theirs, reason="machine needed")
    stop_sweep(team.engineer, sweep)
    told = [(one.text, one.url) for one in Notice.objects.filter(user=user_of(team.scientist)).order_by("pk")]
    by, run, parent = user_of(team.engineer).name, theirs.run, sweep.parent
    named = f" “{parent.name}”" if parent.name else ""
    assert told == [
        (f"{by} stopped your job {run.readable_id} “long”. They say: “machine needed”", f"/r/{run.uid.hex}/"),
        (f"{by} stopped your sweep {parent.readable_id}{named}.", f"/r/{parent.uid.hex}/"),
    ]
