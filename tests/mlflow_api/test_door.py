"""How a call finds its project, and what the door says of itself and of what goes wrong."""

import json

import pytest
import redis
from django.db import InterfaceError, OperationalError

from accounts.authentication import FAILURES_A_MINUTE
from mlflow_api.door import is_ours
from tests.factories import Everything, Team, a_token
from tests.mlflow_api.speaking import Mlflow, error_of


def names(client: Mlflow, **more: object) -> list[str]:
    answer = client.send("GET", "2.0/mlflow/experiments/search", {}, **more)
    assert answer.status_code == 200, answer.content
    return [experiment["name"] for experiment in answer.json()["experiments"]]


def test_the_path_names_the_project(engineer: Mlflow, things: Everything) -> None:
    assert things.experiment.name in names(engineer)


def test_a_header_names_the_project_where_the_path_does_not(team: Team, things: Everything) -> None:
    bare = Mlflow(a_token(team.engineer)[1])
    assert things.experiment.name in names(bare, headers={"X-MLFLOW-WORKSPACE": team.project.slug})


def test_else_the_token_does(team: Team, things: Everything) -> None:
    assert things.experiment.name in names(Mlflow(a_token(team.engineer, default_project=team.project)[1]))


def test_else_the_answer_says_how_to_name_it(team: Team) -> None:
    answer = Mlflow(a_token(team.engineer)[1]).send("GET", "2.0/mlflow/experiments/search")
    assert error_of(answer) == (400, "INVALID_PARAMETER_VALUE")
    assert "/mlflow/<project>" in answer.json()["message"]


def test_the_path_counts_more_than_the_header(engineer: Mlflow, things: Everything) -> None:
    assert things.experiment.name in names(engineer, headers={"X-MLFLOW-WORKSPACE": "no-such-project"})


def test_ajax_paths_answer_alike(team: Team, things: Everything) -> None:
    client = Mlflow(a_token(team.engineer, default_project=team.project)[1])
    asked = {"run_id": things.run.uid.hex}
    assert client.get("/ajax-api/2.0/mlflow/runs/get", **asked) == client.get("runs/get", **asked)


@pytest.mark.parametrize("root", ["", "/mlflow/any-project"])
def test_health_and_version_need_no_credential(root: str, db: None) -> None:
    nobody = Mlflow("", root)
    assert nobody.send("GET", "/health").content == b"OK"
    assert nobody.send("GET", "/version").content.count(b".") == 2
    assert nobody.client.head(f"{root}/health").content == b""


def test_the_server_says_that_it_offers_no_other_transfer(engineer: Mlflow) -> None:
    info = engineer.get("3.0/mlflow/server-info")
    assert info.keys() >= {"multipart_uploads_enabled", "workspaces_enabled"}
    assert not any(info.values())


@pytest.mark.parametrize(
    "path", ["/api/2.0/mlflow/runs/nothing", "/api/2.0/mlflow/runs/get/", "/ajax-api/9.0/mlflow/runs/get"]
)
def test_an_unknown_path_is_no_endpoint(path: str, engineer: Mlflow) -> None:
    assert error_of(engineer.send("GET", path)) == (404, "ENDPOINT_NOT_FOUND")


def test_a_wrong_method_is_told_which_ones_are_right(engineer: Mlflow) -> None:
    answer = engineer.send("PUT", "2.0/mlflow/runs/get")
    assert error_of(answer) == (405, "BAD_REQUEST")
    assert answer["Allow"] == "GET"


def test_a_session_counts_for_nothing_here(team: Team, root: str) -> None:
    from accounts.models import User

    page = Mlflow("", root)
    page.client.force_login(User.objects.get(pk=team.engineer.user_id), backend="accounts.backends.EmailBackend")
    assert error_of(page.send("GET", "2.0/mlflow/experiments/search")) == (401, "UNAUTHENTICATED")


def test_another_host_name_is_refused(engineer: Mlflow) -> None:
    answer = engineer.send("GET", "2.0/mlflow/experiments/search", headers={"host": "evil.example.org"})
    assert error_of(answer) == (400, "INVALID_PARAMETER_VALUE")


