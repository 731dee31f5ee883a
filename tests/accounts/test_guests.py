"""Guests of a single project or experiment, let in and out through the API; and a project's name through it."""

from __future__ import annotations

import pytest
from django.core.cache import cache
from django.test import Client

from accounts.models import Project
from experiments.queries.experiments import wire_id
from kernel.actor import Actor
from tests.factories import Team, a_person, a_run, a_team, an_experiment, events, user_of


@pytest.fixture
def team(db) -> Team:
    cache.clear()
    return a_team()


def as_person(actor: Actor) -> Client:
    client = Client()
    client.force_login(user_of(actor), backend="accounts.backends.EmailBackend")
    return client


def at(team: Team, rest: str = "") -> str:
    return f"/api/v1/projects/{team.project.slug}/{rest}"


def post(client: Client, path: str, **body: str):
    return client.post(path, body, content_type="application/json")


def test_a_manager_lets_a_guest_into_a_project_and_out_again(team):
    guest, manager = a_person("Gus"), as_person(team.manager)
    run = a_run(team.scientist)
    assert as_person(guest).get(f"/api/v1/runs/{run.uid.hex}/").status_code == 404
    made = post(manager, at(team, "guests/"), email=user_of(guest).email, reason="reviewer")
    assert (made.status_code, made.json()["id"]) == (201, str(guest.user_id))
    assert as_person(guest).get(f"/api/v1/runs/{run.uid.hex}/").status_code == 200
    assert [one["id"] for one in manager.get(at(team, "guests/")).json()["results"]] == [str(guest.user_id)]
    assert manager.delete(at(team, f"guests/{guest.user_id}/")).status_code == 204
    assert as_person(guest).get(f"/api/v1/runs/{run.uid.hex}/").status_code == 404
    assert [kept.verb for kept in events(project_id=team.project.pk)][-2:] == [
        "accounts.grant_sight",
        "accounts.withdraw_sight",
    ]
    assert events(verb="accounts.grant_sight")[0].reason == "reviewer"


def test_a_manager_lets_a_guest_into_one_experiment_and_out_again(team):
    guest, manager = a_person("Gus"), as_person(team.manager)
    shown, hidden = an_experiment(team.scientist), an_experiment(team.scientist)
    seen, unseen = a_run(team.scientist, shown), a_run(team.scientist, hidden)
    path = at(team, f"experiments/{wire_id(shown)}/guests/")
    assert post(manager, path, email=user_of(guest).email).status_code == 201
    assert as_person(guest).get(f"/api/v1/runs/{seen.uid.hex}/").status_code == 200
    assert as_person(guest).get(f"/api/v1/runs/{unseen.uid.hex}/").status_code == 404
    assert len(manager.get(path).json()["results"]) == 1
    assert manager.delete(f"{path}{guest.user_id}/").status_code == 204
    assert manager.delete(f"{path}{guest.user_id}/").status_code == 404
    assert as_person(guest).get(f"/api/v1/runs/{seen.uid.hex}/").status_code == 404


def test_letting_the_same_guest_in_twice_leaves_one_event(team):
    guest, manager = a_person("Gus"), as_person(team.manager)
    for _ in range(2):
        assert post(manager, at(team, "guests/"), email=user_of(guest).email).status_code == 201
    assert len(events(verb="accounts.grant_sight")) == 1


def test_nobody_else_sees_or_changes_guests_nor_learns_who_has_an_account(team):
    somebody = user_of(a_person())
    place = an_experiment(team.scientist)
    for path in (at(team, "guests/"), at(team, f"experiments/{wire_id(place)}/guests/")):
        for actor in (team.scientist, team.engineer, team.auditor):
            client = as_person(actor)
            known, unknown = post(client, path, email=somebody.email), post(client, path, email="nobody@example.org")
            assert client.get(path).status_code == known.status_code == unknown.status_code == 403
            assert known.json()["title"] == unknown.json()["title"]
            assert client.delete(f"{path}{somebody.pk}/").status_code == 403
        assert post(as_person(a_person()), path, email=somebody.email).status_code == 404


def test_a_guest_without_an_account_is_refused_in_words(team):
    answer = post(as_person(team.manager), at(team, "guests/"), email="nobody@example.org")
    assert answer.status_code == 404
    assert "no user" in answer.json()["title"]


def test_a_manager_renames_a_project_and_what_is_left_out_stays(team):
    manager = as_person(team.manager)
    answer = manager.patch(at(team), {"name": "Eyes", "purpose": "To see."}, content_type="application/json")
    assert (answer.status_code, answer.json()["name"]) == (200, "Eyes")
    manager.patch(at(team), {"purpose": ""}, content_type="application/json")
    project = Project.objects.get(pk=team.project.pk)
    assert (project.name, project.purpose) == ("Eyes", "")


def test_others_do_not_rename_it(team):
    for actor, status in ((team.scientist, 403), (team.auditor, 403), (a_person(), 404)):
        answer = as_person(actor).patch(at(team), {"name": "Mine"}, content_type="application/json")
        assert answer.status_code == status
