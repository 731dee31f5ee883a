"""Registered models, versions, aliases, cards and files over REST."""

import pytest
from django.test import Client

from accounts.actions.governance import govern_project
from kernel.actor import operator
from registry.models import ModelVersion
from tests import factories as make
from tests.factories_registry import FILE, a_logged_model, a_registered_model, a_version
from tests.rest.conftest import Api, token_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def team():
    return make.a_team()


@pytest.fixture
def api(team):
    return Api(token_of(make.user_of(team.engineer)))


@pytest.fixture
def models(team):
    return f"projects/{team.project.slug}/models/"


def test_a_model_is_registered_read_changed_and_deleted(api, models):
    made = api.post(models, {"name": "credit", "description": "who pays", "tags": {"team": "risk"}}, expecting=201)
    assert (made["name"], made["tags"], made["aliases"], made["latest"]) == ("credit", {"team": "risk"}, {}, {})
    assert api.post(models, {"name": "credit"}, expecting=409)["code"] == "ALREADY_EXISTS"
    assert api.post(models, {"name": "a/b"}, expecting=400)["field"] == "name"
    assert api.get(f"{models}credit/") == made
    changed = api.send("PATCH", f"{models}credit/", {"name": "credit 2", "description": "who pays back"})
    assert (changed["name"], changed["description"]) == ("credit 2", "who pays back")
    assert [one["name"] for one in api.get(models)["results"]] == ["credit 2"]
    assert api.client.delete(f"/api/v1/{models}credit%202/").status_code == 204
    api.get(f"{models}credit 2/", expecting=404)
    assert api.get(models)["results"] == []


def test_a_version_is_made_of_a_run_and_its_files_are_downloaded(api, models, team):
    version = a_version(team.scientist, a_registered_model(team.scientist, team.project, name="credit"))
    again = api.post(
        f"{models}credit/versions/",
        {"source": version.source, "run": version.run.readable_id, "description": "again", "tags": {"k": "v"}},
        expecting=201,
    )
    assert (again["number"], again["run"], again["is_outside"]) == (2, version.run.uid.hex, False)
    assert (again["description"], again["tags"], again["stage"]) == ("again", {"k": "v"}, "None")
    assert again["download_address"].endswith(f"/{version.run.uid.hex}/artifacts/model")
    assert [one["number"] for one in api.get(f"{models}credit/versions/")["results"]] == [2, 1]
    [file] = api.get(f"{models}credit/versions/2/files/")
    assert (file["path"], file["size_bytes"]) == ("MLmodel", len(FILE))
    answer = api.client.get(f"/api/v1/{models}credit/versions/2/files/MLmodel")
    assert answer.getvalue() == FILE
    assert answer["X-Content-Type-Options"] == "nosniff"
    api.get(f"{models}credit/versions/2/files/../../MLmodel", expecting=400)
    api.get(f"{models}credit/versions/2/files/nothing", expecting=404)
    api.get(f"{models}credit/versions/3/", expecting=404)


def test_a_version_of_a_logged_model_and_one_outside(api, models, team):
    logged = a_logged_model(team.scientist, make.a_run(team.scientist))
    a_registered_model(team.scientist, team.project, name="credit")
    inside = api.post(
        f"{models}credit/versions/",
        {"source": f"models:/{logged.model_id}", "logged_model": logged.model_id},
        expecting=201,
    )
    assert (inside["logged_model"], inside["run"]) == (logged.model_id, logged.source_run.uid.hex)
    outside = api.post(f"{models}credit/versions/", {"source": "s3://bucket/model"}, expecting=201)
    assert (outside["is_outside"], outside["download_address"]) == (True, "s3://bucket/model")
    assert api.get(f"{models}credit/versions/2/files/") == []
    assert api.post(f"{models}credit/versions/", {"source": "/etc"}, expecting=400)["field"] == "source"


