"""A search that takes too long is stopped, and every door says so in its own words and stays usable."""

import json
from collections.abc import Iterator

import pytest
from django.db import connection
from django.template.loader import render_to_string
from django.test import Client

from accounts.actions.tokens import create_token, new_secret
from audit.compliance.queries.report_standing import runs_matching
from experiments.queries.search import count_runs
from experiments.search.columns import Column, Kind
from experiments.search.vocabularies import RUNS
from kernel.actor import operator
from tests.search.conftest import Team, make_team
from tests.search.zoo import ANIMALS

ENDLESS = "(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000000) SELECT COUNT(*) FROM n)"


@pytest.fixture
def zoo(committed_db: str) -> Team:
    """As a request meets it: without a transaction around it that a stopped statement would end."""
    return make_team("zoo", ANIMALS)


@pytest.fixture
def slow(zoo: Team, settings) -> Iterator[str]:
    """A filter that takes minutes, under a limit of a tenth of a second."""
    settings.MLED_SEARCH_SECONDS = 0.1
    RUNS.register(Column("endless", Kind.NUMBER, ENDLESS, mlflow=True))
    yield "endless > 5"
    del RUNS.columns["endless"]


def bearer(zoo: Team) -> dict[str, str]:
    secret = new_secret()
    create_token(operator(), name="slow", secret=secret, owner=zoo.user, default_project=zoo.project)
    return {"authorization": f"Bearer {secret}"}


def test_the_page_keeps_the_query_and_shows_runs(zoo, slow):
    reader = Client()
    reader.force_login(zoo.user, "accounts.backends.EmailBackend")
    page = reader.get(f"/p/{zoo.project.slug}/runs/", {"q": slow, "tree": "0", "sort": "-metrics.acc"})
    told = page.content.decode()
    assert page.status_code == 200
    assert "takes longer than 0.1 seconds" in told
    assert "add a condition that few runs satisfy" in told
    assert "endless &gt; 5" in told
    assert "ant" in told


def test_clients_are_told_not_to_try_again(zoo, slow):
    asked = {"experiment_ids": [str(zoo.experiment.pk)], "filter": slow}
    path = f"/mlflow/{zoo.project.slug}/api/2.0/mlflow/runs/search"
    answer = Client(headers=bearer(zoo)).post(path, json.dumps(asked), content_type="application/json")
    assert answer.status_code == 400
    assert answer.json()["error_code"] == "INVALID_PARAMETER_VALUE"
    assert "takes longer than 0.1 seconds" in answer.json()["message"]


def test_rest_tells_the_field(zoo, slow):
    answer = Client(headers=bearer(zoo)).get("/api/v1/runs/", {"project": zoo.project.slug, "q": slow})
    assert answer.status_code == 400
    assert answer.json()["code"] == "QUERY_TOO_SLOW"


def test_a_count_says_that_there_may_be_many(zoo, slow):
    found = count_runs(zoo.viewer, text=slow)
    assert (str(found), found.number, found.at_least) == ("many", 0, True)
    preview = runs_matching(zoo.viewer, zoo.project, text=slow, experiments=None, lifecycle="active")
    told = render_to_string("compliance/report_count.html", {"facts": {"matching": preview}, "own_only": True})
    assert "Many runs" in told
    assert "Not all of them" not in told
    assert connection.is_usable()
