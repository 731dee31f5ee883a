"""Secrets: set, replaced, removed by name; what they hold reaches the job that names them and nobody else."""

import json

import pytest
from django.core import serializers
from django.test import Client, override_settings

from accounts.actions.projects import grant_sight
from audit.ledger.models import AuditPayload
from kernel.actor import Actor, system
from kernel.errors import Conflict, Invalid, NotFound, Refused
from runner.actions.secrets import SECRETS_MAX, VALUE_MAX, keep_secret, remove_secret
from runner.actions.templates import keep_template
from runner.models import Job, Secret
from runner.queries.secrets import secrets_of, values_of
from runner.sealing import keys
from tests.factories import Team, a_person, a_team, again, default_experiment, events_since, user_of
from tests.factories_runner import a_draft, a_job

pytestmark = pytest.mark.django_db
VALUE = "hunter2-ünïcode\nsecond line"


@pytest.fixture
def team() -> Team:
    return a_team()


def as_person(actor: Actor) -> Client:
    client = Client()
    client.force_login(user_of(actor), backend="accounts.backends.EmailBackend")
    return client


def a_job_with(team: Team, *names: str) -> Job:
    return a_job(team.scientist, default_experiment(team.project), draft=a_draft(secrets=names))


def test_a_job_is_given_the_secrets_that_its_recipe_names(team):
    keep_secret(team.engineer, team.project, name="HUB_TOKEN", value=VALUE)
    keep_secret(team.manager, team.project, name="OTHER", value="x")
    assert values_of(system(), a_job_with(team, "HUB_TOKEN")) == {"HUB_TOKEN": VALUE}
    assert values_of(system(), a_job_with(team)) == {}


def test_another_value_takes_its_place_and_the_old_one_is_gone(team):
    first = keep_secret(team.engineer, team.project, name="HUB_TOKEN", value="old")
    second = keep_secret(team.manager, team.project, name="HUB_TOKEN", value="new")
    assert values_of(system(), a_job_with(team, "HUB_TOKEN")) == {"HUB_TOKEN": "new"}
    first.refresh_from_db()
    assert (first.sealed, first.removed_at is not None) == ("", True)
    (listed,) = secrets_of(team.scientist, team.project)
    assert (listed.pk, listed.created_by_id) == (second.pk, team.manager.user_id)


def test_a_removed_one_is_missed_by_the_job_that_names_it(team):
    keep_secret(team.engineer, team.project, name="HUB_TOKEN", value="x")
    job = a_job_with(team, "HUB_TOKEN")
    remove_secret(team.engineer, team.project, name="HUB_TOKEN")
    assert list(secrets_of(team.engineer, team.project)) == []
    with pytest.raises(Conflict, match="'HUB_TOKEN' is not kept"):
        values_of(system(), job)
    with pytest.raises(NotFound):
        remove_secret(team.engineer, team.project, name="HUB_TOKEN")


def test_nobody_reads_it_neither_in_rows_nor_in_the_log(team):
    (event,) = events_since(lambda: keep_secret(team.engineer, team.project, name="HUB_TOKEN", value="hunter2"))
    stored = Secret.objects.get(project=team.project)
    body = AuditPayload.objects.get(pk=event.event.pk).body
    assert "hunter2" not in serializers.serialize("json", [stored])
    assert "hunter2" not in body
    assert stored.sealed not in body
    assert "HUB_TOKEN" in json.dumps(event.changes)
    for who in (team.engineer, team.manager, team.administrator):
        with pytest.raises(Refused, match="read by nobody"):
            values_of(who, a_job_with(team))


def test_it_is_opened_with_the_key_that_sealed_it_also_an_earlier_one(team):
    keep_secret(team.engineer, team.project, name="HUB_TOKEN", value="x")
    job, before = a_job_with(team, "HUB_TOKEN"), keys()
    with override_settings(SECRET_KEY="k" * 60, SECRET_KEY_FALLBACKS=[]):
        with pytest.raises(Conflict, match="cannot be opened"):
            values_of(system(), job)
        with override_settings(MLED_SECRETS_KEYS=before):
            assert values_of(system(), job) == {"HUB_TOKEN": "x"}


