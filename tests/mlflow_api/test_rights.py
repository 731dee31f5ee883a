"""Every call of the table, met by those who may and those who may not."""

from typing import Any

import pytest
from django.core.cache import cache

from accounts.roles import Scope
from mlflow_api.routes import Needs, Route
from tests.factories import Everything, Team, a_token
from tests.mlflow_api.speaking import ANSWERED, REFUSED, SERVED, Mlflow, error_of, good_request, name_of

CLOSED = [route for route in SERVED if route.needs is not Needs.NOTHING]
OF_A_PROJECT = [route for route in CLOSED if route.needs not in (Needs.TOKEN, Needs.LINK)]
WRITING = [route for route in SERVED if route.needs is Needs.LOG]


@pytest.mark.parametrize("route", ANSWERED, ids=name_of)
def test_who_may_gets_an_answer(route: Route, engineer: Mlflow, things: Everything) -> None:
    if route.path.endswith("experiments/restore"):
        engineer.post("experiments/delete", experiment_id=str(things.experiment.pk))
    answer = engineer.make(good_request(route, things))
    assert answer.status_code == 200, answer.content


def test_without_a_token_nobody_gets_in(root: str, things: Everything) -> None:
    nobody = Mlflow("", root)
    for route in CLOSED:
        answer = nobody.make(good_request(route, things))
        assert error_of(answer) == (401, "UNAUTHENTICATED"), name_of(route)
        assert answer["WWW-Authenticate"].startswith("Bearer")


def test_a_wrong_token_is_as_good_as_none(root: str, things: Everything) -> None:
    guessing = Mlflow("mled_" + "x" * 40, root)
    for route in CLOSED:
        cache.clear()  # there are more calls than wrong tokens that one address may send in a minute
        assert error_of(guessing.make(good_request(route, things))) == (401, "UNAUTHENTICATED"), name_of(route)


def test_to_a_stranger_the_project_does_not_exist(stranger: Mlflow, root: str, things: Everything) -> None:
    for route in OF_A_PROJECT:
        good = good_request(route, things)
        stranger.root = root
        seen = stranger.make(good)
        assert error_of(seen) == (404, "RESOURCE_DOES_NOT_EXIST"), name_of(route)
        stranger.root = "/mlflow/no-such-project"
        absent = stranger.make(good)
        assert _without(absent, "no-such-project") == _without(seen, root.removeprefix("/mlflow/")), name_of(route)


def _without(answer: Any, name: str) -> str:
    return str(answer.json()["message"]).replace(name, "")


def test_a_token_that_only_reads_writes_nothing(reader: Mlflow, things: Everything) -> None:
    for route in WRITING:
        answer = reader.make(good_request(route, things))
        assert error_of(answer) == (403, "PERMISSION_DENIED"), name_of(route)
        assert "scope 'log'" in answer.json()["message"], name_of(route)


def test_an_auditor_reads_and_writes_nothing(team: Team, root: str, things: Everything) -> None:
    auditor = Mlflow(a_token(team.auditor, scopes=[Scope.READ])[1], root)
    for route in ANSWERED:
        answer = auditor.make(good_request(route, things))
        assert answer.status_code == (403 if route.needs is Needs.LOG else 200), name_of(route)


def test_an_administrator_reads_nothing(team: Team, root: str, things: Everything) -> None:
    administrator = Mlflow(a_token(team.administrator, scopes=[Scope.READ])[1], root)
    answer = administrator.send("GET", "2.0/mlflow/runs/get", {"run_id": things.run.uid.hex})
    assert error_of(answer) == (404, "RESOURCE_DOES_NOT_EXIST")


def test_what_is_not_served_says_so_by_name(engineer: Mlflow) -> None:
    for route in REFUSED:
        path = route.path.replace("{path:any}", "a/b").replace("{", "").replace("}", "")
        answer = engineer.send(route.method, path)
        assert error_of(answer) == (501, "NOT_IMPLEMENTED"), name_of(route)
        assert route.path in answer.json()["message"]
