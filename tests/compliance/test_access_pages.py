"""The access review as a page and over REST."""

from __future__ import annotations

import datetime as dt

import pytest
from django.test import Client

from accounts.roles import Role
from audit.compliance.actions.access import review_access
from audit.compliance.models import AccessReview
from audit.compliance.pages.access import said
from kernel.clock import now
from tests.compliance.test_log import client_of
from tests.factories import a_person, a_team, a_token, join, user_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def team():
    return a_team()


def url(team) -> str:
    return f"/p/{team.project.slug}/access/"


def test_the_page_tells_who_why_and_what_and_is_signed_off(team):
    a_token(team.scientist, name="laptop")
    page = client_of(team.auditor)
    text = page.get(url(team)).content.decode()
    for words in (
        "Never signed off",
        "Data scientist",
        "laptop",
        "create runs and log params",
        "In time",
        "Sign off 5",
    ):
        assert words in text
    seen = text.partition('name="seen" value="')[2].partition('"')[0]
    assert "This field is required" in page.post(url(team), {"note": " ", "seen": seen}).content.decode()
    done = page.post(url(team), {"note": "Looked at everybody.", "seen": seen}, follow=True).content.decode()
    assert "Signed off. The table is kept" in done
    assert "Looked at everybody." in done
    assert ", 0 changed since" in done
    review = AccessReview.objects.get(project=team.project)
    kept = page.get(f"{url(team)}{review.pk}/").content.decode()
    assert review.digest in kept
    assert str(user_of(team.scientist)) in kept


def test_what_changed_since_is_marked_and_a_sign_off_over_old_rights_is_told_so(team):
    review_access(team.auditor, team.project, note="Fine.")
    page = client_of(team.manager)
    seen = page.get(url(team)).content.decode().partition('name="seen" value="')[2].partition('"')[0]
    join(team.project, a_person("Nia"), Role.DATA_SCIENTIST)
    told = page.post(url(team), {"note": "All good.", "seen": seen})
    text = told.content.decode()
    assert "Rights changed since you looked at them" in text
    assert "since the last sign-off" in text
    assert "All good." in text
    again = text.partition('name="seen" value="')[2].partition('"')[0]
    assert again != seen
    assert page.post(url(team), {"note": "All good.", "seen": again}).status_code == 302
    assert AccessReview.objects.filter(project=team.project).count() == 2


def test_it_is_overdue_after_a_quarter(team, monkeypatch):
    review_access(team.auditor, team.project, note="Fine.")
    assert "In time" in client_of(team.auditor).get(url(team)).content.decode()
    later = now() + dt.timedelta(days=91)
    monkeypatch.setattr("audit.compliance.pages.access.now", lambda: later)
    assert "Overdue" in client_of(team.auditor).get(url(team)).content.decode()


def test_only_managers_and_auditors_are_led_there(team):
    members = f"/p/{team.project.slug}/members/"
    assert url(team) in client_of(team.manager).get(members).content.decode()
    assert url(team) not in client_of(team.scientist).get(members).content.decode()
    assert client_of(team.scientist).get(url(team)).status_code == 403
    assert client_of(a_person()).get(url(team)).status_code == 404
    assert Client().get(url(team)).status_code == 302


def test_the_same_over_rest_where_a_sign_off_is_made_in_person(team):
    page, base = client_of(team.manager), f"/api/v1/projects/{team.project.slug}/access/"
    told = page.get(base).json()
    assert {one["user"] for one in told["people"]} >= {team.scientist.user_id.hex}
    made = page.post(f"{base}sign-offs/", {"note": "Fine.", "seen": told["seen"]}, content_type="application/json")
    assert made.status_code == 201
    assert made.json()["table"] == told["people"]
    assert page.get(f"{base}sign-offs/").json()["results"][0]["note"] == "Fine."
    wrong = page.post(f"{base}sign-offs/", {"note": "Fine.", "seen": "0" * 64}, content_type="application/json")
    assert wrong.status_code == 409
    assert client_of(team.scientist).get(base).status_code == 403
    assert client_of(a_person()).get(f"{base}sign-offs/").status_code == 404


def test_a_right_that_this_version_does_not_know_is_shown_as_it_was_signed():
    assert said("compliance.submit (own only)") == "submit runs for review, and amend them (own only)"
    assert said("compliance.sing_songs") == "compliance.sing_songs"
