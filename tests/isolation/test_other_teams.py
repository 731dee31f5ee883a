"""A second team sees nothing of the first: by id, name, search, path or history, at no door, by no method.

The strongest form of it: what the second team is told about the first team's things is what it is told about things
that do not exist at all.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.apps import apps
from django.core.cache import cache
from django.test import Client

from accounts.roles import Role, Scope
from accounts.scoping import ProjectScoped
from audit.ledger.models import AuditEvent
from experiments.search import rare
from tests.factories import PASSWORD, Team, a_member, a_run, a_team, a_token, a_user, everything, join, user_of
from tests.isolation.asking import (
    WORD,
    Answer,
    Asked,
    Ids,
    ids_of,
    is_about_a_project,
    made_up,
    mlflow_requests,
    page_requests,
    rest_requests,
    search_requests,
)


@dataclass(frozen=True)
class Neighbours:
    """The first team's things, and the second team's credentials. token: its engineer's, with every scope."""

    first: Team
    second: Team
    theirs: Ids
    nothing: Ids
    token: str
    client: Client


@pytest.fixture(scope="module")
def stock(databases, django_db_setup, django_db_blocker) -> Iterator[tuple[Team, Team, Ids]]:
    """Both teams, in a database of this module's own; what a test does there is rolled back."""
    place = databases.committed()
    with django_db_blocker.unblock():
        place.__enter__()
        first, second = a_team(), a_team()
        theirs = ids_of(everything(first.scientist, first.project, WORD))
        a_run(second.engineer, name="mine")
    yield first, second, theirs
    with django_db_blocker.unblock():
        place.__exit__(None, None, None)


@pytest.fixture
def neighbours(stock: tuple[Team, Team, Ids], db) -> Neighbours:
    cache.clear()
    rare.forget()
    first, second, theirs = copy.deepcopy(stock)
    _, token = a_token(second.engineer, scopes=list(Scope), default_project=second.project)
    client = Client()
    client.force_login(user_of(second.manager), backend="accounts.backends.EmailBackend")
    return Neighbours(first, second, theirs, made_up(), token, client)


def rows_of_the_first(neighbours: Neighbours) -> dict[str, Any]:
    """All that is stored, without what the second team may have made of its own meanwhile."""
    project = neighbours.first.project.pk
    found: dict[str, Any] = {
        model._meta.label: list(
            model.objects.filter(**{model.project_path or "pk": project}).order_by("pk").values_list()
        )
        for model in apps.get_models()
        if issubclass(model, ProjectScoped)
    }
    found["events"] = AuditEvent.objects.filter(project_id=project, outcome="done").count()
    return found


def told_alike(theirs: Answer, nothing: Answer, neighbours: Neighbours) -> bool:
    """Whether both answers say the same, but for the ids that were asked with."""
    if theirs.status != nothing.status:
        return False
    if theirs.status < 400:
        return True  # what it found of one's own; that nothing leaked is asked apart
    return theirs.without(*neighbours.theirs) == nothing.without(*neighbours.nothing)


def check(pairs: Iterator[tuple[Asked, Asked]], neighbours: Neighbours, client: Client, token: str = "") -> int:
    """Ask for the first team's things and for nothing; return how many requests were made."""
    count = 0
    for about_them, about_nothing in pairs:
        count += 1
        nothing = about_nothing.by(client, token)
        theirs = about_them.by(client, token)
        assert theirs.status < 500 or theirs.status == 501, f"{about_them}: {theirs.status} {theirs.text[:300]}"
        sent = about_them.path + about_them.body.decode(errors="replace")
        left = theirs.without(*neighbours.theirs)
        for own in (f"{WORD}-loss", f"{WORD}-tag", f"{WORD}-param", f"{WORD}-data", f"{WORD}-model", WORD):
            left = left.replace(own, "") if own in sent else left
        assert WORD not in left, f"{about_them} shows {left[max(0, left.index(WORD) - 200) :][:400]}"
        assert told_alike(theirs, nothing, neighbours), (
            f"{about_them}: {theirs.status} {theirs.text[:300]}\nabout nothing: {nothing.status} {nothing.text[:300]}"
        )
    return count


def test_by_mlflows_protocol_at_the_first_teams_address(neighbours):
    """Whatever is asked there: the project does not exist."""
    at = f"/mlflow/{neighbours.theirs.slug}"
    for asked in itertools.chain(mlflow_requests(neighbours.theirs, at=at), search_requests(neighbours.theirs, at=at)):
        answer = asked.by(Client(), neighbours.token)
        if is_about_a_project(asked):
            assert answer.status == 404, f"{asked}: {answer.status} {answer.text[:300]}"
            assert "RESOURCE_DOES_NOT_EXIST" in answer.text
            assert WORD not in answer.without(*neighbours.theirs)


def test_by_mlflows_protocol_with_a_header_that_names_the_first_teams_project(neighbours):
    for asked in mlflow_requests(neighbours.theirs, at="", headers={"X-MLFLOW-WORKSPACE": neighbours.theirs.slug}):
        if is_about_a_project(asked):
            assert asked.by(Client(), neighbours.token).status == 404, asked


