"""Promotions, signatures, governance and webhooks over REST."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from accounts.identity import VERB
from accounts.roles import Scope
from accounts.signing import WINDOW
from audit.ledger.models import AuditEvent
from kernel import clock
from kernel.actor import Actor
from registry.models import Delivery, ModelAlias, Webhook
from tests.factories import PASSWORD, Team, a_person, a_token, user_of
from tests.registry.promoting import a_candidate, a_governed_team, asked_for, log_goes_on

ALL = (Scope.READ, Scope.LOG, Scope.MANAGE)


class Door:
    """A person at the REST door: by token, or in a session with its CSRF token."""

    def __init__(self, person: Actor, *, session: bool = False) -> None:
        self.client, self.headers = Client(enforce_csrf_checks=session), {}
        if session:
            self.client.force_login(user_of(person), backend="accounts.backends.EmailBackend")
            self.client.get("/")
            self.headers = {"X-CSRFToken": self.client.cookies["mled_csrf"].value}
        else:
            self.headers = {"Authorization": f"Bearer {a_token(person, scopes=ALL)[1]}"}

    def __call__(self, method: str, path: str, expecting: int = 200, **body: Any) -> Any:
        sent = json.dumps(body) if method not in ("GET",) else ""
        answer = self.client.generic(method, f"/api/v1/{path}", sent, "application/json", headers=self.headers)
        assert answer.status_code == expecting, answer.content.decode()
        return answer.json()


@pytest.fixture(autouse=True)
def data(settings: Any, tmp_path: Any, db: None) -> None:
    settings.MLED_DATA = tmp_path
    cache.clear()


@pytest.fixture
def team() -> Team:
    return a_governed_team()


def test_from_asking_to_effect(team):
    version = a_candidate(team.scientist, team.project)
    ada, mona = Door(team.scientist), Door(team.manager, session=True)
    place = f"projects/{team.project.slug}/promotions/"
    asked = ada("POST", place, 201, model=version.model.name, version=1, target="champion", comment="Better.")
    assert (asked["state"], asked["asked_by"], asked["may_decide"]) == ("asked", "Ada", False)
    assert {gate["outcome"] for gate in asked["gates"]} == {"pass", "warn"}
    assert ada("GET", place)["results"][0]["id"] == asked["id"]

    decision = f"promotions/{asked['id']}/decision/"
    unproven = mona("POST", decision, 403, approve=True)
    assert unproven["code"] == "PROOF_NEEDED"
    wrong = mona("POST", decision, 400, approve=True, email=user_of(team.manager).email, password="wrong")
    assert wrong["field"] == "password"
    mine = {"email": user_of(team.manager).email, "password": PASSWORD}
    approved = mona("POST", decision, approve=True, comment="Checked.", **mine)
    assert approved["state"] == "approved"
    assert approved["effective_at"] is None
    signature = approved["signature"]
    assert signature["meaning"] == f"Approved for alias champion: {version}"
    assert (signature["printed_name"], signature["factors"], signature["seq"]) == ("Mona", ["e-mail", "password"], None)
    assert PASSWORD not in json.dumps(approved)
    assert mona("POST", decision, 409, approve=True, password=PASSWORD)["title"].startswith(
        "You approved this promotion already"
    )

    log_goes_on()
    done = ada("GET", f"promotions/{asked['id']}/")
    assert done["effective_at"]
    assert done["signature_state"]["matches"]
    assert done["signature_state"]["is_covered"]
    assert ModelAlias.objects.get(name="champion").version_id == version.pk
    assert ada("GET", f"signatures/{signature['id']}/")["digest"] == signature["digest"]
    one = ada("GET", f"signatures/{signature['id']}/")
    assert ada("GET", f"projects/{team.project.slug}/signatures/")["results"] == [one]
    assert one["seq"] is not None


def test_signatures_are_listed_with_the_same_few_queries_whatever_their_number(team, django_assert_max_num_queries):
    mine = {"email": user_of(team.manager).email, "password": PASSWORD}
    mona, address = Door(team.manager, session=True), f"projects/{team.project.slug}/signatures/"
    for wanted in (1, 2, 3):
        mona("POST", f"promotions/{asked_for(team).pk}/decision/", approve=False, comment="No.", **mine)
        with django_assert_max_num_queries(8):
            listed = mona("GET", address)["results"]
        assert [one["seq"] for one in listed] == [None] * wanted


def test_each_later_signature_of_a_session_takes_the_password(team):
    first, second = asked_for(team), asked_for(team)
    mona = Door(team.manager, session=True)
    mine = {"email": user_of(team.manager).email, "password": PASSWORD}
    mona("POST", f"promotions/{first.pk}/decision/", approve=False, comment="No.", **mine)
    later = f"promotions/{second.pk}/decision/"
    assert mona("POST", later, 403, approve=False, comment="No.")["code"] == "PROOF_NEEDED"
    mona("POST", later, approve=False, comment="No.", password=PASSWORD)


def test_what_comes_after_five_minutes_without_the_address_is_no_attempt(team, monkeypatch):
    first, second = asked_for(team), asked_for(team)
    mona = Door(team.manager, session=True)
    mine = {"email": user_of(team.manager).email, "password": PASSWORD}
    mona("POST", f"promotions/{first.pk}/decision/", approve=False, comment="No.", **mine)
    moment = clock._now() + WINDOW.total_seconds() + 1
    monkeypatch.setattr(clock, "_now", lambda: moment)
    later = f"promotions/{second.pk}/decision/"
    for _ in range(6):
        told = mona("POST", later, 403, approve=False, comment="No.", password=PASSWORD)
        assert (told["code"], told["field"]) == ("PROOF_NEEDED", "email")
    assert not AuditEvent.objects.filter(verb=VERB, outcome="denied").exists()
    mona("POST", later, approve=False, comment="No.", **mine)


def test_a_token_cannot_sign_whatever_comes_with_it(team):
    request = asked_for(team)
    script = Door(team.manager)
    mine = {"email": user_of(team.manager).email, "password": PASSWORD}
    refused = script("POST", f"promotions/{request.pk}/decision/", 403, approve=True, **mine)
    assert "in person" in refused["title"]


def test_a_session_without_its_csrf_token_signs_nothing(team):
    request = asked_for(team)
    mona = Door(team.manager, session=True)
    mona.headers = {}
    mona("POST", f"promotions/{request.pk}/decision/", 403, approve=True, password=PASSWORD)


def test_the_checklist_before_anybody_asks(team):
    version = a_candidate(team.scientist, team.project)
    ada = Door(team.scientist)
    query = f"model={version.model.name}&version=1&target=champion"
    found = ada("GET", f"projects/{team.project.slug}/promotions/checklist/?{query}")
    assert [gate["key"] for gate in found][:2] == ["inside", "files"]
    assert ada("GET", f"projects/{team.project.slug}/promotions/checklist/", 400)["field"] == "model"


@pytest.mark.parametrize(
    ("wanted", "status", "field"),
    [
        ({"version": 99}, 404, ""), ({"version": 2**40}, 400, "version"), ({"version": "x"}, 400, "version"),
        ({"model": "nothing"}, 404, ""), ({"target": "challenger"}, 400, "target"), ({"kind": "crown"}, 400, "kind"),
        ({"target": "with space"}, 400, "alias"), ({"comment": "x" * 5000}, 400, "comment"),
        ({"target": None}, 400, "target"),
    ],
)  # fmt: skip
def test_bad_requests_name_their_field(team, wanted, status, field):
    version = a_candidate(team.scientist, team.project)
    asked = {"model": version.model.name, "version": 1, "target": "champion"} | wanted
    answer = Door(team.scientist)("POST", f"projects/{team.project.slug}/promotions/", status, **asked)
    assert answer.get("field", "") == field


def test_withdrawing(team):
    request = asked_for(team)
    Door(team.engineer)("POST", f"promotions/{request.pk}/withdrawal/", 403)
    back = Door(team.scientist)("POST", f"promotions/{request.pk}/withdrawal/", reason="Not yet.")
    assert (back["state"], back["decision_comment"]) == ("withdrawn", "Not yet.")


def test_governance_loosens_with_a_reason_only(team):
    place = f"projects/{team.project.slug}/governance/"
    mona = Door(team.manager)
    assert mona("GET", place) == {"is_governed": True, "protected_names": ["champion", "production"]}
    assert mona("PATCH", place, 400, is_governed=False)["field"] == "reason"
    assert mona("PATCH", place, protected_names=["champion", "production", "Canary"])["protected_names"][-1] == "canary"
    assert mona("PATCH", place, is_governed=False, reason="A trial.")["is_governed"] is False
    Door(team.engineer)("PATCH", place, 403, is_governed=True)
    Door(a_person())("GET", place, 404)


def test_webhooks_show_their_secret_once(team):
    emil = Door(team.engineer)
    place = f"projects/{team.project.slug}/webhooks/"
    made = emil("POST", place, 201, url="https://ci.example.org/mled", events=["alias.set"])
    assert made["secret"].startswith("whsec_")
    assert "secret" not in json.dumps(emil("GET", place))
    one = f"webhooks/{made['id']}/"
    assert emil("PATCH", one, events=[])["events"] == []
    assert emil("PATCH", one, 400, url="http://ci.example.org/")["field"] == "url"
    assert emil("PATCH", one, 400, events=["nothing.real"])["field"] == "events[0]"
    fresh = emil("POST", f"{one}secret/")["secret"]
    assert fresh != made["secret"]
    pinged = emil("POST", f"{one}ping/", 201)
    assert pinged["event"] == "ping"
    assert [row["id"] for row in emil("GET", f"{one}deliveries/")["results"]] == [pinged["id"]]
    emil("POST", f"deliveries/{pinged['id']}/resend/", 201)
    assert Delivery.objects.filter(webhook=Webhook.objects.get()).count() == 2
    emil("PATCH", one, is_active=False)
    emil("POST", f"{one}ping/", 409)
    Door(team.scientist)("GET", one, 404)
    Door(team.auditor)("GET", one)
    Door(team.auditor)("PATCH", one, 403, is_active=True)
