"""My work of an administrator: what is theirs, and no word of runs that they do not read."""

import pytest
from django.test import Client

from audit.compliance.models import Purge
from audit.ledger import status
from audit.ledger.acting import acting
from kernel.actor import system
from tests.factories import a_run, a_team, user_of

pytestmark = pytest.mark.django_db


def home_of(actor) -> str:
    client = Client()
    client.force_login(user_of(actor))
    return client.get("/").content.decode()


def test_an_administrator_sees_what_is_theirs_and_why_no_runs():
    team = a_team()
    run = a_run(team.scientist)
    with acting(system(), "test.ask"):
        Purge(project=team.project, runs=[run.uid.hex], reason="Ten years are over.").save()
    page = home_of(team.administrator)
    assert "Administrators do not read experiments" in page
    assert "No run yet" not in page
    assert "No run going" not in page
    assert run.name not in page
    assert "You keep the system, its people and" in page
    assert f"{team.project.name}: 1 run" in page
    assert "Ten years are over." in page
    assert "Erase from the log" in page
    assert "People and their sign-in" in page


def test_an_administrator_is_told_what_is_wrong_with_the_log(settings, tmp_path, monkeypatch):
    settings.MLED_DATA = tmp_path
    monkeypatch.setattr("audit.ledger.alarm.STOPPED_SECONDS", 0)
    status.note_trouble(status.STOPPED, "the key is missing")
    assert "The sequencer places no events: the key is missing" in home_of(a_team().administrator)


def test_others_see_their_runs_and_no_purges():
    team = a_team()
    run = a_run(team.scientist)
    page = home_of(team.scientist)
    assert run.name in page
    assert "Purges to decide" not in page
    assert "Administrators do not read" not in page


def test_a_probe_of_life_asks_nothing(django_assert_num_queries):
    with django_assert_num_queries(0):
        answer = Client().get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"alive": True})
