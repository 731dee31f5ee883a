"""Orders by values that many runs share: each page may be read by another way, and all hold every run once."""

from random import Random

import pytest
from django.db import connection

from experiments.queries.search import Dialect, search_runs
from experiments.search import rare, ties
from experiments.search.databases import fetch
from experiments.search.limits import TEXT_INDEX_LENGTH
from tests.search.conftest import Team, make_team, random_run

NOW = 1_790_000_000
CUT = "z" * TEXT_INDEX_LENGTH
ORDERS = ["params.p", "params.p DESC", "tags.t", "tags.t DESC", "metrics.m", "metrics.m DESC", "status", "status DESC"]
TEXTS = ["", "a", "a", "A", "é", "1", "1.0", "-0", "0", "nan", "inf", "-inf", "b", CUT, f"{CUT}1", f"{CUT}2"]
FLOATS = [0.0, -0.0, 1.0, 1.0, float("inf"), float("-inf"), float("nan"), 5e-324, 1e308]


def a_population(rng: Random, size: int) -> Team:
    """Runs of few values each, some without any, several of which started together."""
    runs = []
    for _ in range(size):
        run = random_run(rng, NOW * 1000)
        run.started_ms = rng.choice((None, NOW * 1000, NOW * 1000 - 1, NOW * 1000 - 2))
        run.params = {"p": rng.choice(TEXTS)} if rng.random() < 0.9 else {}
        run.tags = {"t": rng.choice(TEXTS)} if rng.random() < 0.9 else {}
        run.metrics = {"m": [rng.choice(FLOATS)]} if rng.random() < 0.9 else {}
        runs.append(run)
    return make_team("vision", runs)


def as_among_many(monkeypatch, *, shared: int = 3) -> None:
    monkeypatch.setattr(rare, "MANY", 1)
    monkeypatch.setattr(ties, "SHARED", shared)


@pytest.mark.django_db
@pytest.mark.parametrize("dialect", list(Dialect))
def test_pages_read_by_one_way_and_then_another_hold_each_run_once_in_the_same_order(monkeypatch, dialect):
    rng = Random(7)
    team = a_population(rng, 120)
    for round_ in range(64):
        asked = {"order": [ORDERS[round_ % len(ORDERS)]], "dialect": dialect, "experiments": [team.experiment.pk]}
        monkeypatch.setattr(rare, "MANY", 10**6)
        rare.forget()
        wanted = [run.uid for run in search_runs(team.viewer, **asked).rows]
        assert sorted(wanted) == sorted(run.uid for run in team.runs)
        found: list[str] = []
        after: str | None = ""
        while after is not None:
            monkeypatch.setattr(rare, "MANY", rng.choice((1, 10**6)))
            monkeypatch.setattr(ties, "SHARED", rng.choice((1, 3, 10**6)))
            if rng.random() < 0.5:
                rare.forget()
            page = search_runs(team.viewer, limit=rng.choice((1, 3, 10, 50)), after=after or None, **asked)
            found += [run.uid for run in page.rows]
            after = page.next_token
        assert found == wanted, asked


@pytest.mark.django_db
def test_a_longer_page_that_ends_at_a_cut_text_is_whole_where_a_shorter_one_ended_at_a_shared_one(monkeypatch):
    as_among_many(monkeypatch)
    runs = [random_run(Random(number), NOW * 1000) for number in range(20)]
    for number, run in enumerate(runs):
        run.params = {"p": "a" if number < 8 else f"{CUT}{number}"}
    team = make_team("vision", runs)
    asked = {"order": ["params.p"], "experiments": [team.experiment.pk]}
    assert len(search_runs(team.viewer, limit=4, **asked).rows) == 4
    page = search_runs(team.viewer, limit=15, **asked)
    assert len(page.rows) == 15
    assert page.next_token is not None


@pytest.mark.django_db
def test_a_page_does_not_end_where_runs_go_while_it_is_read(monkeypatch):
    as_among_many(monkeypatch)
    runs = [random_run(Random(number), NOW * 1000) for number in range(20)]
    for number, run in enumerate(runs):
        run.params = {"p": "a" if number < 8 else "b"}
    team = make_team("vision", runs)
    asked = {"order": ["params.p"], "experiments": [team.experiment.pk], "limit": 6}
    search_runs(team.viewer, **asked)
    read = []

    def after_which_some_go(statement, **how):
        rows = fetch(statement, **how)
        read.append(statement)
        if len(read) == 1:  # the value that the page ends with is known by now
            with connection.cursor() as cursor:
                cursor.execute(
                    "UPDATE experiments_run SET lifecycle = 'deleted' WHERE id IN"
                    " (SELECT run_id FROM experiments_param WHERE key = 'p' AND value = 'a')"
                )
        return rows

    monkeypatch.setattr(ties, "fetch", after_which_some_go)
    page = search_runs(team.viewer, **asked)
    assert len(page.rows) == 6
    assert page.next_token is not None
