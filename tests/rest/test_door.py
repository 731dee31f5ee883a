"""What holds for every view: a known permission for each method, a credential, problem JSON."""

import pytest
from django.test import Client
from django.urls import get_resolver
from django.urls.resolvers import URLPattern, URLResolver

from accounts.actions.tokens import revoke_token
from accounts.actions.users import deactivate_user
from accounts.models import ApiToken
from accounts.rest.door import RestView
from accounts.roles import PERMISSIONS, Scope
from kernel.actor import operator
from tests import world
from tests.rest.conftest import Api, token_of

SAFE_ALIKE = {"get", "head"}


def rest_views():
    def walk(patterns, before=""):
        for pattern in patterns:
            route = before + str(pattern.pattern)
            if isinstance(pattern, URLResolver):
                yield from walk(pattern.url_patterns, route)
            elif isinstance(pattern, URLPattern):
                yield route, pattern.callback

    for route, callback in walk(get_resolver().url_patterns):
        if route.startswith("api/v1/"):
            yield route, getattr(callback, "view_class", None)


VIEWS = [(route, view) for route, view in rest_views() if isinstance(view, type) and issubclass(view, RestView)]


def test_every_route_of_the_api_is_a_view_that_names_its_permissions():
    others = {route for route, view in rest_views()} - {route for route, _ in VIEWS}
    assert others == {"api/v1/schema/", "api/v1/docs/", "api/v1/^.*"}
    assert len(VIEWS) >= 14


@pytest.mark.parametrize(("route", "view"), VIEWS, ids=[route for route, _ in VIEWS])
def test_every_method_names_a_known_permission(route, view):
    methods = {name.upper() for name in view.http_method_names if hasattr(view, name)} - {"HEAD", "OPTIONS"}
    assert methods == set(view.needs)
    assert set(view.needs.values()) <= set(PERMISSIONS)


@pytest.mark.parametrize(("route", "view"), VIEWS, ids=[route for route, _ in VIEWS])
def test_nobody_gets_in_without_a_credential(db, route, view):
    method = "GET" if "GET" in view.needs else next(iter(view.needs))
    answer = Client().generic(method, "/" + route.replace("<slug:slug>", "vision").replace("<uuid:token>", "0" * 32)
                          .replace("<str:run>", "VIS-1").replace("<str:experiment>", "0"))  # fmt: skip
    # Anybody finds the public boards; of what lies below them each has a word of its own.
    assert answer.status_code in ((200,) if route == "api/v1/boards/" else (401, 404)), route
    if answer.status_code == 401:
        assert answer["WWW-Authenticate"].startswith("Bearer")
        assert answer.json()["code"] == "UNAUTHENTICATED"


def test_what_the_api_has_not_is_said_in_its_words(db):
    answer = Client().get("/api/v1/nothing/")
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")
    assert answer.json()["request_id"] == answer["X-Request-ID"]


@pytest.mark.parametrize(
    "header", ["Bearer mled_wrong", "Bearer", "Bearer x", "Basic !!!", "Basic eDp5", "Digest x", "mled_bare"]
)
def test_a_bad_token_is_refused_in_problem_json(vision, header):
    answer = Client(headers={"authorization": header}).get("/api/v1/projects/")
    assert answer.status_code == 401
    assert answer["Content-Type"] == "application/problem+json"


def test_a_token_works_as_a_basic_password(people):
    import base64

    given = base64.b64encode(f"whoever:{token_of(people['ada'])}".encode()).decode()
    assert Client(headers={"authorization": f"Basic {given}"}).get("/api/v1/projects/").status_code == 200


def test_a_revoked_token_and_a_deactivated_owner_are_out_at_once(people, api):
    ada, bob = api("ada"), api("bob")
    ada.get("projects/")
    revoke_token(world.at(people["ada"]), token=ApiToken.objects.get(user=people["ada"]))
    ada.get("projects/", expecting=401)
    deactivate_user(operator(), user=people["bob"], reason="left")
    bob.get("projects/", expecting=401)


def test_a_token_goes_where_its_scope_leads(people, vision):
    reader = Api(token_of(people["ada"], scopes=[Scope.READ]))
    reader.get("runs/")
    refusal = reader.post("projects/vision/experiments/", {"name": "x"}, expecting=403)
    assert "needs the scope 'log'" in refusal["title"]
    reader.get("tokens/", expecting=403)


