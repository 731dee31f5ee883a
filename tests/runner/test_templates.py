"""Templates: kept, changed and retired by those who may, checked as far as they go, and launched from."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from accounts.roles import Scope
from kernel.errors import AlreadyExists, Conflict, InvalidFields, NotFound, Refused
from runner.actions.environments import keep_environment
from runner.actions.jobs import launch
from runner.actions.templates import change_template, keep_template, retire_template
from runner.checking import checked, schema_of
from runner.models import Environment, Template
from runner.queries.recipes import find_environment, find_recipe, visible_environments
from runner.queries.templates import find_template, templates_of
from tests.factories import a_person, a_team, a_token, a_version, default_experiment
from tests.factories_runner import a_job
from tests.runner.wanting import an_upload

pytestmark = pytest.mark.django_db

LR = {"name": "lr", "type": "number", "default": 0.1, "least": 0.001, "most": 1, "scale": "log"}
DRAFT: dict[str, Any] = {
    "repository": {"url": "https://git.example.org/team/beds.git", "commit": "ab" * 20},
    "command": "python train.py --lr {lr}",
    "environment": {"requirements": "numpy==2.4.6\n"},
    "resources": {"memory_mb": 512},
}


@pytest.fixture
def team():
    return a_team()


def kept(team, name: str = "Beds", **more: Any) -> Template:
    return keep_template(team.scientist, team.project, **({"name": name, "draft": DRAFT, "schema": [LR]} | more))


def test_a_template_leaves_open_what_is_given_when_it_is_launched(team):
    version = a_version(team.scientist)
    template = kept(team, draft=DRAFT | {"inputs": {"eval": version.dataset.name}})
    environment = Environment.objects.get(project=team.project)
    assert template.draft["environment"] == str(environment.pk)
    assert [one.name for one in schema_of(team.engineer, team.project, {"template": str(template.pk)})] == ["lr"]
    wanted = {"template": str(template.pk), "params": {"lr": "0.5"}, "inputs": {"train": str(version.pk)}, "seed": 3}
    draft = checked(team.engineer, team.project, wanted)
    assert (draft.params, draft.seed, draft.resources.memory_mb) == ({"lr": 0.5}, 3, 512)
    assert sorted(one.name for one in draft.inputs) == ["eval", "train"]
    job = launch(team.engineer, default_experiment(team.project), draft=draft)
    assert job.recipe.environment == environment
    with pytest.raises(InvalidFields) as told:
        checked(team.engineer, team.project, {"template": str(template.pk), "params": {"lr": 7, "rate": 1}})
    assert [problem.field for problem in told.value.problems] == ["params.lr", "params.rate"]
    by_words = checked(team.engineer, team.project, {"template": str(template.pk), "words": ["python", "other.py"]})
    assert list(by_words.words) == ["python", "other.py"]


def test_uploaded_code_stays_with_the_template(team):
    upload = an_upload(team.scientist, team.project, b"print(1)\n")
    template = kept(team, draft={"code": str(upload.pk), "code_name": "train.py", "params": {"n": 3}}, schema=None)
    assert set(template.draft) == {"recipe", "params"}
    assert template.schema == [{"name": "n", "type": "integer", "default": 3}]
    draft = checked(team.engineer, team.project, {"template": str(template.pk)})
    assert (draft.code, list(draft.words), draft.params) == (upload.blob_id, ["python", "train.py"], {"n": 3})


def test_a_template_of_a_trainer_has_the_trainers_parameters(team):
    template = kept(team, draft={"trainer": "tabular", "params": {"model": "mlp"}}, schema=None)
    assert (template.schema, template.draft) == ([], {"trainer": "tabular", "params": {"model": "mlp"}})
    version = a_version(team.scientist)
    wanted = {"template": str(template.pk), "params": {"target": "age"}, "inputs": {"train": str(version.pk)}}
    draft = checked(team.engineer, team.project, wanted)
    assert (draft.trainer, draft.params["model"], draft.params["target"]) == ("tabular", "mlp", "age")
    with pytest.raises(Exception, match="declares its parameters itself"):
        kept(team, "Other", draft={"trainer": "tabular"}, schema=[LR])


def test_what_is_wrong_is_told_at_once_and_nothing_is_kept(team):
    wrong = DRAFT | {"repository": {"url": "x", "commit": "main"}, "seed": -1, "command": "python {lrr}", "hat": 1}
    with pytest.raises(InvalidFields) as told:
        kept(team, draft=wrong)
    assert {problem.field for problem in told.value.problems} == {
        "repository.url", "repository.commit", "seed", "hat", "params.lrr"
    }  # fmt: skip
    for more, words in (
        ({"draft": DRAFT | {"command": "python {lrr}"}}, "'lrr' that has no value"),
        ({"draft": {"template": "x"}}, "names no other template"),
        ({"draft": {}}, "Say what to run"),
        ({"schema": [{"name": "lr", "type": "date"}]}, "a type is one of"),
        ({"name": " "}, "1 to 120 characters"),
        ({"description": "x" * 5001}, "at most 5,000"),
    ):
        with pytest.raises(Exception, match=words):
            kept(team, **({"name": "Beds"} | more))
    assert not templates_of(team.scientist, team.project).exists()
    assert not Environment.objects.filter(project=team.project).exists()


def test_names_are_free_again_once_a_template_is_retired(team):
    first = kept(team)
    with pytest.raises(AlreadyExists, match="already"):
        kept(team)
    second = kept(team, "Other")
    with pytest.raises(AlreadyExists):
        change_template(team.scientist, second, name="Beds")
    gone = retire_template(team.engineer, first)
    assert retire_template(team.engineer, first).retired_at == gone.retired_at
    with pytest.raises(Conflict, match="was retired"):
        change_template(team.scientist, first, name="Again")
    with pytest.raises(InvalidFields, match="was retired"):
        checked(team.scientist, team.project, {"template": str(first.pk)})
    changed = change_template(team.scientist, second, name="Beds", description="Monthly.")
    assert (changed.name, changed.draft, changed.schema) == ("Beds", second.draft, second.schema)
    assert [one.name for one in templates_of(team.auditor, team.project)] == ["Beds"]
    assert templates_of(team.auditor, team.project, retired=True).count() == 2


def test_who_may_keep_templates_and_who_may_not(team):
    template = kept(team)
    for reader in (team.manager, team.auditor):
        for act in (
            lambda reader=reader: keep_template(reader, team.project, name="Mine", draft=DRAFT),
            lambda reader=reader: change_template(reader, template, name="Mine"),
            lambda reader=reader: retire_template(reader, template),
            lambda reader=reader: keep_environment(
                reader, team.project, kind=Environment.Kind.REQUIREMENTS, python="3.11", lock=b"numpy==2\n"
            ),
        ):
            with pytest.raises(Refused):
                act()
    stranger = a_person()
    for act in (lambda: retire_template(stranger, template), lambda: find_template(stranger, template.pk)):
        with pytest.raises(NotFound):
            act()
    assert not templates_of(stranger, team.project).exists()


def test_recipes_and_environments_are_seen_where_their_project_is(team):
    job = a_job(team.scientist, default_experiment(team.project))
    kept(team)
    environment = Environment.objects.get(project=team.project)
    assert find_recipe(team.auditor, job.recipe_id) == job.recipe
    assert list(visible_environments(team.manager, team.project)) == [environment]
    for act in (
        lambda: find_recipe(a_person(), job.recipe_id),
        lambda: find_environment(a_person(), environment.pk),
        lambda: find_recipe(team.scientist, environment.pk),
        lambda: find_environment(team.scientist, environment.pk, project=a_team().project),
    ):
        with pytest.raises(NotFound):
            act()


# --- Over REST


class Caller:
    def __init__(self, actor) -> None:
        self.headers = {"Authorization": f"Bearer {a_token(actor, scopes=list(Scope))[1]}"}

    def __call__(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        sent = b"" if body is None else json.dumps(body).encode()
        answer = Client().generic(method, f"/api/v1/{path}", sent, "application/json", headers=self.headers)
        return answer.status_code, answer.json()


def test_templates_are_kept_read_changed_and_retired_over_rest(team):
    call, slug = Caller(team.scientist), team.project.slug
    status, made = call("POST", f"projects/{slug}/run-templates/", {"name": "Beds", "draft": DRAFT, "schema": [LR]})
    assert (status, made["schema"], made["draft"]["command"]) == (201, [LR], DRAFT["command"])
    assert call("GET", f"run-templates/{made['id']}/")[1] == made
    status, changed = call("PATCH", f"run-templates/{made['id']}/", {"description": "Monthly."})
    assert (status, changed["description"], changed["draft"]) == (200, "Monthly.", made["draft"])
    assert [one["name"] for one in call("GET", f"projects/{slug}/run-templates/")[1]["results"]] == ["Beds"]
    status, told = call("POST", f"projects/{slug}/run-templates/", {"name": "B", "draft": {"trainer": "t", "seed": -1}})
    assert status == 400
    assert {one["field"] for one in told["problems"]} == {"trainer", "seed"}
    assert call("DELETE", f"run-templates/{made['id']}/")[0] == 200
    assert call("GET", f"projects/{slug}/run-templates/")[1]["results"] == []
    assert len(call("GET", f"projects/{slug}/run-templates/?retired=true")[1]["results"]) == 1
    assert call("PATCH", f"run-templates/{made['id']}/", {"name": "x"})[0] == 409
    assert Caller(team.auditor)("POST", f"projects/{slug}/run-templates/", {"name": "x", "draft": DRAFT})[0] == 403


def test_trainers_recipes_and_environments_are_read_over_rest(team):
    call, slug = Caller(team.scientist), team.project.slug
    trainers = call("GET", "trainers/")[1]["results"]
    assert call("GET", "trainers/tabular/")[1] == trainers[0]
    assert [one["name"] for one in trainers[0]["inputs"]] == ["train", "eval"]
    assert call("GET", "trainers/magic/")[0] == 404
    sent = {"requirements": "numpy==2.4.6\n"}
    status, made = call("POST", f"projects/{slug}/environments/", sent)
    assert (status, call("POST", f"projects/{slug}/environments/", sent)[1]["id"]) == (201, made["id"])
    assert call("GET", f"environments/{made['id']}/")[1]["text"] == "numpy==2.4.6\n"
    assert [one["id"] for one in call("GET", f"projects/{slug}/environments/")[1]["results"]] == [made["id"]]
    assert call("POST", f"projects/{slug}/environments/", {"requirements": "-e ."})[0] == 400
    version = a_version(team.scientist)
    wanted = {"trainer": "tabular", "params": {"target": "age"}, "inputs": {"train": str(version.pk)}}
    job = launch(team.scientist, default_experiment(team.project), draft=checked(team.scientist, team.project, wanted))
    told = call("GET", f"recipes/{job.recipe_id}/")[1]
    assert (told["trainer"], told["inputs"][0]["digest"]) == ("tabular", version.digest)
    assert told["environment"]["id"] == str(job.recipe.environment_id)
    assert Caller(a_team().scientist)("GET", f"recipes/{job.recipe_id}/")[0] == 404
