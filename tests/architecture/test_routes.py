"""Every page, REST view and MLflow call is either on the list of public ones, or closed to who brings no credential."""

from __future__ import annotations

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import path, reverse
from rest_framework.views import APIView

from accounts.models import User
from accounts.roles import PERMISSIONS, Scope
from experiments.models import Run
from mlflow_api.routes import ROUTES, Needs
from tests.factories import a_team, a_token, everything, user_of
from tests.isolation.asking import (
    WORD,
    Ids,
    ids_of,
    is_console,
    mlflow_requests,
    page_requests,
    patterns,
    rest_requests,
)

# Pages for people who are not signed in, and what answers everybody that there is nothing.
PUBLIC = {
    "login/",
    "logout/",
    "login/inactive/",
    "login/new/",
    "login/reset/",
    "login/reset/sent/",
    "^login/reset/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
    "login/reset/done/",
    "login/mail/",
    "me/email/",  # leads on to the password page, which asks who is there
    "setup/<str:secret>/",
    "api/v1/^.*",
    "healthz",  # says no more than that the process answers
    "readyz",  # says no more than that it serves, and whether the log is well
}
# Public boards have doors for everybody; of a project that is no board nothing is there.
BOARDS = ("boards/", "api/v1/boards/")
OPEN_LISTS = {"boards/", "api/v1/boards/"}
PUBLIC_CALLS = {"/health", "/version"}
CLOSED = {401, 403, 404, 405}


@pytest.fixture
def ids(db) -> Ids:
    team = a_team()
    return ids_of(everything(team.scientist, team.project, WORD))


def leads_to_sign_in(answer) -> bool:
    return answer.status == 302 and answer.headers["Location"].startswith(reverse("account_login"))


def test_every_page_asks_who_is_there(ids):
    asked_for = set()
    for asked in page_requests(ids):
        if asked.what in PUBLIC:
            continue
        asked_for.add(asked.what)
        answer = asked.by(Client())
        if asked.what in OPEN_LISTS and asked.method == "GET":
            assert answer.status == 200
            assert WORD not in answer.text
            continue
        assert leads_to_sign_in(answer) or answer.status in CLOSED, f"{asked}: {answer.status}"
        assert WORD not in answer.text.replace(asked.path, "").replace(WORD if WORD in asked.path else "\0", "")
    assert len(asked_for) > 15


def test_every_rest_view_asks_who_is_there(ids):
    count = 0
    for asked in rest_requests(ids):
        if asked.what in PUBLIC:
            continue
        count += 1
        answer = asked.by(Client())
        if asked.what.startswith(BOARDS):
            assert answer.status == (200 if asked.what in OPEN_LISTS else 404), f"{asked}: {answer.status}"
            assert WORD not in answer.text
            continue
        assert answer.status == 401, f"{asked}: {answer.status}"
        assert "Bearer" in answer.headers["WWW-Authenticate"]
    assert count > 20


def test_every_mlflow_call_asks_for_a_token(ids):
    for at in (f"/mlflow/{ids.slug}", ""):
        for asked in mlflow_requests(ids, at=at):
            if asked.what in PUBLIC_CALLS:
                continue
            for token in ("", "mled_wrong", "hunter2"):
                answer = asked.by(Client(), token)
                assert answer.status in (401, 429), f"{asked} with '{token}': {answer.status}"


def test_a_session_opens_no_mlflow_call(ids):
    """Cookies go along with a click on any page; a token does not. So these routes need no CSRF token."""
    team = a_team()
    client = Client()
    client.force_login(user_of(team.scientist), backend="accounts.backends.EmailBackend")
    for asked in mlflow_requests(ids, at=f"/mlflow/{team.project.slug}"):
        if asked.what not in PUBLIC_CALLS:
            assert asked.by(client).status == 401, asked


def test_a_token_opens_no_page(ids):
    team = a_team()
    _, token = a_token(team.scientist)
    for asked in page_requests(ids):
        if asked.what not in PUBLIC | OPEN_LISTS and asked.method == "GET":
            answer = asked.by(Client(), token)
            assert leads_to_sign_in(answer) or answer.status in CLOSED, f"{asked}: {answer.status}"


def test_the_console_is_closed_to_all_but_administrators(ids):
    team = a_team()
    for actor in (None, team.scientist, team.engineer, team.manager, team.auditor):
        client = Client()
        if actor is not None:
            client.force_login(user_of(actor), backend="accounts.backends.EmailBackend")
        for route, pattern in patterns():
            if is_console(route) and not pattern.pattern.converters and "^" not in route:
                status = client.get(f"/{route}").status_code
                assert status in (302, 403, 404), f"{actor}: /{route} {status}"


# What is asked in a body and changes nothing: a report and an export tell what is there, a search finds it.
READING = ("/reports/", "/v1/search/", "/exports/", "/transfers/")


def test_a_read_token_meets_no_call_that_writes(ids):
    owner = User.objects.get(pk=Run.objects.get(uid=ids.run).created_by_id)
    _, reader = a_token(owner, scopes=[Scope.READ])
    for asked in mlflow_requests(ids, at=f"/mlflow/{ids.slug}"):
        if asked.needs == Needs.LOG.value:
            answer = asked.by(Client(), reader)
            assert answer.status == 403, f"{asked}: {answer.status} {answer.text[:200]}"
    for asked in rest_requests(ids):
        if asked.method != "GET" and not any(place in asked.path for place in READING):
            assert asked.by(Client(), reader).status in (403, 404), asked


# --- The lists themselves


def test_every_public_route_exists():
    assert {route for route, _ in patterns()} >= PUBLIC
    assert {route.path for route in ROUTES if route.needs is Needs.NOTHING} == PUBLIC_CALLS


def test_every_rest_view_names_a_permission_for_each_method():
    for route, pattern in patterns():
        view: type[APIView] | None = getattr(pattern.callback, "cls", None)
        if view is None or route in PUBLIC or not view.__module__.startswith(("accounts", "experiments", "registry")):
            continue
        needs = getattr(view, "needs", None)
        assert needs, route
        assert set(needs.values()) <= set(PERMISSIONS), route
        handlers = {name.upper() for name in view.http_method_names if hasattr(view, name)} - {"HEAD", "OPTIONS"}
        assert handlers == set(needs), route


def test_every_mlflow_call_says_what_it_needs():
    for route in ROUTES:
        assert isinstance(route.needs, Needs), route.path
        if route.method == "GET":
            assert route.needs is not Needs.LOG, route.path


# --- What they catch


def test_an_open_page_is_caught(ids, settings):
    settings.ROOT_URLCONF = type("Spoilt", (), {"urlpatterns": [path("leak/", lambda request: HttpResponse(WORD))]})
    (asked, *_) = (one for one in page_requests(ids) if one.what == "leak/")
    answer = asked.by(Client())
    assert answer.status == 200
    assert not leads_to_sign_in(answer)
    assert answer.status not in CLOSED


def test_an_argument_that_nobody_knows_is_caught(ids, settings):
    def view(request, strange):
        return HttpResponse()

    settings.ROOT_URLCONF = type("Spoilt", (), {"urlpatterns": [path("leak/<str:strange>/", view)]})
    with pytest.raises(KeyError, match="strange"):
        list(page_requests(ids))