def test_a_token_for_one_project_sees_nothing_of_another(people):
    other = world.project("second")
    world.appoint_member(operator(), other, role=world.Role.PROJECT_MANAGER, user=people["mia"])
    narrow = Api(token_of(people["mia"], projects=[other]))
    assert [project["slug"] for project in narrow.get("projects/")["results"]] == ["second"]
    narrow.get("projects/vision/", expecting=404)
    Api(token_of(people["mia"])).get("projects/vision/")


def test_a_session_reads_and_needs_its_csrf_token_to_write(people, vision):
    client = Client(enforce_csrf_checks=True)
    client.force_login(people["ada"])
    assert client.get("/api/v1/projects/").status_code == 200
    sent = client.post("/api/v1/projects/vision/experiments/", {"name": "x"}, content_type="application/json")
    assert (sent.status_code, sent["Content-Type"]) == (403, "application/problem+json")


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        ("{", "application/json", 400),
        ("[]", "application/json", 400),
        ('"x"', "application/json", 400),
        ("name=x", "application/x-www-form-urlencoded", 415),
        ('{"name": "a\\u0000b"}', "application/json", 400),
        ('{"name": "a\\ud800b"}', "application/json", 400),
        ('{"name": NaN}', "application/json", 400),
        ('{"name": null}', "application/json", 400),
        ('{"name": ["x"]}', "application/json", 400),
        ('{"name": ' + "[" * 5000 + "]" * 5000 + "}", "application/json", 400),
        ('{"name": "' + "x" * 501 + '"}', "application/json", 400),
        ('{"name": "   "}', "application/json", 400),
        ('{"name": "x", "tags": {"a": 1, "b": {}}}', "application/json", 400),
        (b'{"name": "\xff"}', "application/json", 400),
        ("", "application/json", 400),
        ('{"name": "x", "name": "y"}', "application/json", 400),
        ('{"name": "' + "x" * 6_000_000 + '"}', "application/json", 413),
    ],
)
def test_a_bad_body_is_said_and_writes_nothing(api, vision, body, kind, status):
    answer = api("ada").client.generic("POST", "/api/v1/projects/vision/experiments/", body, content_type=kind)
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    assert vision.experiments.count() == 1


@pytest.mark.parametrize(
    "cursor", ["x", "bz0x", "cD1ub3RhbnVtYmVy", "cD0lMDA=", "cD05OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk="]
)
@pytest.mark.parametrize("path", ["runs/", "projects/", "tokens/", "projects/vision/events/"])
def test_an_invented_cursor_is_no_bug(api, run, cursor, path):
    answer = api("mia").client.get(f"/api/v1/{path}", {"cursor": cursor})
    assert answer.status_code in (200, 400, 404), answer.content


def test_methods_that_a_view_has_not_are_said(api, vision):
    client = api("ada").client
    for method in ("PUT", "DELETE", "OPTIONS", "TRACE"):
        answer = client.generic(method, "/api/v1/projects/")
        assert (answer.status_code, answer["Content-Type"]) == (405, "application/problem+json"), method
    assert client.head("/api/v1/projects/").status_code == 200


def test_a_bug_is_told_without_its_inside(api, vision, monkeypatch):
    def broken(*_):
        raise RuntimeError("secret inside")

    monkeypatch.setattr("accounts.rest.projects.find_project", broken)
    client = api("ada").client
    client.raise_request_exception = False
    answer = client.get("/api/v1/projects/vision/")
    assert (answer.status_code, answer["Content-Type"]) == (500, "application/problem+json")
    assert answer.json()["request_id"] == answer["X-Request-ID"]
    assert b"secret" not in answer.content


def test_answers_come_from_a_real_server(live_mled):
    import json
    import urllib.error
    import urllib.request

    live_mled.create_user("rest@example.org")
    live_mled.create_project("rest-live")
    live_mled.add_member("rest-live", "rest@example.org", "ml_engineer")
    token = live_mled.issue_token("rest@example.org", scopes=("read", "log"))

    def ask(path, body=None):
        asked = urllib.request.Request(  # noqa: S310
            f"{live_mled.url}/api/v1/{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(asked, timeout=20) as answer:  # noqa: S310
                return answer.status, answer.read()
        except urllib.error.HTTPError as refusal:
            return refusal.code, refusal.read()

    status, made = ask("projects/rest-live/experiments/", {"name": "by rest"})
    assert status == 201
    status, listed = ask("projects/rest-live/experiments/")
    assert json.loads(made)["id"] in {row["id"] for row in json.loads(listed)["results"]}
    assert ask("projects/rest-live/experiments/", {"name": "by rest"})[0] == 409
    assert ask("schema/")[0] == 200
    token = "mled_nonsense"
    assert ask("projects/")[0] == 401