def test_aliases_and_stages_move(api, models, team):
    model = a_registered_model(team.scientist, team.project, name="credit")
    for _ in range(2):
        a_version(team.scientist, model)
    assert api.send("PUT", f"{models}credit/aliases/best/", {"version": 1}) == {"alias": "best", "version": 1}
    assert api.send("PUT", f"{models}credit/aliases/best/", {"version": 2})["version"] == 2
    assert api.get(f"{models}credit/aliases/best/")["version"] == 2
    api.send("PUT", f"{models}credit/aliases/best/", {"version": 9}, expecting=404)
    api.send("PUT", f"{models}credit/aliases/v1/", {"version": 1}, expecting=400)
    moved = api.post(f"{models}credit/versions/1/stage/", {"stage": "Production"})
    assert moved["stage"] == "Production"
    assert api.get(f"{models}credit/")["latest"] == {"None": 2, "Production": 1}
    assert api.get(f"{models}credit/")["aliases"] == {"best": 2}
    assert api.client.delete(f"/api/v1/{models}credit/aliases/best/").status_code == 204
    api.get(f"{models}credit/aliases/best/", expecting=404)


def test_a_protected_alias_says_how_to_ask(api, models, team):
    govern(team)
    a_version(team.scientist, a_registered_model(team.scientist, team.project, name="credit"))
    refusal = api.send("PUT", f"{models}credit/aliases/champion/", {"version": 1}, expecting=403)
    assert refusal["code"] == "PERMISSION_DENIED"
    assert f"/api/v1/projects/{team.project.slug}/promotions/" in refusal["hint"]
    assert f"/p/{team.project.slug}/models/credit/" in refusal["hint"]


def govern(team):
    govern_project(operator(), team.project, is_governed=True, protected_names=["champion"])


def test_tags_are_set_and_removed(api, models, team):
    a_version(team.scientist, a_registered_model(team.scientist, team.project, name="credit"))
    assert api.post(f"{models}credit/tags/", {"tags": {"a b": "1", "c": ""}})["tags"] == {"a b": "1", "c": ""}
    assert api.post(f"{models}credit/versions/1/tags/", {"tags": {"k": "v"}})["tags"] == {"k": "v"}
    for path in ("credit/tags/a b/", "credit/versions/1/tags/k/", "credit/tags/nothing/"):
        assert api.client.delete(f"/api/v1/{models}{path}").status_code == 204
    assert api.get(f"{models}credit/")["tags"] == {"c": ""}
    assert api.get(f"{models}credit/versions/1/")["tags"] == {}


def test_a_card_is_written_section_by_section(api, models, team):
    a_version(team.scientist, a_registered_model(team.scientist, team.project, name="credit"))
    before = api.get(f"{models}credit/versions/1/card/")
    after = api.send("PUT", f"{models}credit/versions/1/card/limits/", {"text": "Fails on new customers."})
    assert after["gaps"] == before["gaps"] - 1
    [limits] = [section for section in after["sections"] if section["key"] == "limits"]
    assert (limits["text"], limits["is_gap"]) == ("Fails on new customers.", False)
    assert limits["written_by"] == make.user_of(team.engineer).name
    api.send("PUT", f"{models}credit/versions/1/card/poetry/", {"text": "x"}, expecting=400)


def test_a_version_is_described_and_deleted(api, models, team):
    a_version(team.scientist, a_registered_model(team.scientist, team.project, name="credit"))
    assert api.send("PATCH", f"{models}credit/versions/1/", {"description": "x"})["description"] == "x"
    assert api.client.delete(f"/api/v1/{models}credit/versions/1/").status_code == 204
    assert ModelVersion.objects.get(model__name="credit", model__project=team.project).is_deleted


def test_whoever_only_reads_writes_nothing(models, team):
    a_version(team.scientist, a_registered_model(team.scientist, team.project, name="credit"))
    auditor = Api(token_of(make.user_of(team.auditor)))
    assert auditor.get(f"{models}credit/versions/1/card/")["gaps"] > 0
    auditor.post(models, {"name": "mine"}, expecting=403)
    auditor.send("PUT", f"{models}credit/aliases/best/", {"version": 1}, expecting=403)
    assert auditor.client.delete(f"/api/v1/{models}credit/").status_code == 403
    assert Client().get(f"/api/v1/{models}").status_code == 401
