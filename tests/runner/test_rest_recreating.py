"""Doing a run again over REST: asked first, done, repeated, refused."""

from __future__ import annotations

import uuid

import pytest
from django.test import Client

from experiments.actions.runs import update_run
from experiments.models import Run
from experiments.values import RunStatus
from runner.models import Job
from tests.factories import a_team, a_token, a_version, default_experiment
from tests.factories_runner import a_draft, a_job

pytestmark = pytest.mark.django_db


@pytest.fixture
def team():
    return a_team()


@pytest.fixture
def run(team) -> Run:
    made = a_job(team.scientist, default_experiment(team.project), draft=a_draft(a_version(team.scientist)), name="gru")
    return update_run(team.scientist, made.run, status=RunStatus.FINISHED)


def asked(actor, run: Run, method: str = "post", **body):
    """The answer of /runs/<id>/recreations/ to somebody's token."""
    headers = {"Authorization": f"Bearer {a_token(actor)[1]}", **body.pop("headers", {})}
    call = getattr(Client(headers=headers), method)
    where = f"/api/v1/runs/{run.readable_id}/recreations/"
    return call(where, body, content_type="application/json") if method == "post" else call(where)


def test_a_dry_run_says_what_would_happen_and_does_nothing(team, run):
    other = a_version(team.scientist)
    told = asked(team.engineer, run, dry_run=True, changes={"inputs": {"train": str(other)}, "seed": 8}).json()
    assert (told["job"], told["conditions"]["can_be_met"], told["conditions"]["cannot"]) == (None, True, [])
    first = run.inputs.get().dataset_version
    assert told["changes"] == [
        {"name": "seed", "then": "7", "now": "8"},
        {"name": "inputs.train", "then": str(first), "now": str(other)},
    ]
    assert Job.objects.filter(project=team.project).count() == 1


def test_it_is_done_once_for_each_key_and_listed_with_what_came_out(team, run):
    key = {"Idempotency-Key": uuid.uuid4().hex}
    answers = [asked(team.engineer, run, headers=key, name="once more") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    (made,) = Job.objects.filter(reproduces=run)
    assert answers[0].json()["job"]["run_id"] == made.run.uid.hex
    (listed,) = asked(team.auditor, run, "get").json()
    assert (listed["readable_id"], listed["with_changes"], listed["kept"]) == (made.run.readable_id, False, None)


def test_what_cannot_be_done_is_refused_in_words(team, run):
    assert asked(team.auditor, run).status_code == 403
    for actor in (team.auditor, team.manager):  # a recipe with the names of secrets is for who may launch
        assert asked(actor, run, dry_run=True).status_code == 403
    assert asked(a_team().scientist, run).status_code == 404
    wrong = asked(team.scientist, run, changes={"params": {"lr": 1}, "resources": {"memory_mb": -1}, "colour": "red"})
    assert wrong.status_code == 400
    assert {one["field"] for one in wrong.json()["problems"]} == {"resources.memory_mb", "colour"}
    assert asked(team.scientist, run, changes={"command": "python 'x"}).status_code == 400
    assert asked(team.scientist, run, changes=["x"]).status_code == 400
    forms = {"params": [1], "inputs": [1], "resources": 5, "repository": "x", "secrets": 5, "words": 5}
    assert {one["field"] for one in asked(team.scientist, run, changes=forms).json()["problems"]} == set(forms)
    odd = {"repository": {"commit": 5}, "resources": {"cpus": 10**400}, "seed": {}, "environment": 5, "command": 5}
    assert asked(team.scientist, run, changes=odd).status_code == 400
    assert asked(team.scientist, run, changes=odd, dry_run=True).status_code == 200
    waiting = asked(team.scientist, run).json()["job"]["run_id"]
    again = asked(team.scientist, Run.objects.select_related("project").get(uid=waiting))
    assert (again.status_code, "is not over yet" in again.json()["title"]) == (409, True)
