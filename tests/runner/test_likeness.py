"""What a run needs to be done again: what can be met, what cannot, and what will not be the same."""

from __future__ import annotations

import platform

import pytest

from artifacts.actions.recall import withdraw_version
from experiments.actions.batches import log_batch
from experiments.actions.inputs import DatasetInput, log_inputs
from experiments.models import Run
from kernel.errors import NotFound
from runner.actions.jobs import launch
from runner.models import Job, Recipe
from runner.recipes import Draft, Input
from runner.recreating.likeness import changes, like
from runner.recreating.machines import unlike
from runner.working.facts_machine import this_machine
from runner.working.standing import about_here
from tests.factories import (
    a_batch,
    a_dataset,
    a_file,
    a_person,
    a_run,
    a_team,
    a_version,
    default_experiment,
    unique,
)

pytestmark = pytest.mark.django_db

COMMIT = "c" * 40
RECORDED = {
    "mlflow.source.name": "/home/ada/.venv/bin/python3.11 train.py --lr 0.1",
    "mlflow.source.git.commit": COMMIT,
    "mlflow.source.git.repoURL": "https://git.example.org/icu.git",
    "mlflow.source.git.dirty": "true",
    "mled.folder": "models",
    "mled.python": "3.11.9",
}


@pytest.fixture
def team():
    return a_team()


def a_recorded_run(team, *, without: str = "") -> Run:
    """A run as `mled run` records it, but for one thing."""
    run = a_run(
        team.scientist, tags={key: value for key, value in RECORDED.items() if without not in key or not without}
    )
    log_batch(team.scientist, run, batch=a_batch(params={"seed": "7"}, loss=[0.5]))
    if without != "patch":
        a_file(team.scientist, run, "code/changes.patch", b"--- a\n+++ b\n")
    if without != "packages":
        a_file(team.scientist, run, "environment/installed/requirements.txt", b"numpy==2.1.0\n")
    version = a_version(team.scientist, a_dataset(team.scientist, name="icu vitals"))
    log_inputs(team.scientist, run, inputs=[DatasetInput(version.dataset.name, version.digest[:36])])
    run.refresh_from_db()
    return run


def a_launched_run(team, **more) -> Job:
    """A run that was launched here, on data of its own."""
    version = a_version(team.scientist)
    draft = Draft(
        kind=Recipe.Kind.REPOSITORY,
        repository="https://git.example.org/icu.git",
        commit=COMMIT,
        words=["python", "train.py", "--lr", "{lr}"],
        params={"lr": 0.1},
        seed=7,
        inputs=[Input("train", version.pk, "train")],
        **more,
    )
    return launch(team.scientist, default_experiment(team.project), draft=draft, name=unique("launched"))


def test_a_run_of_elsewhere_is_rebuilt_from_its_record(team):
    run = a_recorded_run(team)
    found = like(team.scientist, run)
    assert (found.from_record, found.cannot) == (True, ())
    (version,) = found.wanted.pop("inputs").items()
    assert version == ("icu-vitals", str(run.inputs.get().dataset_version_id))
    assert found.wanted == {
        "repository": {"url": "https://git.example.org/icu.git", "commit": COMMIT},
        "code_of": run.uid.hex,
        "folder": "models",
        "words": ["python", "train.py", "--lr", "0.1"],
        "environment": {"requirements": "numpy==2.1.0\n", "python": "3.11"},
        "params": {},
        "seed": None,
        "network": False,
        "secrets": [],
    }
    assert any("/inputs/icu-vitals/" in words for words in found.differs)


@pytest.mark.parametrize(
    ("without", "words"),
    [
        ("commit", "Code: no full commit is recorded."),
        ("repoURL", "Code: no repository is named."),
        ("source.name", "Command: none is recorded."),
        ("patch", "Code: there were changes that were not committed, and they were not kept."),
        ("packages", "Packages: nothing says which were installed."),
    ],
)
def test_what_the_record_lacks_is_told_before_anything_starts(team, without, words):
    (told,) = like(team.scientist, a_recorded_run(team, without=without)).cannot
    assert told.startswith(words)