def test_every_answer_carries_the_id_that_the_log_knows(engineer: Mlflow) -> None:
    answer = engineer.send("GET", "2.0/mlflow/runs/get", {"run_id": "0" * 32})
    assert answer.json()["request_id"] == answer["X-Request-ID"]
    assert answer["X-Content-Type-Options"] == "nosniff"


def test_a_bug_shows_nothing_of_the_inside(
    engineer: Mlflow, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*args: object, **kwargs: object) -> None:
        raise KeyError("SELECT password FROM /etc/shadow")

    monkeypatch.setattr("mlflow_api.endpoints.runs.get_run", broken)
    answer = engineer.send("GET", "2.0/mlflow/runs/get", {"run_id": "0" * 32})
    assert error_of(answer) == (500, "INTERNAL_ERROR")
    assert "password" not in answer.content.decode()
    assert answer.json()["request_id"] in caplog.text
    assert "KeyError" in caplog.text


@pytest.mark.parametrize("kind", [OperationalError, InterfaceError, redis.ConnectionError, redis.TimeoutError])
def test_a_part_that_is_away_asks_to_come_back(
    engineer: Mlflow, monkeypatch: pytest.MonkeyPatch, kind: type[Exception]
) -> None:
    def away(*args: object, **kwargs: object) -> None:
        raise kind("could not connect to server at 10.0.0.7")

    monkeypatch.setattr("mlflow_api.endpoints.runs.get_run", away)
    answer = engineer.send("GET", "2.0/mlflow/runs/get", {"run_id": "0" * 32})
    assert error_of(answer) == (503, "TEMPORARILY_UNAVAILABLE")
    assert answer["Retry-After"]
    assert "10.0.0.7" not in answer.content.decode()


def test_guessing_tokens_is_slowed_down(root: str, db: None) -> None:
    guessing = Mlflow("mled_" + "x" * 40, root)
    answers = [guessing.send("GET", "2.0/mlflow/experiments/search") for _ in range(FAILURES_A_MINUTE + 1)]
    assert error_of(answers[-2]) == (401, "UNAUTHENTICATED")
    assert error_of(answers[-1]) == (429, "REQUEST_LIMIT_EXCEEDED")
    assert answers[-1]["Retry-After"]


def test_logging_a_metric_takes_few_queries(
    engineer: Mlflow, things: Everything, django_assert_max_num_queries: object
) -> None:
    asked = {"run_id": things.run.uid.hex, "key": "loss", "value": 1, "timestamp": 1}
    engineer.post("runs/log-metric", **asked)
    with django_assert_max_num_queries(9):  # type: ignore[operator]
        engineer.post("runs/log-metric", **asked | {"step": 1})


def test_a_batch_of_a_thousand_points_takes_few_for_each_of_its_keys(
    engineer: Mlflow, things: Everything, django_assert_max_num_queries: object
) -> None:
    points = [{"key": f"m{step % 5}", "value": step, "timestamp": step, "step": step} for step in range(1000)]
    with django_assert_max_num_queries(20):  # type: ignore[operator]
        engineer.post("runs/log-batch", run_id=things.run.uid.hex, metrics=points)


@pytest.mark.parametrize(
    ("path", "ours"),
    [
        ("/api/2.0/mlflow/runs/get", True),
        ("/api/2.0/mlflow-artifacts/artifacts", True),
        ("/api/3.0/mlflow/traces", True),
        ("/ajax-api/2.0/mlflow/runs/get", True),
        ("/mlflow/vision/api/2.0/mlflow/runs/get", True),
        ("/mlflow/vision/health", True),
        ("/health", True),
        ("/mlflow/vision", False),
        ("/mlflow/vision/", False),
        ("/api/v1/runs", False),
        ("/healthy", False),
        ("/", False),
    ],
)
def test_which_paths_belong_to_the_protocol(path: str, ours: bool) -> None:
    assert is_ours(path) is ours


def test_errors_are_json_to_the_byte(engineer: Mlflow) -> None:
    answer = engineer.send("POST", "2.0/mlflow/experiments/create", {"name": "ünï" * 300})
    assert json.loads(answer.content)["field"] == "name"
