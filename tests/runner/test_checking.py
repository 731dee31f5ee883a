"""What is wanted, as every door says it: all problems at once, by field; nothing is written."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from artifacts.actions.aliases import set_dataset_alias
from artifacts.actions.recall import withdraw_version
from artifacts.models import VersionProfile
from experiments.actions.files import put_file
from kernel.errors import Invalid, InvalidFields
from runner.actions.jobs import launch
from runner.actions.rules import set_rules
from runner.actions.secrets import keep_secret
from runner.checking import checked
from runner.command_words import line_of, split
from runner.models import Environment, Recipe
from runner.recipes import Draft, Input
from runner.sweep_axes import Values
from runner.sweep_checking import checked_sweep
from runner.sweeping import plain_space, plan_of, read_space
from tests.factories import a_dataset, a_run, a_team, a_version, default_experiment
from tests.factories_runner import a_job, an_environment
from tests.runner.wanting import an_upload

pytestmark = pytest.mark.django_db

COMMIT = "0123456789abcdef0123456789abcdef01234567"
SCRIPT = {
    "repository": {"url": "https://git.example.org/team/code.git", "commit": COMMIT},
    "command": "python train.py",
}
CSV = {"train.csv": b"age,died\n71,1\n35,0\n"}


@pytest.fixture
def team():
    return a_team()


@pytest.fixture
def version(team):
    return a_version(team.scientist, a_dataset(team.scientist, name="icu-vitals"), files=CSV)


def draft_of(team, wanted: dict[str, Any], by: str = "scientist") -> Draft:
    return checked(getattr(team, by), team.project, wanted)


def problems_of(team, wanted: dict[str, Any], by: str = "scientist") -> dict[str, str]:
    with pytest.raises(InvalidFields) as told:
        draft_of(team, wanted, by)
    return {problem.field: str(problem) for problem in told.value.problems}


def test_a_trainer_on_a_dataset_has_all_that_it_needs(team, version):
    before = Recipe.objects.count(), Environment.objects.count()
    draft = draft_of(team, {"trainer": "tabular", "params": {"target": "died"}, "inputs": {"train": "icu-vitals v1"}})
    assert (draft.kind, draft.trainer, draft.seed) == (Recipe.Kind.TRAINER, "tabular", 0)
    assert draft.inputs == [Input("train", version.pk, "train")]
    assert draft.params["model"] == "boosting"
    assert (Recipe.objects.count(), Environment.objects.count()) == before
    first, second = (launch(team.scientist, default_experiment(team.project), draft=draft) for _ in range(2))
    assert first.recipe == second.recipe
    assert first.recipe.environment.lock.size_bytes == len(draft.packages.lock)


@pytest.mark.parametrize(
    "said", ["icu-vitals v1", "icu-vitals@v1", "icu-vitals@current", "icu-vitals", " icu-vitals  1 "]
)
def test_data_are_named_as_people_name_them(team, version, said):
    set_dataset_alias(team.scientist, version.dataset, name="current", version=version)
    assert draft_of(team, {**SCRIPT, "inputs": {"data": said}}).inputs == [Input("data", version.pk, "")]
    by_id = {"version": str(version.pk), "context": "calibration"}
    assert draft_of(team, {**SCRIPT, "inputs": {"data": by_id}}).inputs == [Input("data", version.pk, "calibration")]


def test_data_that_are_not_there_or_may_not_be_used_are_told(team, version):
    recalled = a_version(team.scientist, version.dataset, files={"train.csv": b"age,died\n1,1\n"})
    withdraw_version(team.scientist, recalled, reason="labels are wrong")
    theirs = a_version(a_team().scientist)
    told = problems_of(
        team,
        {
            **SCRIPT,
            "inputs": {
                "a": "icu-vital v1",
                "b": "icu-vitals v9",
                "c": "icu-vitals@best",
                "d": "icu-vitals v2",
                "e": str(theirs.pk),
                "f": theirs.dataset.name,
                "../g": "icu-vitals",
                "h": 7,
            },
        },
    )
    assert "Did you mean 'icu-vitals'?" in told["inputs.a"]
    assert "no version 9: its newest is 2" in told["inputs.b"]
    assert "'best' was found" in told["inputs.c"]
    assert "labels are wrong" in told["inputs.d"]
    assert told["inputs.e"].startswith("No ")
    assert "There is no dataset" in told["inputs.f"]
    assert "cannot be the name of an input" in told["inputs.../g"]
    assert "named by a text" in told["inputs.h"]


def test_everything_that_is_wrong_is_told_at_once(team):
    told = problems_of(
        team,
        {
            "trainer": "tabular",
            "paramz": {},
            "params": {"lr": 12},
            "seed": -1,
            "inputs": {"training": "x"},
            "resources": {"memory_mb": 10**9, "cpus": "many", "hats": 1},
            "network": True,
            "secrets": ["TOKEN"],
        },
    )
    assert list(told) == [
        "paramz", "params.target", "params.lr", "seed", "inputs.train", "inputs.training", "resources.memory_mb",
        "resources.cpus", "resources.hats", "network", "secrets",
    ], "in the order of the fields"  # fmt: skip
    assert "Did you mean 'params'?" in told["paramz"]
    assert told["params.lr"].startswith("lr: 12 is over the most, 1.")
    assert "16,384" in told["resources.memory_mb"]


def test_a_target_that_the_data_do_not_have_is_told_before_anything_starts(team, version):
    VersionProfile.objects.update_or_create(
        version=version,
        defaults={"state": VersionProfile.State.DONE, "columns": [{"name": "age"}, {"name": "died"}]},
    )
    wanted = {"trainer": "tabular", "inputs": {"train": "icu-vitals"}}
    told = problems_of(team, {**wanted, "params": {"target": "dead", "ignore": "age, sex"}})
    assert "Did you mean 'died'?" in told["params.target"]
    assert "no column 'sex'" in told["params.ignore"]
    assert draft_of(team, {**wanted, "params": {"target": "died", "ignore": "age"}}).params["ignore"] == "age"
    several = problems_of(team, {**wanted, "params": {"target": "z", "lr": 5}, "network": True})
    assert list(several) == ["params.target", "params.lr", "network"]


def test_code_of_a_repository_needs_an_address_without_secrets_and_a_whole_commit(team):
    draft = draft_of(team, {**SCRIPT, "folder": "src/", "command": "python -m train --lr {lr}", "params": {"lr": 0.1}})
    assert (draft.kind, draft.folder, draft.commit) == (Recipe.Kind.REPOSITORY, "src", COMMIT)
    assert list(draft.words) == ["python", "-m", "train", "--lr", "{lr}"]
    for url, words in (
        ("file:///etc", "no address"),
        ("--upload-pack=x", "no address"),
        ("https://ada:secret@git.example.org/x.git", "holds a password"),
        ("https://token@git.example.org/x.git", "holds a password"),
        ("", "as a text"),
    ):
        told = problems_of(team, {**SCRIPT, "repository": {"url": url, "commit": COMMIT}})
        assert words in told["repository.url"], url
    for url in ("git@git.example.org:team/code.git", "ssh://git@git.example.org/team/code"):
        assert draft_of(team, {**SCRIPT, "repository": {"url": url, "commit": COMMIT}}).repository == url
    told = problems_of(team, {**SCRIPT, "repository": {"url": "", "commit": "main"}, "folder": "../up"})
    assert set(told) == {"repository.url", "repository.commit", "folder"}
    assert set(problems_of(team, {**SCRIPT, "repository": "x", "trainer": "tabular"})) >= {"repository"}
    assert set(problems_of(team, {})) == {"trainer"}
    assert "no built-in trainer 'magic'" in problems_of(team, {"trainer": "magic"})["trainer"]


def test_a_command_may_not_speak_of_what_is_not_given(team):
    told = problems_of(team, {**SCRIPT, "command": "python train.py --lr {lrr} {seed}", "params": {"lr": 0.1}})
    assert "Did you mean 'lr'?" in told["params.lrr"]
    assert "'seed' that has no value" in told["params.seed"]
    told = problems_of(team, {**SCRIPT, "command": "python train.py {lr} {lrr}", "params": {"lr": 1}, "seed": "x",
                              "inputs": {"train": "nothing v9"}})  # fmt: skip
    assert list(told) == ["params.lrr", "seed", "inputs.train"]
    wanted = {**SCRIPT, "command": "python train.py {lr} {seed} {{x}} ${HOME}", "params": {"lr": 0.1}, "seed": "7"}
    assert draft_of(team, wanted).seed == 7
    assert "quotation mark" in problems_of(team, {**SCRIPT, "command": "python 'x"})["command"]
    assert "Say what to run" in problems_of(team, {"repository": SCRIPT["repository"]})["command"]


def test_uploaded_code_is_ones_own_and_whole(team):
    upload = an_upload(team.scientist, team.project, b"print(1)\n")
    draft = draft_of(team, {"code": str(upload.pk), "code_name": "train.py"})
    assert (draft.kind, draft.code, list(draft.words)) == (Recipe.Kind.FOLDER, upload.blob_id, ["python", "train.py"])
    bundle = draft_of(team, {"repository": {"commit": COMMIT}, "code": str(upload.pk), "command": "python x.py"})
    assert (bundle.kind, bundle.code, bundle.commit) == (Recipe.Kind.REPOSITORY, upload.blob_id, COMMIT)
    assert "no upload" in problems_of(team, {"code": str(upload.pk), "command": "x"}, by="engineer")["code"]
    assert "no upload" in problems_of(team, {"code": "nothing", "command": "x"})["code"]
    open_one = an_upload(team.scientist, team.project, b"print(1)\n", finished=False)
    assert "not finished" in problems_of(team, {"code": str(open_one.pk), "command": "x"})["code"]


def test_the_code_of_a_run_and_of_a_recipe_is_taken_again(team):
    job = a_job(team.scientist, default_experiment(team.project))
    again = draft_of(team, {"code_of": job.run.uid.hex, "params": {"lr": 1}})
    assert (again.repository, again.commit, list(again.words)) == (
        job.recipe.repository, job.recipe.commit, job.recipe.words,
    )  # fmt: skip
    assert draft_of(team, {"recipe": str(job.recipe_id), "params": {"lr": 2}}).commit == job.recipe.commit
    recorded = a_run(team.scientist)
    assert "No code is kept" in problems_of(team, {"code_of": recorded.uid.hex, "command": "x"})["code_of"]
    upload = an_upload(team.scientist, team.project, b"--- a\n+++ b\n")
    put_file(team.scientist, recorded, path="code/changes.patch", stored=upload.stored)
    assert draft_of(team, {**SCRIPT, "code_of": recorded.uid.hex}).patch == upload.blob_id
    other = a_team()
    theirs = a_job(other.scientist, default_experiment(other.project))
    assert problems_of(team, {"code_of": theirs.run.uid.hex, "command": "x"})["code_of"].startswith("No ")
    assert problems_of(team, {"recipe": str(theirs.recipe_id)})["recipe"].startswith("No ")


def test_packages_are_text_or_an_environment_of_the_project(team):
    draft = draft_of(team, {**SCRIPT, "environment": {"requirements": "numpy==2.4.6\n", "python": "3.12"}})
    assert (draft.packages.python, draft.packages.lock) == ("3.12", b"numpy==2.4.6\n")
    kept = an_environment(team.project)
    assert draft_of(team, {**SCRIPT, "environment": str(kept.pk)}).environment == kept.pk
    theirs = an_environment(a_team().project)
    for wrong in (str(theirs.pk), "x", 7):
        assert "No such environment" in problems_of(team, {**SCRIPT, "environment": wrong})["environment"]
    assert "environment.requirements" in problems_of(team, {**SCRIPT, "environment": {"requirements": "-e ."}})


def test_what_a_project_allows_decides(team):
    set_rules(team.manager, team.project, memory_mb_max=1024, allows_network=True)
    keep_secret(team.engineer, team.project, name="HF_TOKEN", value="a long enough value")
    draft = draft_of(team, {**SCRIPT, "network": True, "secrets": ["HF_TOKEN"], "resources": {"seconds": 60}})
    assert (draft.has_network, list(draft.secrets), draft.resources.seconds) == (True, ["HF_TOKEN"], 60)
    assert draft.resources.memory_mb == 1024  # the default is more than the project allows
    assert "1,024" in problems_of(team, {**SCRIPT, "resources": {"memory_mb": 2048}})["resources.memory_mb"]


@pytest.mark.parametrize(
    "wanted",
    [
        {"params": [], "inputs": [1], "resources": "x", "secrets": "A", "seed": [], "network": "maybe", "command": 7},
        {"params": {"a": {"b": 1}, "c": float("nan"), "d": 2**70, "": 1}, "words": ["python", 1]},
        {"repository": {"url": 1, "commit": 2}, "environment": {"requirements": 1, "lock": 2}},
        {"code": {"a": 1}, "folder": 9, "words": "python"},
        {"template": "x"}, {"template": {"a": 1}}, {"recipe": 1}, {"code_of": []}, {"trainer": ["tabular"]},
    ],
)  # fmt: skip
def test_whatever_json_it_is_it_is_told_and_never_falls(team, wanted):
    assert problems_of(team, wanted)
    assert problems_of(team, {**SCRIPT, "params": [1], "inputs": [1], **wanted})


@pytest.mark.parametrize("seed", ["9" * 5000, "²", "7.5", "-1"])
def test_a_seed_that_is_no_whole_number_is_told_however_it_is_written(team, seed):
    assert problems_of(team, {**SCRIPT, "seed": seed})["seed"].startswith("A seed is a whole number from 0 to")


def test_values_of_a_sweep_that_are_one_once_they_are_typed_are_one_point(team, version):
    wanted = {"trainer": "tabular", "params": {"target": "died"}, "inputs": {"train": "icu-vitals v1"}}
    plan = plan_of(space={"depth": '1, 1.0, "1", 2'})
    typed = checked_sweep(team.scientist, team.project, wanted, plan)[1]
    assert (plan.count(), typed.count(), typed.space) == (4, 2, {"depth": Values([1, 2])})
    assert read_space(plain_space(typed.space)) == typed.space
    with pytest.raises(Invalid, match="only 2 different runs"):
        checked_sweep(team.scientist, team.project, wanted, replace(plan, method="random", jobs_max=3))


def test_what_only_the_trainer_knows_is_told_beside_its_field_before_anything_starts(team):
    files = {"train-1.csv": b"age,died\n71,1\n35,0\n", "deep/test.csv": b"age,died\n5,1\n", "notes.txt": b"of 2025"}
    a_version(team.scientist, a_dataset(team.scientist, name="parts"), files=files)
    a_version(team.scientist, a_dataset(team.scientist, name="letters"), files={"notes.txt": b"of 2025"})
    wanted = {"trainer": "tabular", "inputs": {"train": "parts"}}

    def told(params: dict[str, Any], **inputs: str) -> dict[str, str]:
        one = {**wanted, "params": {"target": "died", **params}, "inputs": {**wanted["inputs"], **inputs}}
        return problems_of(team, one)

    both = told({"model": "mlp", "hidden": "a,b", "train_files": "nofile*.csv", "eval_files": "never.csv", "lr": 12})
    assert set(both) == {"params.hidden", "params.train_files", "params.eval_files", "params.lr"}
    assert both["params.hidden"].startswith("hidden: 'a,b' are no sizes of layers. Write them as in 64,32.")
    assert (
        "no table by the name nofile*.csv among the data: test.csv, notes.txt, train-1.csv."
        in both["params.train_files"]
    )
    assert "by the name never.csv" in told({"eval_files": "never.csv"})["params.eval_files"]
    assert "beside *.csv, which is judged by" in told({"eval_files": "*.csv"})["params.eval_files"]
    assert "no table among the data: notes.txt" in told({}, eval="letters")["inputs.eval"]
    assert "no table among the data: notes.txt" in told({}, train="letters")["inputs.train"]
    fine = {"target": "died", "hidden": "a,b", "train_files": "train*.csv", "eval_files": "deep/*.csv"}
    assert draft_of(team, {**wanted, "params": fine}).params["hidden"] == "a,b"  # only a network has layers


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["python", "train.py", "--lr", "{lr}"], "python train.py --lr {lr}"),
        (["sh", "-c", "echo {lr} $HOME"], "sh -c 'echo {lr} $HOME'"),
        (["x={a.b}", "{a,b}", "", "it's"], """x={a.b} '{a,b}' '' 'it'"'"'s'"""),
    ],
)
def test_a_command_is_shown_as_people_type_it_and_read_again_as_it_was(words, line):
    assert line_of(words) == line
    assert split(line) == words
