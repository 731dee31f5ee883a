"""Signing in and out, passwords, the first administrator, the theme."""

import re

import pytest
from django.core import mail

from accounts.actions.setup import issue_setup_link
from accounts.models import User
from accounts.roles import Role
from tests.factories import PASSWORD, a_user, events
from tests.pages.conftest import Browser

NEW = "a quite different phrase 9"


@pytest.fixture
def nina(db) -> User:
    return a_user("Nina", password=PASSWORD)


def test_signing_in_leads_back_to_where_one_was_going(nina: User):
    browser = Browser()
    page = browser.get("/me/tokens/", expecting=302)
    came = browser.post(page.response["Location"], login=nina.email, password=PASSWORD, next="/me/tokens/")
    assert came.response["Location"] == "/me/tokens/"
    assert "Tokens" in browser.get("/me/tokens/")


@pytest.mark.parametrize(
    ("headers", "to"),
    [
        ({"hx-request": "true", "hx-current-url": "http://testserver/r/A-1/?tab=2"}, "/r/A-1/%3Ftab%3D2"),
        ({"referer": "http://testserver/r/A-1/"}, "/r/A-1/"),
        ({"referer": "https://evil.example/r/A-1/"}, "/me/notices/read/"),
        ({"referer": "http://[testserver/"}, "/me/notices/read/"),
        ({}, "/me/notices/read/"),
    ],
)
def test_where_the_session_ended_in_the_middle_of_a_page_one_comes_back_to_that_page(headers: dict[str, str], to: str):
    answer = Browser().client.post("/me/notices/read/", headers=headers)
    where = answer.headers.get("HX-Redirect") or answer.headers["Location"]
    assert where == f"/login/?next={to}"


def test_a_wrong_password_keeps_the_address_and_does_not_tell_which_was_wrong(nina: User):
    known = Browser().post("/login/", expecting=200, login=nina.email, password="nonsense")
    unknown = Browser().post("/login/", expecting=200, login="ghost@example.org", password="nonsense")
    assert known.field("id_login") == nina.email
    assert 'role="alert"' in known.source
    assert known.text.replace(nina.email, "") == unknown.text.replace("ghost@example.org", "")


def test_signing_in_leads_only_to_our_own_pages(nina: User):
    came = Browser().post("/login/", login=nina.email, password=PASSWORD, next="https://evil.example/")
    assert came.response["Location"] == "/"


def test_signing_out_asks_first_and_then_does(nina: User):
    browser = Browser()
    browser.client.force_login(nina, backend="accounts.backends.EmailBackend")
    assert "Sign out?" in browser.get("/logout/")
    browser.post("/logout/")
    browser.get("/", expecting=302)


def test_nobody_signs_up(db):
    assert "Accounts are made by administrators" in Browser().get("/login/new/")
    assert "Accounts are made by administrators" in Browser().post(
        "/login/new/", expecting=200, email="x@example.org", password1=NEW
    )
    assert not User.objects.filter(email="x@example.org").exists()


def test_a_forgotten_password_is_set_anew_by_a_link(nina: User):
    browser = Browser()
    browser.post("/login/reset/", email=nina.email)
    assert "Look into your mail" in browser.get("/login/reset/sent/")
    message = mail.outbox[0]
    assert message.to == [nina.email]
    assert "example.com" not in message.body
    link = re.search(r"http://testserver(/login/reset/\S+)", message.body).group(1)
    form = browser.client.get(link, follow=True)
    done = browser.client.post(form.request["PATH_INFO"], {"password1": NEW, "password2": NEW}, follow=True)
    assert "Password changed" in done.content.decode()
    browser.post("/login/", login=nina.email, password=NEW)
    used = Browser().client.get(link, follow=True)
    assert "no longer works" in used.content.decode()


def test_a_reset_for_nobody_looks_the_same(db):
    browser = Browser()
    assert browser.post("/login/reset/", email="ghost@example.org").response["Location"] == "/login/reset/sent/"
    assert all("reset/" not in message.body for message in mail.outbox)


def test_a_password_is_changed_with_the_old_one(nina: User):
    browser = Browser()
    browser.client.force_login(nina, backend="accounts.backends.EmailBackend")
    wrong = browser.post("/me/password/", expecting=200, oldpassword="nonsense", password1=NEW, password2=NEW)
    assert "is-invalid" in wrong.source
    weak = browser.post("/me/password/", expecting=200, oldpassword=PASSWORD, password1="short", password2="short")
    assert "too short" in weak
    browser.post("/me/password/", oldpassword=PASSWORD, password1=NEW, password2=NEW)
    nina.refresh_from_db()
    assert nina.check_password(NEW)
    browser.get("/")
    assert events(verb="accounts.change_password")


def test_the_theme_is_kept_on_the_server(nina: User):
    browser = Browser()
    browser.client.force_login(nina, backend="accounts.backends.EmailBackend")
    assert 'data-theme="auto"' in browser.get("/").source
    back = browser.post("/me/appearance/", theme="dark", next="/projects/")
    assert back.response["Location"] == "/projects/"
    assert 'data-bs-theme="dark"' in browser.get("/").source
    for wrong in ("//evil.example", "NaN"):
        assert browser.post("/me/appearance/", theme="light", next=wrong).response["Location"] == "/"
    browser.post("/me/appearance/", expecting=400, theme="pink")


# The first administrator.


def test_the_set_up_link_makes_the_first_administrator_and_signs_in(committed_db):
    browser, link = Browser(), issue_setup_link()
    assert "The first administrator" in browser.get(link)
    browser.post(link, email="root@example.org", name="Root", password=NEW)
    assert "Administration" in browser.get("/projects/")
    assert User.objects.get().memberships.get(project=None).role == Role.ADMINISTRATOR
    Browser().get(link, expecting=404)


def test_a_weak_password_is_explained_and_the_link_stays_good(committed_db):
    browser, link = Browser(), issue_setup_link()
    page = browser.post(link, expecting=200, email="root@example.org", name="Root", password="12345")
    assert "too short" in page
    assert page.field("id_email") == "root@example.org"
    assert not User.objects.exists()
    browser.post(link, email="root@example.org", name="Root", password=NEW)


def test_an_invented_link_is_not_found(db):
    issue_setup_link()
    assert "set-up link is not good" in Browser().get("/setup/invented/", expecting=404)
