"""What is done with a job is told with its run: its history and the rules see how it began and how it ended."""

from __future__ import annotations

import pytest

from audit.compliance.rules.engine import RULES
from audit.compliance.rules.record import Record
from audit.ledger.sequencer import Sequencer
from audit.ledger.verify import verify_ledger
from experiments.models import Run
from kernel.actor import system
from runner.actions.jobs import end_job, retry_job, stop_job
from runner.actions.sweeps import begin_sweep, carry_sweep, stop_sweep
from runner.models import Job
from runner.sweeping import plan_of
from tests.factories import a_team, default_experiment
from tests.factories_runner import a_draft, a_failed_job, a_job, a_worker, held_by

pytestmark = pytest.mark.django_db


@pytest.fixture
def team():
    return a_team()


def verbs(run: Run) -> list[str]:
    return [past.event.verb for past in Record(Run.objects.get(pk=run.pk)).events]


def outcome(rule: str, run: Run) -> str:
    return RULES[rule].check(Record(Run.objects.get(pk=run.pk))).outcome.value


def test_a_launched_run_is_told_from_its_beginning_and_its_parameters_are_as_recorded(team):
    job = held_by(a_job(team.scientist, default_experiment(team.project)), a_worker())
    end_job(system(), job, lease=job.lease, state=Job.State.FINISHED, cause=Job.Cause.EXIT, exit_code=0)
    assert verbs(job.run) == ["runner.launch", "runner.start_job", "runner.begin_job", "runner.end_job"]
    assert (outcome("V6", job.run), outcome("C1", job.run)) == ("pass", "pass")
    assert Record(Run.objects.get(pk=job.run_id)).contributors == {team.scientist.user_id}


def test_a_stop_and_another_try_stand_each_with_their_own_run(team):
    waiting = a_job(team.scientist, default_experiment(team.project))
    stop_job(team.scientist, waiting, reason="wrong data")
    failed = a_failed_job(team.scientist, default_experiment(team.project))
    again = retry_job(team.scientist, failed)
    assert verbs(waiting.run) == ["runner.launch", "runner.stop_job"]
    assert verbs(failed.run)[-1] == "runner.end_job"
    assert verbs(again.run) == ["runner.retry_job"]
    assert {outcome("C1", run) for run in (waiting.run, failed.run, again.run)} == {"pass"}


def test_each_run_of_a_sweep_is_told_by_itself_and_the_sweep_with_its_parent(team):
    plan = plan_of(space={"lr": [0.1, 0.2, 0.3]}, at_once=2, metric="", higher_is_better=None)
    sweep = begin_sweep(team.scientist, default_experiment(team.project), draft=a_draft(), plan=plan)
    first, second = Job.objects.filter(sweep=sweep).order_by("created_at")
    job = held_by(first, a_worker())
    end_job(system(), job, lease=job.lease, state=Job.State.FINISHED, cause=Job.Cause.EXIT, exit_code=0)
    carry_sweep(system(), sweep)
    third = Job.objects.filter(sweep=sweep).latest("created_at")
    stop_sweep(team.scientist, sweep)
    assert verbs(sweep.parent)[:1] == ["runner.begin_sweep"]
    assert verbs(sweep.parent)[-1] == "runner.stop_sweep"
    assert [verbs(one.run) for one in (second, third)] == [["runner.launch", "runner.stop_job"]] * 2
    assert {outcome("V6", one.run) for one in (first, second, third)} == {"pass"}
    assert {outcome("C1", run) for run in (sweep.parent, first.run, third.run)} == {"pass"}
    Sequencer().run_once()
    assert verify_ledger().problems == []
