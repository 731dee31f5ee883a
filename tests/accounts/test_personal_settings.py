"""How people like their pages: kept on the server, one's own, for each project or for all of them."""

from typing import Any

import pytest

from accounts.actions.settings import keep_setting
from accounts.models import PersonalSetting
from accounts.queries.settings import setting_of, settings_of
from accounts.settings import SETTINGS, Setting
from audit.ledger.models import AuditEvent
from kernel.errors import Invalid, NotFound, Unauthenticated
from tests.factories import a_person, a_team, nobody, user_of

pytestmark = pytest.mark.django_db


def _words(value: Any) -> Any:
    if not isinstance(value, dict):
        raise Invalid("Widths are numbers by column.", field="value")
    return value


@pytest.fixture(autouse=True)
def known(monkeypatch):
    monkeypatch.setitem(SETTINGS, "test.widths", Setting("test.widths", {}, _words))
    monkeypatch.setitem(SETTINGS, "test.density", Setting("test.density", "calm", str, in_projects=False))


def test_a_setting_is_its_default_until_it_is_chosen_and_then_stays():
    team = a_team()
    assert setting_of(team.scientist, "test.widths", team.project) == {}
    keep_setting(team.scientist, name="test.widths", value={"lr": 90}, project=team.project)
    keep_setting(team.scientist, name="test.widths", value={"lr": 120}, project=team.project)
    assert setting_of(team.scientist, "test.widths", team.project) == {"lr": 120}
    assert PersonalSetting.objects.count() == 1


def test_settings_of_a_project_do_not_reach_into_another_nor_to_other_people():
    team, other = a_team(), a_team()
    keep_setting(team.scientist, name="test.widths", value={"lr": 90}, project=team.project)
    assert setting_of(team.scientist, "test.widths", other.project) == {}
    assert setting_of(team.engineer, "test.widths", team.project) == {}


def test_what_holds_for_all_projects_is_read_with_those_of_one():
    team = a_team()
    keep_setting(team.auditor, name="test.density", value="dense")
    chosen = settings_of(team.auditor, ["test.density", "test.widths"], team.project)
    assert chosen == {"test.density": "dense", "test.widths": {}}


def test_keeping_a_setting_leaves_no_event_since_it_proves_nothing():
    team = a_team()
    before = AuditEvent.objects.count()
    keep_setting(team.scientist, name="test.widths", value={"lr": 90}, project=team.project)
    assert AuditEvent.objects.count() == before


@pytest.mark.parametrize(
    ("name", "value", "in_project", "field"),
    [
        ("test.unknown", {}, True, "name"),
        ("test.widths", "wide", True, "value"),
        ("test.widths", {"lr": "9" * 20_000}, True, "value"),
        ("test.widths", {}, False, "project"),
        ("test.density", "dense", True, "project"),
    ],
)
def test_what_is_no_setting_is_refused_in_words(name, value, in_project, field):
    team = a_team()
    with pytest.raises(Invalid) as caught:
        keep_setting(team.scientist, name=name, value=value, project=team.project if in_project else None)
    assert caught.value.field == field


def test_who_does_not_see_the_project_keeps_nothing_there():
    team = a_team()
    with pytest.raises(NotFound):
        keep_setting(a_person(), name="test.widths", value={}, project=team.project)
    with pytest.raises(Unauthenticated):
        keep_setting(nobody(), name="test.density", value="dense")


def test_a_page_and_a_script_keep_settings_through_their_doors(client):
    team = a_team()
    client.force_login(user_of(team.scientist))
    kept = client.post("/me/settings/", {"name": "test.widths", "project": team.project.slug, "value": '{"lr": 90}'})
    assert kept.status_code == 204
    told = client.get("/api/v1/settings/").json()
    assert [(one["name"], one["project"], one["value"]) for one in told] == [
        ("test.widths", team.project.slug, {"lr": 90})
    ]
    assert client.post("/me/settings/", {"name": "test.widths", "value": "{"}).status_code == 400


@pytest.mark.parametrize(
    "value",
    [
        '{"lr": 1' + "0" * 400 + "}",
        '{"lr": NaN}',
        '{"lr": 1e400}',
        '{"lr": "\\ud800"}',
        '{"\\ud800": 90}',
        '{"lr": "\\u0000"}',
        '{"lr": ' + "[" * 50 + "]" * 50 + "}",
        '{"lr": ' + "[" * 50_000 + "]" * 50_000 + "}",
    ],
)
def test_what_not_every_database_keeps_is_refused_at_both_doors(client, value):
    team = a_team()
    client.force_login(user_of(team.scientist))
    asked = {"name": "test.widths", "project": team.project.slug}
    assert client.post("/me/settings/", {**asked, "value": value}).status_code == 400
    body = f'{{"name": "test.widths", "project": "{team.project.slug}", "value": {value}}}'
    assert client.post("/api/v1/settings/", body, content_type="application/json").status_code == 400
    assert not PersonalSetting.objects.exists()