def test_a_secret_a_folder_of_another_machine_and_open_packages_are_told(team):
    run = a_recorded_run(team)
    tags = {"mlflow.source.name": "python t.py --token ***", "mlflow.source.git.repoURL": "/home/ada/icu"}
    log_batch(team.scientist, run, batch=a_batch(tags=tags))
    a_file(team.scientist, run, "environment/installed/requirements.txt", b"numpy>=2\n")
    found = like(team.scientist, run)
    assert [words.split(".")[0] for words in found.cannot] == [
        "Code: /home/ada/icu is a folder of another machine",
        "Command: it held a secret, which is not recorded",
    ]
    assert any("does not say every version" in words for words in found.differs)


def test_a_launched_run_is_known_by_its_recipe_and_recalled_data_and_lost_secrets_cannot_be_met(team):
    job = a_launched_run(team, secrets=("HUB_TOKEN",))
    found = like(team.scientist, job.run)
    assert (found.from_record, found.wanted["params"], found.wanted["seed"]) == (False, {"lr": 0.1}, 7)
    assert [words.split(".")[0] for words in found.cannot] == ["Secret: HUB_TOKEN is not kept in this project any more"]
    withdraw_version(team.scientist, job.recipe.inputs.get().version, reason="labels are wrong")
    first, _ = like(team.scientist, job.run).cannot
    assert "labels are wrong. Run it with changes" in first


def test_data_that_are_only_named_cannot_be_given(team):
    run = a_recorded_run(team)
    log_inputs(team.scientist, run, inputs=[DatasetInput("elsewhere", "d1", "s3", "s3://bucket/x")])
    (words,) = like(team.scientist, run).cannot
    assert "not stored here, only their digest and where they lay (s3://bucket/x)" in words


def test_who_does_not_see_the_run_learns_nothing(team):
    with pytest.raises(NotFound):
        like(a_person(), a_recorded_run(team))


def test_other_machines_are_told_and_the_same_are_not():
    then = {"mled.os": "Linux-6", "mled.hardware": "EPYC, 2 cores", "mled.python": "3.11.9"}
    same = {"system": "Linux-6", "hardware": "EPYC, 2 cores", "python": "3.11.9"}
    assert unlike(then, [same]) == []
    assert unlike(then, [{**same, "hardware": "Xeon"}]) == ["Hardware: EPYC, 2 cores then, Xeon now."]
    assert unlike(then, [same, {**same, "system": "Darwin"}]) == ["System: Linux-6 then, Darwin on some workers."]
    assert unlike({}, [same]) == []


def test_a_worker_says_of_its_machine_what_the_record_of_a_run_says(team):
    then = {**this_machine().tags(), "mled.python": platform.python_version()}
    assert unlike(then, [about_here()]) == []
    elsewhere = {**then, "mled.hardware": "EPYC, 64 cores"}
    assert unlike(elsewhere, [about_here()]) == [f"Hardware: EPYC, 64 cores then, {this_machine().hardware} now."]


def test_without_a_worker_of_the_queue_that_is_told(team):
    queue = unique("queue")
    differs = like(team.scientist, a_recorded_run(team), queue=queue).differs
    assert differs[-1] == f"Workers: none serves the queue “{queue}” just now; it waits until one does."


def test_changes_are_told_field_by_field_and_the_same_data_under_another_name_are_none(team):
    job = a_launched_run(team)
    found = like(team.scientist, job.run)
    version = job.recipe.inputs.get().version
    same = {**found.wanted, "inputs": {"train": str(version)}}
    assert changes(found, same) == []
    other = {**same, "params": {"lr": 0.2, "depth": 3}, "network": True, "seed": None}
    told = [(one.field, one.then, one.now) for one in changes(found, other)]
    assert told == [
        ("params.lr", "0.1", "0.2"),
        ("params.depth", "not set", "3"),
        ("seed", "7", "not set"),
        ("network", "off", "allowed"),
    ]
