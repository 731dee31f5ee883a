"""What people see of doing a run again: the button, what it takes, and what came out."""

from __future__ import annotations

import pytest

from artifacts.actions.recall import withdraw_version
from experiments.actions.batches import log_batch
from experiments.models import Run
from kernel.actor import system
from runner.actions.comparing import keep_check
from runner.actions.jobs import end_job
from runner.models import Job, Recipe
from tests.factories import Team, a_batch, a_version, default_experiment
from tests.factories_runner import a_draft, a_job, a_worker, held_by
from tests.pages.conftest import Browser


@pytest.fixture
def run(team: Team) -> Run:
    """A run that was launched here on data of its own, and is over."""
    made = a_job(team.scientist, default_experiment(team.project), draft=a_draft(a_version(team.scientist)), name="gru")
    return done(team, made)


def done(team: Team, job: Job) -> Run:
    """The run of a job once this ended well."""
    log_batch(team.scientist, job.run, batch=a_batch(loss=[0.5]))
    job = held_by(job, a_worker())
    end_job(system(), job, lease=job.lease, state=Job.State.FINISHED, cause=Job.Cause.EXIT, exit_code=0)
    return Run.objects.select_related("project", "experiment").get(pk=job.run_id)


def recreate_url(run: Run) -> str:
    return f"/r/{run.uid.hex}/recreate/"


def test_the_button_leads_to_what_it_takes_and_that_to_the_new_run(ada: Browser, team: Team, run: Run):
    assert recreate_url(run) in ada.get(f"/r/{run.uid.hex}/").source
    page = ada.get(recreate_url(run))
    assert "Launched here: its recipe says all of it." in page
    assert "python train.py --lr" in page
    assert f"mled recreate {run.readable_id} --there" in page
    assert f"/launch/?like={run.readable_id}" in page.source
    assert f"/r/{run.uid.hex}/bundle.zip" in page.source
    answer = ada.post(recreate_url(run))
    made = Job.objects.get(reproduces=run)
    assert answer.response.headers["Location"] == f"/r/{made.run.uid.hex}/?launched"


def test_ones_own_machine_is_named_only_where_it_can_fetch_the_code(ada: Browser, team: Team, run: Run):
    of_trainer = a_draft(
        kind=Recipe.Kind.TRAINER, trainer="tabular", repository="", commit="", words=("python", "train.py")
    )
    job = a_job(team.scientist, default_experiment(team.project), draft=of_trainer, name="trained here")
    trained = done(team, job)
    page = ada.get(recreate_url(trained))
    assert f"mled recreate {trained.readable_id} --there" in page
    assert "on your own machine" not in page
    page = ada.get(recreate_url(run))
    assert "on your own machine" in page
    assert f"<code>mled recreate {run.readable_id}</code>" in page.source


def test_what_cannot_be_met_is_told_instead_and_only_changes_are_offered(ada: Browser, team: Team, run: Run):
    withdraw_version(team.scientist, run.inputs.get().dataset_version, reason="labels are wrong")
    page = ada.get(recreate_url(run))
    assert "Cannot be met" in page
    assert "labels are wrong" in page
    assert ">Recreate</button>" not in page.source
    assert "cannot be done again as it was" in ada.post(recreate_url(run), 409)
    assert not Job.objects.filter(reproduces=run).exists()


def test_who_may_not_launch_sees_no_button_and_strangers_nothing(otto: Browser, zoe: Browser, run: Run):
    assert recreate_url(run) not in otto.get(f"/r/{run.uid.hex}/").source
    otto.get(recreate_url(run), 403)
    zoe.get(recreate_url(run), 404)
    otto.post(recreate_url(run), 403)
    assert not Job.objects.filter(reproduces=run).exists()


def test_both_runs_show_what_was_kept_and_what_was_changed_since(ada: Browser, emil: Browser, team: Team, run: Run):
    emil.post(recreate_url(run))
    again = done(team, Job.objects.get(reproduces=run))
    keep_check(system(), again)
    page = ada.get(f"/r/{again.uid.hex}/")
    assert f"Does {run.readable_id} again" in page
    assert "later changes of either run leave it as it is" in page
    assert "compared it with the run that it does again" in page
    log_batch(team.scientist, run, batch=a_batch(loss=[0.1]))
    page = ada.get(f"/r/{run.uid.hex}/")
    assert f"{run.readable_id} was changed since: compared as" in page
    assert "same" in page
