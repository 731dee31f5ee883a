"""Webhooks on pages: added, tried out, switched off; the secret is shown once; what came of each message is told."""

import re

import pytest

from registry.actions.webhooks import create_webhook
from registry.models import Delivery, Webhook
from registry.webhooks.secrets import new_secret, unsealed
from tests.factories import Team, a_team, user_of
from tests.factories_registry import a_registered_model, a_version, an_alias
from tests.pages.conftest import Browser, address

URL = "https://ci.example.org/mled"


@pytest.fixture
def hook(team: Team) -> Webhook:
    return create_webhook(team.engineer, team.project, url=URL, secret=new_secret())


def at(team: Team, rest: str = "") -> str:
    return address(team.project, f"webhooks/{rest}")


def test_an_engineer_adds_one_and_its_secret_is_shown_once(team):
    emil = Browser(team.engineer)
    assert "No webhook yet." in emil.get(at(team))
    page = emil.post(at(team), expecting=200, url=URL, events=["version.created", "promotion.effective"])
    [made] = Webhook.objects.all()
    [shown] = re.findall(r'<code id="secret">(whsec_[^<]+)</code>', page.source)
    assert shown == unsealed(made.secret)
    assert page.response["Cache-Control"] == "no-store"
    for path in (at(team), at(team, f"{made.pk}/")):
        assert shown not in emil.get(path).source
    assert made.events == ["version.created", "promotion.effective"]


@pytest.mark.parametrize(
    "url",
    ["http://ci.example.org/", "https://127.0.0.1/", "https://10.0.0.8/x", "https://[::1]/", "https://u:p@example.org/",
     "ftp://example.org", "", "https://example.org/#x", "https://ex ample.org/"],
)  # fmt: skip
def test_an_address_that_must_not_be_called_is_told_beside_its_field(team, url):
    page = Browser(team.engineer).post(at(team), expecting=200, url=url)
    assert "invalid-feedback" in page.source
    assert not Webhook.objects.exists()


def test_an_event_that_there_is_not_is_refused(team):
    page = Browser(team.engineer).post(at(team), expecting=200, url=URL, events=["model.eaten"])
    assert "invalid-feedback" in page.source
    assert not Webhook.objects.exists()


def test_it_is_edited_switched_off_and_on(team, hook):
    emil, here = Browser(team.engineer), at(team, f"{hook.pk}/")
    page = emil.follow(f"{here}do/edit/", url="https://other.example.org/", events=["alias.set"])
    assert "The webhook is saved." in page
    assert "https://other.example.org/" in page
    assert "This address cannot be a webhook's." in emil.follow(f"{here}do/edit/", url="http://x/", events=[])
    assert "Switched off." in emil.follow(f"{here}do/switch-off/")
    assert "Send a ping" not in emil.get(here)
    assert "This webhook is switched off." in emil.follow(f"{here}do/ping/")
    assert "Switched on." in emil.follow(f"{here}do/switch-on/")
    emil.post(f"{here}do/burn/", expecting=404)


def test_a_new_secret_ends_the_old_one(team, hook):
    before = unsealed(hook.secret)
    page = Browser(team.engineer).post(at(team, f"{hook.pk}/do/new-secret/"), expecting=200)
    [shown] = re.findall(r'<code id="secret">(whsec_[^<]+)</code>', page.source)
    assert shown == unsealed(Webhook.objects.get(pk=hook.pk).secret)
    assert shown != before


def test_what_was_sent_is_listed_and_sent_again(team, hook):
    model = a_registered_model(team.scientist, team.project, name="sepsis-risk")
    version = a_version(team.scientist, model)
    an_alias(team.engineer, version, "candidate")
    emil, here = Browser(team.engineer), at(team, f"{hook.pk}/")
    page = emil.get(here)
    for event in ("model.created", "version.created", "alias.set"):
        assert event in page
    assert "Waiting" in page
    row = Delivery.objects.get(event="alias.set")
    Delivery.objects.filter(pk=row.pk).update(state=Delivery.State.FAILED, status_code=503, error="Service down")
    page = emil.get(here)
    assert "Failed" in page
    assert "503" in page
    again = emil.follow(address(team.project, f"deliveries/{row.pk}/resend/"))
    assert "alias.set is sent again, with the same id." in again
    assert Delivery.objects.filter(event="alias.set", body=row.body).count() == 2
    told = emil.get(address(team.project, "models/sepsis-risk/v/1/deliveries/"))
    assert "version.created" in told
    assert "model.created" not in told


def test_an_auditor_reads_and_changes_nothing(team, hook):
    otto, here = Browser(team.auditor), at(team, f"{hook.pk}/")
    assert URL in otto.get(at(team))
    page = otto.get(here)
    assert "Actions" not in page
    assert "Send a ping" not in page
    otto.post(at(team), expecting=403, url=URL)
    for verb in ("edit", "switch-off", "ping", "new-secret"):
        assert "You may not add or remove webhooks" in otto.follow(f"{here}do/{verb}/", url="https://x.example.org/")
    assert Webhook.objects.get() == hook
    assert Webhook.objects.get().is_active
    assert not Delivery.objects.exists()


def test_a_scientist_does_not_see_them(team, hook):
    ada = Browser(team.scientist)
    ada.get(at(team), expecting=403)
    ada.get(at(team, f"{hook.pk}/"), expecting=403)
    assert "Webhooks" not in ada.get(address(team.project, "models/"))


def test_strangers_and_other_projects_find_nothing(team, hook, zoe):
    Browser(team.engineer).post(at(team, f"{hook.pk}/do/ping/"))
    sent = Delivery.objects.get()
    zoe.get(at(team), expecting=404)
    zoe.get(at(team, f"{hook.pk}/"), expecting=404)
    zoe.post(at(team, f"{hook.pk}/do/ping/"), expecting=404)
    other = a_team()
    stranger = Browser(other.engineer)
    stranger.get(address(other.project, f"webhooks/{hook.pk}/"), expecting=404)
    stranger.post(address(other.project, f"webhooks/{hook.pk}/do/switch-off/"), expecting=404)
    stranger.post(address(other.project, f"deliveries/{sent.pk}/resend/"), expecting=404)
    assert Webhook.objects.get().is_active
    assert Delivery.objects.count() == 1
    assert user_of(team.engineer) == hook.created_by


def test_an_administrator_keeps_webhooks_without_reading_messages(team, hook):
    a_registered_model(team.scientist, team.project, name="sepsis-risk")
    page = Browser(team.administrator).get(at(team, f"{hook.pk}/"))
    assert "model.created" in page
    assert "sepsis-risk" not in page
    assert "sepsis-risk" in Browser(team.auditor).get(at(team, f"{hook.pk}/"))
