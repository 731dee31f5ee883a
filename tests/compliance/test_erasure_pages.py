"""The pages on which an administrator erases what the log says, and forgets a person."""

import pytest
from django.test import Client

from accounts.models import User
from audit.compliance.actions.holds import place_hold
from audit.ledger.models import AuditEvent, AuditPayload
from experiments.actions.runs import set_tags
from tests.factories import a_run, a_team, a_user, events_since, user_of

pytestmark = pytest.mark.django_db
BASIS = "GDPR 17(1)(d)"


def client_of(actor) -> Client:
    client = Client()
    client.force_login(user_of(actor))
    return client


@pytest.fixture
def team():
    return a_team()


@pytest.fixture
def told(team):
    run = a_run(team.scientist)
    return events_since(lambda: set_tags(team.scientist, run, tags={"note": "Jane Roe"}))[0].event


def test_an_administrator_looks_first_and_erases_then(team, told):
    client = client_of(team.administrator)
    page = client.get(f"/log/erase/?events={told.pk.hex}").content.decode()
    assert "experiments.set_tags" in page
    assert "Jane Roe" not in page
    for words in (
        "1 payload goes for good",
        "What stays",
        "files of reports made before",
        "histories of other objects",
    ):
        assert words in page
    assert "(0 reports of the same projects so far)" in page
    form = {"events": f"{told.pk.hex},\n{told.pk}", "reason": BASIS}
    for word in ("", "yes"):
        assert "Type the word" in client.post("/log/erase/", form | {"word": word}).content.decode()
    assert AuditPayload.objects.filter(pk=told.pk).exists()
    answer = client.post("/log/erase/", form | {"word": "Erase "}, follow=True)
    assert "Erase 1 payload" not in answer.content.decode()
    assert "1 payload erased" in answer.content.decode()
    assert f"basis: {BASIS}" in answer.content.decode()
    assert not AuditPayload.objects.filter(pk=told.pk).exists()
    history = client_of(team.auditor).get(f"/r/{told.subject_id}/history/", follow=True).content.decode()
    assert f"basis: {BASIS}" in history


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"events": "17", "reason": BASIS}, "32 hex digits"),
        ({"events": "", "reason": BASIS}, "Name the events"),
        ({"events": "01a202b486e9700096c3c5b8949097e9", "reason": BASIS}, "There is no event"),
        ({"events": "01a202b486e9700096c3c5b8949097e9 " * 1001, "reason": BASIS}, "At most 1000"),
    ],
)
def test_what_cannot_be_erased_is_said_on_the_form(team, form, words):
    answer = client_of(team.administrator).post("/log/erase/", form | {"word": "erase"})
    assert words in answer.content.decode()
    assert answer.status_code in (200, 400)


def test_what_stays_is_said_beside_what_was_typed(team, told):
    client, form = client_of(team.administrator), {"events": told.pk.hex, "word": "erase"}
    assert "on which legal basis" in client.post("/log/erase/", form).content.decode()
    place_hold(team.manager, team.project, reason="Claim 7")
    answer = client.post("/log/erase/", form | {"reason": BASIS}).content.decode()
    assert "Claim 7" in answer
    assert f'value="{BASIS}"' in answer
    assert AuditPayload.objects.filter(pk=told.pk).exists()


def test_nobody_else_opens_these_pages(team):
    for actor in (team.scientist, team.manager, team.auditor):
        client = client_of(actor)
        assert client.get("/log/erase/").status_code == 403
        assert client.get(f"/people/{user_of(team.scientist).pk}/forget/").status_code == 404
    assert Client().get("/log/erase/").status_code == 302


def test_a_person_is_forgotten_after_their_address_was_typed_again(team):
    user = a_user("Anna Karenina", email="anna.page@example.org")
    client, url = client_of(team.administrator), f"/people/{user.pk}/forget/"
    page = client.get(url).content.decode()
    assert "What goes" in page
    assert "printed name" in page
    assert "not the address" in client.post(url, {"email": "other@example.org", "reason": BASIS}).content.decode()
    assert User.objects.get(pk=user.pk).is_active
    after = client.post(url, {"email": "Anna.Page@example.org", "reason": BASIS}, follow=True).content.decode()
    assert f"former user {user.pk.hex[:4]}" in after
    assert "Karenina" not in after
    assert "forgotten before" not in after
    assert client.get("/people/00000000-0000-0000-0000-000000000007/forget/").status_code == 404


def test_the_console_leads_to_both(team, told):
    client = client_of(team.administrator)
    assert 'href="/log/erase/"' in client.get("/admin/").content.decode()
    assert f"/people/{user_of(team.scientist).pk}/forget/" in (
        client.get(f"/admin/accounts/user/{user_of(team.scientist).pk}/change/").content.decode()
    )
    entry = AuditEvent.objects.get(pk=told.pk)
    assert f"/log/erase/?events={entry.pk.hex}" in (
        client.get(f"/admin/ledger/auditevent/{entry.pk}/change/").content.decode()
    )
