"""Whoever was shown a single experiment learns nothing of the others in its project."""

import io
import json
import zipfile

import pytest
from django.test import Client

from audit.ledger.models import AuditEvent
from experiments.actions.batches import log_batch
from experiments.actions.experiments import grant_access
from experiments.actions.runs import create_run
from experiments.queries.record import counts_of
from kernel.actor import Actor
from tests.factories import a_batch, a_person, a_run, a_team, a_token, a_version, an_experiment, user_of
from tests.factories_runner import a_draft, a_job

pytestmark = pytest.mark.django_db


@pytest.fixture
def team():
    return a_team()


@pytest.fixture
def shown(team):
    return an_experiment(team.scientist, name="shown")


@pytest.fixture
def guest(team, shown) -> Actor:
    guest = a_person("Gil")
    grant_access(team.manager, shown, user=user_of(guest), reason="reviewer")
    return guest


def asked(person: Actor, path: str):
    client = Client()
    client.force_login(user_of(person), backend="accounts.backends.EmailBackend")
    return client.get(path)


def page(person: Actor, path: str) -> str:
    return asked(person, path).content.decode()


def of_rest(person: Actor, path: str):
    return Client(headers={"authorization": f"Bearer {a_token(person)[1]}"}).get(f"/api/v1/{path}").json()


def test_a_parent_in_another_experiment_is_not_named(team, shown, guest):
    parent = a_run(team.scientist, name="secret sweep")
    child = a_run(team.scientist, shown, tags={"mlflow.parentRunId": parent.uid.hex})
    assert "secret sweep" in page(team.scientist, f"/r/{child.uid.hex}/")
    seen = page(guest, f"/r/{child.uid.hex}/")
    assert child.name in seen
    assert "secret sweep" not in seen
    for path in (f"runs/{child.uid.hex}/", "runs/"):
        mine, theirs = of_rest(team.scientist, path), of_rest(guest, path)
        one = next(run for run in mine.get("results", [mine]) if run["id"] == child.uid.hex)
        assert one["parent"] == parent.uid.hex
        assert [run["parent"] for run in theirs.get("results", [theirs])] == [None]


def test_nested_runs_in_another_experiment_are_not_counted(team, shown, guest):
    parent = a_run(team.scientist, shown)
    for place in (shown, None):
        a_run(team.scientist, place, tags={"mlflow.parentRunId": parent.uid.hex})
    assert counts_of(team.scientist, parent).children == 2
    assert counts_of(guest, parent).children == 1


def test_what_a_guest_takes_out_is_theirs_and_on_record(team, shown, guest):
    run = create_run(team.scientist, shown, name="shown to Gil")
    other = a_run(team.scientist, name="of others")
    for one in (run, other):
        log_batch(team.scientist, one, batch=a_batch(loss=[0.5]))
    answer = asked(guest, "/runs/export.csv")
    assert answer.status_code == 200
    text = b"".join(answer).decode()
    assert "of others" not in text
    kept = AuditEvent.objects.filter(verb__startswith="experiments.note_export")
    assert [(one.verb, one.subject_id) for one in kept] == [("experiments.note_export_of", run.ledger_id)]


def test_the_bundle_of_a_run_tells_a_guest_nothing_of_its_data(team, shown, guest):
    version = a_version(team.scientist)
    run = a_job(team.scientist, shown, draft=a_draft(version)).run
    answer = asked(guest, f"/api/v1/runs/{run.uid.hex}/bundle/")
    assert answer.status_code == 200
    with zipfile.ZipFile(io.BytesIO(b"".join(answer))) as bundle:
        text = "".join(bundle.read(name).decode() for name in bundle.namelist())
        (name,) = (name for name in bundle.namelist() if name.endswith("bundle.json"))
        (data,) = json.loads(bundle.read(name))["data"]
    assert (data["name"], data["is_inside"], data["digest"], data["files"]) == ("train", False, "", [])
    assert not any(said in text for said in (version.dataset.name, version.digest, version.pk.hex, str(version.pk)))
