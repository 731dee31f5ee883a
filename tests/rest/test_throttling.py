"""One caller cannot ask without end, and is told when to go on; others and the MLflow door do not feel it."""

import logging

import pytest
from django.core.cache import cache
from django.test import Client

from accounts.rest import limits
from accounts.roles import Scope
from kernel import clock
from mled_site.supervise.broker import redis_cache
from tests.rest.conftest import Api, token_of


@pytest.fixture
def few(settings, monkeypatch):
    """Two reads and one write a minute, in a minute that stands still."""
    cache.clear()
    settings.MLED_REST_A_MINUTE = {"reads": 2, "writes": 1, "unknown": 2}
    monkeypatch.setattr(clock, "_now", lambda: 1_800_000_010.0)
    monkeypatch.setattr(limits, "_away_until", 0.0)
    yield
    if "LocMem" in settings.CACHES["default"]["BACKEND"]:
        cache.clear()


def test_each_answer_tells_what_is_left(api, vision, few):
    first = api("ada").client.get("/api/v1/projects/")
    assert first["RateLimit-Policy"] == '"reads";q=2;w=60'
    assert first["RateLimit"] == '"reads";r=1;t=50'
    assert api("ada").client.get("/api/v1/projects/nothing/")["RateLimit"] == '"reads";r=0;t=50'


def test_who_asks_too_much_is_told_when_to_go_on(api, vision, few, monkeypatch):
    for _ in range(2):
        api("ada").get("projects/")
    refused = api("ada").client.get("/api/v1/projects/")
    assert (refused.status_code, refused["Content-Type"]) == (429, "application/problem+json")
    assert (refused["Retry-After"], refused["RateLimit"]) == ("50", '"reads";r=0;t=50')
    assert refused.json()["code"] == "TOO_MANY_REQUESTS"
    assert "Wait 50 s" in refused.json()["hint"]
    api("bob").get("projects/")
    api("ada").post("projects/vision/experiments/", {"name": "writes count apart"}, expecting=201)
    assert api("ada").client.post("/api/v1/projects/vision/experiments/").status_code == 429
    monkeypatch.setattr(clock, "_now", lambda: 1_800_000_061.0)
    api("ada").get("projects/")


def test_each_token_has_its_own_budget(people, few):
    one, two = (Api(token_of(people["ada"], scopes=[Scope.READ])) for _ in range(2))
    for api in (one, one, two):
        api.get("projects/")
    one.get("projects/", expecting=429)
    two.get("projects/")


@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer mled_wrong"}])
def test_guessing_from_one_address_ends(db, few, headers):
    client = Client(headers=headers)
    assert [client.get("/api/v1/projects/").status_code for _ in range(3)] == [401, 401, 429]
    told = client.get("/api/v1/projects/")
    assert (told["Retry-After"], told["RateLimit-Policy"]) == ("50", '"unknown";q=2;w=60')
    assert Client(headers=headers, REMOTE_ADDR="203.0.113.9").get("/api/v1/projects/").status_code == 401


def test_mlflow_s_calls_are_not_counted(people, vision, few):
    client = Client(headers={"authorization": f"Bearer {token_of(people['ada'])}"})
    calls = [client.get("/mlflow/vision/api/2.0/mlflow/experiments/get?experiment_id=0") for _ in range(4)]
    assert [call.status_code for call in calls] == [200] * 4
    assert "RateLimit" not in calls[0]


def test_processes_count_together_in_redis(people, few, settings, valkey_url):
    settings.CACHES = {"default": redis_cache(valkey_url)}
    cache.clear()
    ada = Api(token_of(people["ada"]))
    assert [ada.client.get("/api/v1/projects/").status_code for _ in range(3)] == [200, 200, 429]


def test_where_the_cache_is_away_nobody_is_refused(people, few, settings, caplog):
    settings.CACHES = {"default": redis_cache("redis://127.0.0.1:1")}
    ada = Api(token_of(people["ada"]))
    with caplog.at_level(logging.WARNING):
        answers = [ada.client.get("/api/v1/projects/") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200] * 4
    assert "RateLimit" not in answers[0]
    assert len([one for one in caplog.records if "not limited now" in one.message]) == 1


def test_a_limit_of_nothing_is_no_limit(people, few, settings):
    settings.MLED_REST_A_MINUTE = {"reads": 0, "writes": 0, "unknown": 0}
    ada = Api(token_of(people["ada"]))
    assert all("RateLimit" not in ada.client.get("/api/v1/projects/") for _ in range(5))
