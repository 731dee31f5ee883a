"""Failures that somebody meets who asks: programs, MLflow clients, people at a page."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import logging
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client

from accounts.actions.tokens import revoke_token
from accounts.roles import Scope
from artifacts.actions.recall import withdraw_version
from artifacts.models import DatasetVersion
from experiments.actions.batches import log_batch
from experiments.actions.runs import lock_run
from kernel import clock
from tests.artifacts.stores import Files
from tests.factories import Team, a_batch, a_dataset, a_run, a_team, a_token, a_version, again, unique, user_of
from tests.site.provoking import Hands, Told, bearer, mlflow, page, provokes, rest, signed_in


def a_teams(hands: Hands) -> Team:
    hands("db")
    cache.clear()  # wrong tokens of other tests do not count here
    return a_team()


def log_param(team: Team, run: Any, key: str, value: str) -> Any:
    asked = json.dumps({"run_id": run.uid.hex, "key": key, "value": value})
    where = f"/mlflow/{team.project.slug}/api/2.0/mlflow/runs/log-parameter"
    return bearer(a_token(team.scientist)[1]).post(where, asked, content_type="application/json")


# --- Who asks


@provokes("no token")
def no_token(hands: Hands) -> Told:
    hands("db")
    return mlflow(Client().get("/mlflow/anything/api/2.0/mlflow/experiments/get?experiment_id=0"))


@provokes("token expired")
def token_expired(hands: Hands) -> Told:
    secret = a_token(a_teams(hands).scientist, days=1)[1]
    later = clock._now() + dt.timedelta(days=2).total_seconds()
    hands("monkeypatch").setattr(clock, "_now", lambda: later)
    return rest(bearer(secret).get("/api/v1/runs/"))


@provokes("token revoked")
def token_revoked(hands: Hands) -> Told:
    team = a_teams(hands)
    token, secret = a_token(team.scientist)
    revoke_token(team.scientist, token=token)
    return rest(bearer(secret).get("/api/v1/runs/"))


@provokes("token without the scope")
def wrong_scope(hands: Hands) -> Told:
    team = a_teams(hands)
    secret = a_token(team.scientist, scopes=[Scope.READ])[1]
    return rest(bearer(secret).post(f"/api/v1/projects/{team.project.slug}/uploads/", {}, "application/json"))


@provokes("not yours")
def not_yours(hands: Hands) -> Told:
    team, other = a_teams(hands), a_team()
    run = a_run(team.scientist)
    return rest(bearer(a_token(other.scientist)[1]).get(f"/api/v1/runs/{run.uid.hex}/"))


@provokes("role does not allow it")
def role(hands: Hands) -> Told:
    return page(signed_in(user_of(a_teams(hands).scientist)).get("/diagnostics/"))


@provokes("form open for too long")
def form_too_old(hands: Hands) -> Told:
    team = a_teams(hands)
    client = Client(enforce_csrf_checks=True)
    client.force_login(user_of(team.scientist), backend="accounts.backends.EmailBackend")
    return page(client.post(f"/r/{a_run(team.scientist).uid.hex}/do/delete/"))


@provokes("unknown host name")
def unknown_host(hands: Hands) -> Told:
    hands("db")
    hands("settings").ALLOWED_HOSTS = ["mled.example.org"]
    told = page(Client(raise_request_exception=False).get("/login/", HTTP_HOST="other.example.org"))
    api = rest(Client(raise_request_exception=False).get("/api/v1/runs/", HTTP_HOST="other.example.org"))
    assert api.code == told.code
    assert api.what in told.what
    return told


# --- What is asked


@provokes("body too large")
def body_too_large(hands: Hands) -> Told:
    team = a_teams(hands)
    body = json.dumps({"name": "x" * 6 * 1024**2})
    client = bearer(a_token(team.scientist)[1])
    return rest(client.post(f"/api/v1/projects/{team.project.slug}/uploads/", body, "application/json"))


@provokes("broken JSON")
def broken_json(hands: Hands) -> Told:
    team = a_teams(hands)
    client = bearer(a_token(team.scientist)[1])
    return rest(client.post(f"/api/v1/projects/{team.project.slug}/uploads/", '{"size_bytes": 3,}', "application/json"))


@provokes("wrong line of a query")
def wrong_query(hands: Hands) -> Told:
    client = bearer(a_token(a_teams(hands).scientist)[1])
    return rest(client.get("/api/v1/runs/", {"q": "metrics.loss >< 3"}))


@provokes("curve of an unknown metric")
def unknown_metric(hands: Hands) -> Told:
    team = a_teams(hands)
    run = a_run(team.scientist)
    log_batch(team.scientist, run=run, batch=a_batch())
    return page(signed_in(user_of(team.scientist)).get(f"/r/{run.uid.hex}/curves.bin", {"key": "los"}))


@provokes("call that MLED does not serve")
def not_served(hands: Hands) -> Told:
    team = a_teams(hands)
    where = f"/mlflow/{team.project.slug}/api/3.0/mlflow/traces/search"
    return mlflow(bearer(a_token(team.scientist)[1]).post(where, "{}", content_type="application/json"))


# --- Uploads


def begun(hands: Hands, content: bytes, *, announced: int = 0, digest: str = "") -> tuple[Client, str]:
    """An upload, announced and sent as far as it goes: who sends it, and its id."""
    team = a_teams(hands)
    client = bearer(a_token(team.scientist)[1])
    asked = {"size_bytes": announced or len(content), "digest": digest}
    made = client.post(f"/api/v1/projects/{team.project.slug}/uploads/", asked, "application/json").json()
    where = f"/api/v1/uploads/{made['id']}/"
    client.patch(where, content, "application/octet-stream", headers={"Upload-Offset": "0"})
    return client, where


@provokes("upload broken off")
def upload_broken_off(hands: Hands) -> Told:
    client, where = begun(hands, b"only so much", announced=100)
    return rest(client.post(f"{where}finish/"))


@provokes("content of another digest")
def wrong_digest(hands: Hands) -> Told:
    client, where = begun(hands, b"these bytes", digest=hashlib.sha256(b"others").hexdigest())
    return rest(client.post(f"{where}finish/"))


@provokes("file store full")
def store_full(hands: Hands) -> Told:
    """The system refuses larger files, as under a quota."""
    team = a_teams(hands)
    run = a_run(team.scientist)
    where = f"/mlflow/{team.project.slug}/api/2.0/mlflow-artifacts/artifacts/0/{run.uid.hex}/artifacts/big.bin"
    client = bearer(a_token(team.scientist)[1])
    with Files(hands("tmp_path") / "blobs").full() as store:
        hands("settings").MLED_BLOBS = str(store.root)
        return mlflow(client.put(where, b"x" * 300_000, content_type="application/octet-stream"))


# --- States


@provokes("run locked")
def run_locked(hands: Hands) -> Told:
    team = a_teams(hands)
    run = a_run(team.scientist)
    lock_run(team.scientist, run)
    return mlflow(log_param(team, run, "lr", "0.1"))


@provokes("param changed")
def param_changed(hands: Hands) -> Told:
    team = a_teams(hands)
    run = a_run(team.scientist)
    assert log_param(team, run, "lr", "0.1").status_code == 200
    return mlflow(log_param(team, run, "lr", "0.2"))


@provokes("param changed, as MLflow's client prints it")
def param_changed_by_client(hands: Hands) -> Told:
    """MLflow's own client against a real server."""
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    live, slug, email = hands("live_mled"), unique("told"), f"{unique('told')}@example.org"
    live.create_project(slug)
    live.create_user(email, role="data_scientist", project=slug)
    hands("monkeypatch").setenv("MLFLOW_TRACKING_TOKEN", live.issue_token(email, project=slug))
    client = MlflowClient(tracking_uri=live.tracking_uri(slug))
    run = client.create_run("0").info.run_id
    client.log_param(run, "lr", 0.1)
    with pytest.raises(MlflowException) as refusal:
        client.log_param(run, "lr", 0.2)
    return Told(refusal.value.error_code, str(refusal.value), str(refusal.value))


