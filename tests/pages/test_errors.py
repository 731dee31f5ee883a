"""Error pages: what, why, the way out, and the id that finds it in the log; nothing internal."""

import sqlite3

import pytest
from django.db import OperationalError
from django.http import HttpResponse
from django.test import Client

from experiments.models import Run
from mled_site.errors import ErrorPages
from tests.factories import user_of
from tests.pages.conftest import Browser, Page, address


def test_a_missing_page_names_what_was_asked_for_and_the_way_out(ada: Browser):
    page = ada.get("/no/such/page", expecting=404)
    assert "/no/such/page" in page
    assert "My work" in page
    assert "request " in page


def test_a_missing_page_offers_strangers_the_sign_in(db):
    assert "Sign in" in Browser().get("/no/such/page", expecting=404)


def test_the_id_on_the_page_is_that_of_the_answer(ada: Browser):
    page = ada.get("/r/nothing/", expecting=404)
    assert page.response["X-Request-ID"] in page


def test_a_form_without_its_proof_of_origin_is_refused(team, trained: Run):
    client = Client(enforce_csrf_checks=True)
    client.force_login(user_of(team.scientist), backend="accounts.backends.EmailBackend")
    answer = client.post(f"/r/{trained.uid.hex}/do/delete/")
    assert answer.status_code == 403
    assert "This form was open for too long" in Page(answer)
    trained.refresh_from_db()
    assert not trained.is_deleted


def test_a_crash_tells_nothing_internal(team, trained: Run, monkeypatch):
    from experiments.pages import run

    def broken(*args, **kwargs):
        raise RuntimeError("secret detail of the database")

    monkeypatch.setattr(run, "run_frame", broken)
    client = Client(raise_request_exception=False)
    client.force_login(user_of(team.scientist), backend="accounts.backends.EmailBackend")
    answer = client.get(f"/r/{trained.uid.hex}/")
    assert answer.status_code == 500
    page = Page(answer)
    assert "Something broke on our side" in page
    assert "You only looked, so nothing was changed." in page
    assert answer["X-Request-ID"] in page
    assert "secret detail" not in page.source
    assert "Traceback" not in page.source


def test_a_form_that_broke_may_have_been_stored(team, trained: Run, monkeypatch):
    from experiments.pages import run

    def lost(*args, **kwargs):
        raise OperationalError("the connection was lost while it committed")

    monkeypatch.setitem(run.ACTS, "delete", (lost, "Deleted."))
    client = Client(raise_request_exception=False)
    client.force_login(user_of(team.scientist), backend="accounts.backends.EmailBackend")
    answer = client.post(f"/r/{trained.uid.hex}/do/delete/", {"reason": "done"})
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert "Whether what you sent was stored is not certain: look before you send it again." in Page(answer)


@pytest.mark.parametrize(
    "path", ["/jump/?q=a%00b", "/r/%00/", "/p/{slug}/runs/?columns=tags.%00", "/p/{slug}/logged-models/m-%00/"]
)
def test_an_address_with_a_nul_is_refused_before_the_database_sees_it(ada: Browser, team, path):
    assert "The address holds a NUL character." in ada.get(path.format(slug=team.project.slug), expecting=400)


@pytest.mark.parametrize("host", ["evil.example", "mled.example\r\nx: y"])
def test_a_foreign_host_is_refused(db, host):
    answer = Client(raise_request_exception=False).get("/", headers={"host": host})
    assert answer.status_code == 400
    assert "Traceback" not in answer.content.decode()


def test_pages_bear_a_strict_policy(ada: Browser):
    policy = ada.get("/").response["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize("path", ["/", "/projects/", "/me/tokens/", "/login/"])
def test_pages_hold_no_inline_script_or_style(ada: Browser, path):
    source = (Browser() if path == "/login/" else ada).get(path).source
    assert "<script>" not in source
    assert "<style" not in source
    assert " style=" not in source
    assert " onclick=" not in source


@pytest.mark.parametrize(
    ("asked", "what"),
    [
        ("datasets/00000000-0000-4000-8000-000000000000/", "dataset"),
        ("models/nothing/", "model"),
        ("promotions/00000000-0000-4000-8000-000000000000/", "promotion"),
        ("nothing/", "page"),
    ],
)
def test_what_is_missing_in_a_project_is_called_what_it_is(ada: Browser, team, asked, what):
    page = ada.get(address(team.project, asked), expecting=404)
    assert f"No such {what}, or not yours to see" in page


def test_a_missing_project_and_a_missing_run_are_called_so(ada: Browser):
    assert "No such project, or not yours to see" in ada.get("/p/nothing/", expecting=404)
    assert "No such run, or not yours to see" in ada.get("/r/nothing/", expecting=404)


def test_a_database_that_another_writer_holds_is_a_page_that_says_try_again(tmp_path, rf):
    """What sign-in meets, which writes outside of our acts."""
    held = sqlite3.connect(tmp_path / "one.sqlite3", isolation_level=None)
    held.execute("BEGIN IMMEDIATE")
    with pytest.raises(sqlite3.OperationalError) as busy:
        sqlite3.connect(tmp_path / "one.sqlite3", timeout=0, isolation_level=None).execute("BEGIN IMMEDIATE")
    locked = OperationalError("database is locked")
    locked.__cause__ = busy.value
    answer = ErrorPages(lambda request: HttpResponse()).process_exception(rf.get("/login/"), locked)
    assert answer is not None
    assert answer.status_code == 503
    assert "Another writer was in the way" in answer.content.decode()
    assert ErrorPages(lambda request: HttpResponse()).process_exception(rf.get("/"), OperationalError("gone")) is None
