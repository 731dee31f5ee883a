"""A project's settings: managers change them, everybody else in the project reads them."""

import pytest

from accounts.models import Project
from tests.factories import Team
from tests.pages.conftest import Browser, address


def fresh(team: Team) -> Project:
    return Project.objects.get(pk=team.project.pk)


def test_a_manager_chooses_the_risk_class_and_a_form_without_it_leaves_it(team):
    mona = Browser(team.manager)
    mona.follow(address(team.project, "settings/"), name="Sepsis", purpose="", risk_class="high")
    mona.follow(address(team.project, "settings/"), name="Sepsis watch", purpose="")
    assert (fresh(team).risk_class, fresh(team).name) == ("high", "Sepsis watch")
    page = mona.post(address(team.project, "settings/"), expecting=200, name="Sepsis", purpose="", risk_class="odd")
    assert "odd is not one of the available choices" in page


def test_a_manager_writes_name_and_purpose(team):
    page = Browser(team.manager).follow(
        address(team.project, "settings/"), name="Sepsis watch", purpose="Score for adults.\r\nNot for children."
    )
    assert "Sepsis watch is saved." in page
    assert fresh(team).purpose == "Score for adults.\nNot for children."


def test_a_manager_governs_the_project_and_says_why_when_it_ends(team):
    mona, here = Browser(team.manager), address(team.project, "settings/")
    page = mona.follow(here, rules="governed", protected_names="Production, approved")
    assert "production, approved move by promotion only" in page
    assert fresh(team).protected_names == ["production", "approved"]
    page = mona.post(here, expecting=200, rules="open", protected_names="production, approved")
    assert "Say why the rules get looser." in page
    assert fresh(team).is_governed
    mona.post(here, rules="open", protected_names="production, approved", reason="the study ended")
    assert not fresh(team).is_governed


@pytest.mark.parametrize("who", ["scientist", "engineer", "auditor", "administrator"])
def test_others_of_the_project_read(team, who):
    browser, here = Browser(getattr(team, who)), address(team.project, "settings/")
    page = browser.get(here)
    assert "Aliases and stages move freely." in page
    assert "<textarea" not in page.source
    browser.post(here, expecting=403, rules="governed", protected_names="production")
    assert not fresh(team).is_governed


def test_strangers_find_nothing(team, zoe):
    zoe.get(address(team.project, "settings/"), expecting=404)
    zoe.post(address(team.project, "settings/"), expecting=404, name="mine", purpose="")
    assert "/login/" in Browser().get(address(team.project, "settings/"), expecting=302).response["Location"]


@pytest.mark.parametrize("fields", [{"name": ""}, {"name": "x" * 200}, {"rules": "lax"}, {"rules": "governed"}])
def test_what_cannot_be_kept_is_told_beside_its_field(team, fields):
    page = Browser(team.manager).post(address(team.project, "settings/"), expecting=200, **fields)
    assert "invalid-feedback" in page.source
    assert fresh(team).name == team.project.name