@pytest.mark.parametrize("own_address", [True, False], ids=["own address", "default project"])
def test_by_mlflows_protocol_with_the_first_teams_ids_at_an_address_of_ones_own(neighbours, own_address):
    at = f"/mlflow/{neighbours.second.project.slug}" if own_address else ""
    before = rows_of_the_first(neighbours)
    pairs = zip(mlflow_requests(neighbours.theirs, at=at), mlflow_requests(neighbours.nothing, at=at), strict=True)
    assert check(pairs, neighbours, Client(), neighbours.token) > 40
    searches = zip(search_requests(neighbours.theirs, at=at), search_requests(neighbours.nothing, at=at), strict=True)
    assert check(searches, neighbours, Client(), neighbours.token) > 10
    assert rows_of_the_first(neighbours) == before


def test_by_rest_with_a_token(neighbours):
    before = rows_of_the_first(neighbours)
    pairs = zip(rest_requests(neighbours.theirs), rest_requests(neighbours.nothing), strict=True)
    assert check(pairs, neighbours, Client(), neighbours.token) > 20
    assert rows_of_the_first(neighbours) == before


def test_by_rest_with_a_session(neighbours):
    pairs = zip(rest_requests(neighbours.theirs), rest_requests(neighbours.nothing), strict=True)
    assert check(pairs, neighbours, neighbours.client) > 20


def test_by_pages(neighbours):
    before = rows_of_the_first(neighbours)
    left_out = ("login", "logout", "me/", "setup")
    for asked in page_requests(neighbours.theirs):
        if asked.what.startswith(left_out) or asked.what.startswith("^login"):
            continue
        answer = asked.by(neighbours.client)
        assert answer.status < 500, f"{asked}: {answer.status}"
        left = answer.without(*neighbours.theirs)
        left = left.replace(WORD, "") if WORD in asked.path else left
        assert WORD not in left, f"{asked} shows {left[max(0, left.index(WORD) - 200) :][:400]}"
        names_it = any(part in asked.path.split("/") for part in neighbours.theirs)
        if names_it and asked.method == "GET" and answer.status != 405:
            assert answer.status == 404, f"{asked}: {answer.status}"
        if names_it and asked.method == "POST":
            assert answer.status in (404, 405), f"{asked}: {answer.status}"
    assert rows_of_the_first(neighbours) == before


def test_an_absent_page_and_a_hidden_one_look_the_same(neighbours):
    for path in (
        "/p/{slug}/",
        "/p/{slug}/runs/",
        "/p/{slug}/members/",
        "/r/{run}/",
        "/r/{run}/params/",
        "/r/{readable}/",
    ):
        answers = [
            Asked("pages", "GET", path.format(slug=ids.slug, run=ids.run, readable=ids.readable)).by(neighbours.client)
            for ids in (neighbours.theirs, neighbours.nothing)
        ]
        hidden, absent = answers[0].without(*neighbours.theirs), answers[1].without(*neighbours.nothing)
        assert [answer.status for answer in answers] == [404, 404]
        assert hidden == absent, path


def test_those_who_belong_get_all_of_it(neighbours):
    """The same requests by the first team find what they ask for, so that a 404 above means something."""
    _, token = a_token(neighbours.first.scientist, scopes=list(Scope))
    at = f"/mlflow/{neighbours.theirs.slug}"
    reads = [
        asked
        for asked in mlflow_requests(neighbours.theirs, at=at)
        if asked.method == "GET"
        and is_about_a_project(asked)
        and "/presigned/" not in asked.path  # only where clients reach the store
    ]
    found = [asked.by(Client(), token) for asked in reads]
    assert {answer.status for answer in found} <= {200, 404}
    assert sum(WORD in answer.text for answer in found) > 5
    client = Client()
    client.force_login(user_of(neighbours.first.manager), backend="accounts.backends.EmailBackend")
    seen = [asked.by(client) for asked in page_requests(neighbours.theirs) if asked.method == "GET"]
    assert sum(answer.status == 200 and WORD in answer.text for answer in seen) > 5
    rest = [asked.by(Client(), token) for asked in rest_requests(neighbours.theirs) if asked.method == "GET"]
    assert sum(answer.status == 200 and WORD in answer.text for answer in rest) > 5


def test_a_token_of_the_first_project_is_blind_for_the_second_of_the_same_person(neighbours):
    """One person in both teams, with a token for one project: as if they were only in that one."""

    join(neighbours.first.project, neighbours.second.engineer, Role.ML_ENGINEER)
    _, narrow = a_token(neighbours.second.engineer, scopes=list(Scope), projects=[neighbours.second.project])
    at = f"/mlflow/{neighbours.second.project.slug}"
    pairs = zip(mlflow_requests(neighbours.theirs, at=at), mlflow_requests(neighbours.nothing, at=at), strict=True)
    check(pairs, neighbours, Client(), narrow)
    pairs = zip(rest_requests(neighbours.theirs), rest_requests(neighbours.nothing), strict=True)
    check(pairs, neighbours, Client(), narrow)


def test_signing_in_leads_to_ones_own_projects_only(neighbours):

    user = a_user("Nils", password=PASSWORD)
    join(neighbours.second.project, user, Role.DATA_SCIENTIST)
    client = Client()
    client.post("/login/", {"login": user.email, "password": PASSWORD})
    text = client.get("/projects/").content.decode() + client.get("/").content.decode()
    assert neighbours.second.project.slug in text
    assert neighbours.first.project.slug not in text


def test_a_new_member_of_the_second_team_is_no_member_of_the_first(neighbours):
    newcomer = a_member(neighbours.second.project)
    client = Client()
    client.force_login(user_of(newcomer), backend="accounts.backends.EmailBackend")
    assert client.get(f"/p/{neighbours.second.project.slug}/").status_code == 200
    assert client.get(f"/p/{neighbours.first.project.slug}/").status_code == 404