def test_who_may_not_keep_them_is_refused_and_a_stranger_finds_no_project(team):
    for who in (team.scientist, team.auditor):
        with pytest.raises(Refused):
            keep_secret(who, team.project, name="A", value="x")
        with pytest.raises(Refused):
            remove_secret(who, team.project, name="A")
    stranger = a_person()
    with pytest.raises(NotFound):
        keep_secret(stranger, team.project, name="A", value="x")
    with pytest.raises(NotFound):
        secrets_of(stranger, team.project)


@pytest.mark.parametrize(
    "name", ["", "lower", "1A", "A-B", "A" * 61, "A\n", "PATH", "MLFLOW_TRACKING_TOKEN", "MLED_URL", "LD_PRELOAD", "Ä"]
)
def test_a_name_is_that_of_a_variable_which_is_free(team, name):
    with pytest.raises(Invalid) as refused:
        keep_secret(team.engineer, team.project, name=name, value="x")
    assert refused.value.field == "name"


@pytest.mark.parametrize("value", ["", "a\x00b", "\ud800", "x" * (VALUE_MAX + 1), "ü" * VALUE_MAX])
def test_a_value_is_text_of_some_length(team, value):
    with pytest.raises(Invalid) as refused:
        keep_secret(team.engineer, team.project, name="A", value=value)
    assert refused.value.field == "value"
    assert value[:3] not in str(refused.value) or value in ("", "a\x00b")


def test_a_project_keeps_no_more_than_some(team, monkeypatch):
    monkeypatch.setattr("runner.actions.secrets.SECRETS_MAX", 2)
    assert SECRETS_MAX > 2
    for name in ("A", "B"):
        keep_secret(team.engineer, team.project, name=name, value="x")
    with pytest.raises(Conflict, match="at most 2"):
        keep_secret(team.engineer, team.project, name="C", value="x")
    keep_secret(team.engineer, team.project, name="A", value="y")


def test_guests_see_no_names_of_secrets(team):
    """A recipe shows them to who may launch, keep or review them, and to nobody else, through pages and REST."""
    for name in ("HUB_TOKEN", "GIT_TOKEN"):
        keep_secret(team.engineer, team.project, name=name, value="x")
    repository = {"url": "https://git.example.org/beds.git", "commit": "0" * 40, "secret": "GIT_TOKEN"}
    draft = {"repository": repository, "command": "python a.py", "secrets": ["HUB_TOKEN"], "params": {"secret": "1"}}
    kept = keep_template(team.scientist, team.project, name="beds", description="", draft=draft, schema=None)
    job, guest = a_job_with(team, "HUB_TOKEN"), a_person("Gus")
    grant_sight(team.manager, team.project, user=user_of(guest), reason="reviewer")
    home = f"/api/v1/projects/{team.project.slug}"
    job_page, settings = f"/p/{team.project.slug}/jobs/{job.pk}/", f"/p/{team.project.slug}/settings/jobs/"
    recipe, template = f"/api/v1/recipes/{job.recipe_id}/", f"/api/v1/run-templates/{kept.pk}/"
    pages = (recipe, template, f"{home}/run-templates/", job_page, settings)
    for actor in (team.scientist, team.manager, team.auditor):
        client = as_person(actor)
        assert [one["name"] for one in client.get(f"{home}/secrets/").json()["results"]] == ["GIT_TOKEN", "HUB_TOKEN"]
        assert client.get(recipe).json()["secrets"] == ["HUB_TOKEN"]
        assert client.get(template).json()["draft"]["repository"]["secret"] == "GIT_TOKEN"
        assert "HUB_TOKEN" in client.get(job_page).content.decode()
    client = as_person(again(guest))
    assert client.get(f"{home}/secrets/").status_code == 403
    for path in pages:
        answer = client.get(path)
        assert answer.status_code == 200, path
        assert "HUB_TOKEN" not in answer.content.decode(), path
        assert "GIT_TOKEN" not in answer.content.decode(), path
    assert client.get(template).json()["draft"]["params"] == {"secret": "1"}
