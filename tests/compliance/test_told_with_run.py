"""A run's history tells what compliance keeps about the run, and nothing of what it keeps about others."""

import datetime as dt

import pytest
from django.test import Client

from audit.compliance.actions.exceptions import (
    cosign_waiver,
    end_waiver,
    remove_not_applicable,
    set_not_applicable,
    waive_rule,
)
from audit.compliance.actions.holds import lift_hold, place_hold
from experiments.queries.history import history_of_run
from kernel.clock import now
from tests.factories import a_run, a_team, an_experiment, user_of

pytestmark = pytest.mark.django_db
SOON = dt.timedelta(days=30)


@pytest.fixture
def team():
    return a_team()


@pytest.fixture
def run(team):
    return a_run(team.scientist, an_experiment(team.scientist))


def verbs(viewer, run, number) -> list[str]:
    told = history_of_run(viewer, run, limit=number)
    return [one.past.event.verb.removeprefix("compliance.") for one in reversed(told)]


def test_holds_and_waivers_stand_in_the_history_of_the_run(team, run):
    hold = place_hold(team.manager, team.project, run=run, reason="Claim 17/2026")
    lift_hold(team.auditor, hold, reason="Settled")
    waiver = waive_rule(team.manager, run, rule="V1", reason="Bought code", until=now().date() + SOON)
    end_waiver(team.manager, cosign_waiver(team.auditor, waiver))
    held = ["place_hold", "lift_hold"]
    assert verbs(team.scientist, run, 5) == [*held, "waive_rule", "cosign_waiver", "end_waiver"]


def test_an_exception_that_was_taken_back_stays_in_the_history(team, run):
    set_not_applicable(team.manager, run, rule="D6", reason="Simulated data")
    remove_not_applicable(team.manager, run, rule="D6")
    assert verbs(team.auditor, run, 2) == ["set_not_applicable", "remove_not_applicable"]


def test_what_is_kept_about_another_run_or_the_project_is_not_told(team, run):
    other = a_run(team.scientist, run.experiment)
    place_hold(team.manager, team.project, run=other, reason="Claim 18/2026")
    place_hold(team.manager, team.project, reason="Inspection")
    waive_rule(team.manager, other, rule="V1", reason="Bought code", until=now().date() + SOON)
    assert not {"place_hold", "waive_rule"} & set(verbs(team.auditor, run, 50))


def test_the_page_says_who_placed_the_hold_and_why(team, run):
    place_hold(team.auditor, team.project, run=run, reason="Claim 17/2026")
    client = Client()
    client.force_login(user_of(team.scientist))
    page = client.get(f"/r/{run.uid.hex}/history/").content.decode()
    assert "placed a legal hold" in page
    assert "Claim 17/2026" in page