@provokes("dataset version recalled")
def recalled(hands: Hands) -> Told:
    team = a_teams(hands)
    version: DatasetVersion = a_version(team.scientist, a_dataset(team.scientist, name="churn"))
    withdraw_version(again(team.scientist), version, reason="labels are wrong")
    dataset = {"name": "churn", "digest": version.digest[:36], "source_type": "local", "source": "x"}
    asked = {"run_id": a_run(team.scientist).uid.hex, "datasets": [{"dataset": dataset}]}
    where = f"/mlflow/{team.project.slug}/api/2.0/mlflow/runs/log-inputs"
    return mlflow(bearer(a_token(team.scientist)[1]).post(where, json.dumps(asked), content_type="application/json"))


# --- What is not the asker's doing


def lose_database() -> None:
    """It is taken from under the server, which finds another, empty one in its place."""
    connection.close()
    name = Path(connection.settings_dict["NAME"])
    name.rename(name.with_suffix(".elsewhere"))


@provokes("database gone while a program asks")
def database_gone_for_program(hands: Hands) -> Told:
    hands("committed_db")
    client = bearer(a_token(a_team().scientist)[1])
    lose_database()
    return rest(client.get("/api/v1/runs/"))


@provokes("database gone while somebody reads")
def database_gone_for_reader(hands: Hands) -> Told:
    hands("committed_db")
    client = signed_in(user_of(a_team().scientist))
    lose_database()
    return page(client.get("/"))


# --- A bug of ours


@provokes("a bug")
def a_bug(hands: Hands) -> Told:
    """A page breaks: its id finds the line of the log that tells all of it."""
    from experiments.pages import run as run_pages
    from mled_site.log_lines import Line

    def broken(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("secret detail of the database")

    team = a_teams(hands)
    run = a_run(team.scientist)
    hands("monkeypatch").setattr(run_pages, "run_frame", broken)
    caplog = hands("caplog")
    with caplog.at_level(logging.ERROR, logger="django.request"):
        answer = signed_in(user_of(team.scientist)).get(f"/r/{run.uid.hex}/")
    told = page(answer)
    assert "secret detail" not in answer.content.decode()
    lines = [Line("%(message)s").format(record) for record in caplog.records]
    assert any(told.id in line and "secret detail" in line for line in lines)
    return told
