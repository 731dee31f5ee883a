"""People who belong to the house and still do not read everything: administrators, and those who have left."""

from __future__ import annotations

import pytest
from django.core.cache import cache
from django.test import Client

from accounts.actions.members import remove_member
from accounts.actions.users import deactivate_user
from accounts.models import Membership
from accounts.roles import Scope
from kernel.actor import Actor, operator
from mlflow_api.routes import Needs
from tests.factories import Team, a_team, a_token, again, everything, user_of
from tests.isolation.asking import (
    WORD,
    Answer,
    Asked,
    Ids,
    ids_of,
    is_about_a_project,
    mlflow_requests,
    page_requests,
    rest_requests,
    search_requests,
)


@pytest.fixture
def team(db) -> Team:
    cache.clear()
    return a_team()


@pytest.fixture
def ids(team: Team) -> Ids:
    return ids_of(everything(team.scientist, team.project, WORD))


def session_of(actor: Actor) -> Client:
    client = Client()
    client.force_login(user_of(actor), backend="accounts.backends.EmailBackend")
    return client


def everything_asked(ids: Ids) -> list[Asked]:
    at = f"/mlflow/{ids.slug}"
    pages = [
        one for one in page_requests(ids) if not one.what.startswith(("login", "logout", "^login", "me/", "setup"))
    ]
    calls = [one for one in mlflow_requests(ids, at=at) if is_about_a_project(one)]
    return [*pages, *rest_requests(ids), *calls, *search_requests(ids, at=at)]


def leaks(asked: Asked, answer: Answer, ids: Ids) -> bool:
    left = answer.without(*ids)
    sent = asked.path + asked.body.decode(errors="replace")
    return WORD in (left.replace(WORD, "") if WORD in sent else left)


def test_an_administrator_reads_nothing_of_what_a_team_logs(team, ids):
    client = session_of(team.administrator)
    _, token = a_token(team.administrator, scopes=list(Scope), default_project=team.project)
    for asked in everything_asked(ids):
        answers = [asked.by(client)] if asked.door != "mlflow" else []
        answers += [asked.by(Client(), token)] if asked.door != "pages" else []
        for answer in answers:
            assert answer.status < 500, f"{asked}: {answer.status}"
            assert not leaks(asked, answer, ids), f"{asked}: {answer.status} {answer.text[:400]}"


def test_an_administrator_changes_nothing_of_what_a_team_logs(team, ids):
    _, token = a_token(team.administrator, scopes=list(Scope))
    for asked in mlflow_requests(ids, at=f"/mlflow/{ids.slug}"):
        if is_about_a_project(asked) and asked.method != "GET" and "search" not in asked.what:
            assert asked.by(Client(), token).status in (403, 404), asked


@pytest.mark.parametrize("how", ["deactivated", "removed from the project"])
def test_those_who_have_left_are_out_at_once_with_session_and_token(team, ids, how):
    client = session_of(team.scientist)
    _, token = a_token(team.scientist, scopes=list(Scope), default_project=team.project)
    run = f"/r/{ids.run}/"
    read = f"/mlflow/{ids.slug}/api/2.0/mlflow/runs/get?run_id={ids.run}"
    assert client.get(run).status_code == 200
    assert client.get(read, headers={"Authorization": f"Bearer {token}"}).status_code == 200
    if how == "deactivated":
        deactivate_user(operator(), user=user_of(team.scientist), reason="left")
    else:
        membership = Membership.objects.get(user_id=team.scientist.user_id, project=team.project)
        remove_member(again(team.manager), membership)
    for asked in everything_asked(ids):
        answer = asked.by(client) if asked.door != "mlflow" else asked.by(Client(), token)
        assert not leaks(asked, answer, ids), f"{asked}: {answer.status} {answer.text[:400]}"
    assert client.get(run).status_code in (302, 404)
    expected = 401 if how == "deactivated" else 404
    assert client.get(read, headers={"Authorization": f"Bearer {token}"}).status_code in (expected, 429)


def test_an_auditor_reads_all_and_changes_nothing(team, ids):
    client = session_of(team.auditor)
    _, token = a_token(team.auditor, scopes=list(Scope), default_project=team.project)
    seen = [asked.by(client) for asked in page_requests(ids) if asked.method == "GET"]
    assert sum(WORD in answer.text for answer in seen) > 5
    for asked in mlflow_requests(ids, at=f"/mlflow/{ids.slug}"):
        if is_about_a_project(asked) and asked.needs != Needs.READ.value:
            assert asked.by(Client(), token).status in (400, 403, 404), asked
