"""Doing a run again: by its owner, by others, in the wrong state, twice; as it was, and with changes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from artifacts.actions.recall import withdraw_version
from experiments.actions.runs import delete_run, update_run
from experiments.queries.reproductions import LIKE, REPRODUCES
from experiments.queries.runs import params_of, tags_of
from experiments.values import RunStatus
from kernel.errors import Conflict, InvalidFields, NotFound, Refused
from runner.actions.jobs import retry_job
from runner.actions.recreating import recreate
from runner.actions.rules import set_rules
from runner.actions.sweeps import stop_sweep
from runner.models import Job
from runner.recreating.changing import merged
from runner.recreating.likeness import changes, like
from tests.factories import a_person, a_team, default_experiment, events_since
from tests.factories_runner import a_draft, a_failed_job
from tests.runner.test_likeness import a_recorded_run
from tests.runner.test_sweeps import a_sweep

pytestmark = pytest.mark.django_db


@pytest.fixture
def team():
    return a_team()


def a_finished_run(team, **more):
    job = a_failed_job(team.scientist, default_experiment(team.project), draft=a_draft(**more), name="first")
    return job.run.__class__.objects.select_related("project", "experiment").get(pk=job.run_id)


def test_a_run_is_done_again_from_the_same_recipe_and_names_the_old_one(team):
    run = a_finished_run(team)
    (event,) = events_since(lambda: recreate(team.engineer, run))
    job = Job.objects.get(reproduces=run)
    assert (event.verb, job.recipe_id, job.state) == ("runner.recreate", run.job.recipe_id, Job.State.QUEUED)
    assert tags_of(team.auditor, job.run)[REPRODUCES] == run.uid.hex
    assert params_of(team.auditor, job.run) == params_of(team.auditor, run)
    assert job.run.name == "first again"
    recreate(team.scientist, run)
    assert run.recreations.count() == 2


def test_with_changes_it_is_a_run_like_the_old_one_and_does_not_say_that_it_does_it_again(team):
    run = a_finished_run(team)
    job = recreate(team.scientist, run, changed={"params": {"lr": 0.2}}, name="hotter")
    assert (job.reproduces, job.recipe.params, job.recipe.seed) == (None, {"lr": 0.2}, 7)
    tags = tags_of(team.scientist, job.run)
    assert (tags[LIKE], REPRODUCES in tags, job.run.name) == (run.uid.hex, False, "hotter")
    same = recreate(team.scientist, run, changed={"params": {"lr": 0.1}})
    assert same.reproduces == run


def test_another_interpreter_project_patch_or_template_is_a_change(team):
    run = update_run(team.scientist, a_recorded_run(team), status=RunStatus.FINISHED)
    found = like(team.scientist, run)
    packages = found.wanted["environment"]
    lock = {"lock": "version = 1\n", "project_file": "[project]\n"}
    assert changes(found, merged(found.wanted, {"environment": {"requirements": "numpy==2.1.0\r\n"}})) == []
    for change in ({"environment": {**packages, "python": "3.13"}}, {"patch": "1"}, {"template": "1"}):
        assert [one.field for one in changes(found, merged(found.wanted, change))] in (
            ["environment"], ["code"], ["template"],
        )  # fmt: skip
    locked = replace(found, wanted={**found.wanted, "environment": lock})
    other = {"environment": {**lock, "project_file": "[project] # mine\n"}}
    assert [one.field for one in changes(locked, merged(locked.wanted, other))] == ["environment"]
    job = recreate(team.engineer, run, changed={"environment": {**packages, "python": "3.13"}})
    assert (job.reproduces, job.recipe.environment.python) == (None, "3.13")


def test_what_is_done_again_or_tried_again_by_hand_has_as_many_further_tries_as_the_project_says(team):
    set_rules(team.manager, team.project, retries=3)
    run = a_finished_run(team)
    assert recreate(team.scientist, run).retries_left == 3
    assert retry_job(team.scientist, run.job).retries_left == 3
    assert retry_job(team.scientist, a_failed_job(team.scientist, run.experiment), retries=1).retries_left == 1


def test_a_run_of_elsewhere_is_done_again_here_from_its_record(team):
    run = a_recorded_run(team)
    run = update_run(team.scientist, run, status=RunStatus.FINISHED)
    job = recreate(team.engineer, run)
    recipe = job.recipe
    assert (job.reproduces, recipe.commit, recipe.folder) == (run, run.git_commit, "models")
    assert recipe.words == ["python", "train.py", "--lr", "0.1"]
    assert recipe.patch is not None
    assert (recipe.environment.kind, recipe.environment.python) == ("requirements", "3.11")
    assert recipe.inputs.get().version_id == run.inputs.get().dataset_version_id


def test_what_is_not_over_deleted_or_cannot_be_met_is_not_done_again(team):
    run = a_finished_run(team)
    with pytest.raises(Conflict, match="is not over yet"):
        recreate(team.scientist, recreate(team.scientist, run).run)
    lost = a_recorded_run(team, without="packages")
    update_run(team.scientist, lost, status=RunStatus.FINISHED)
    lost.refresh_from_db()
    with pytest.raises(Conflict, match=r"cannot be done again as it was\. Packages: nothing says"):
        recreate(team.scientist, lost)
    packages = {"requirements": "numpy==2.1.0"}
    assert recreate(team.scientist, lost, changed={"environment": packages}).reproduces is None
    with pytest.raises(InvalidFields):
        recreate(team.scientist, lost, changed={"environment": {"requirements": "-e /home/ada"}})
    withdraw_version(team.scientist, lost.inputs.get().dataset_version, reason="labels are wrong")
    with pytest.raises(Conflict, match="labels are wrong"):
        recreate(team.scientist, lost)
    delete_run(team.scientist, run)
    run.refresh_from_db()
    with pytest.raises(Conflict, match="is deleted"):
        recreate(team.scientist, run)


def test_the_parent_of_a_sweep_executes_nothing_and_is_not_done_again(team):
    sweep = stop_sweep(team.scientist, a_sweep(team.scientist, team.project, space={"lr": [0.1]}))
    with pytest.raises(Conflict, match="parent of a sweep and executes nothing"):
        recreate(team.scientist, sweep.parent)


def test_rules_that_were_tightened_since_are_told_before_anything_starts(team):
    run = a_finished_run(team, has_network=True)
    assert like(team.scientist, run).cannot[0].startswith("This project does not allow its jobs the network.")


@pytest.mark.parametrize(("who", "error"), [("auditor", Refused), ("manager", Refused), ("", NotFound)])
def test_who_may_not_launch_does_not_do_a_run_again(team, who, error):
    run = a_finished_run(team)
    with pytest.raises(error):
        recreate(getattr(team, who) if who else a_person(), run)
    assert not Job.objects.filter(reproduces=run).exists()
