"""Random filters and orders over a random population: the database finds what plain Python finds."""

from random import Random

import pytest

from experiments.queries.search import Dialect, View, count_runs, search_runs
from experiments.search.columns import RANGE
from experiments.search.tree import Aggregate, Entity, Field, Op, comparisons
from kernel import clock
from tests.search.conftest import Team, make_team, random_run
from tests.search.random_queries import METRIC_KEYS, PARAM_KEYS, TAG_KEYS, random_query
from tests.search.reference import PlainRun, in_order, matches

NOW = 1_790_000_000
POPULATION = 80
QUERIES = 700  # per dialect


@pytest.fixture(scope="module")
def population() -> list[PlainRun]:
    rng = Random(20260101)
    return [random_run(rng, NOW * 1000) for _ in range(POPULATION)]


@pytest.fixture
def team(db, monkeypatch, population) -> Team:
    monkeypatch.setattr(clock, "_now", lambda: float(NOW))
    make_team("foreign", [random_run(Random(seed), NOW * 1000) for seed in range(20)])
    return make_team("vision", population)


def expected(node, runs: list[PlainRun]) -> set[str]:
    """What the reference finds; best(loss) is the lowest, of the others the highest."""
    found = set()
    for run in runs:
        best = next((c.field.key for c in comparisons(node) if c.field.aggregate is Aggregate.BEST), "")
        run.higher = best != "loss"
        if matches(node, run, NOW * 1000):
            found.add(run.uid)
    return found


def one_best_at_most(node) -> bool:
    """The reference knows one direction at a time."""
    keys = {c.field.key == "loss" for c in comparisons(node) if c.field.aggregate is Aggregate.BEST}
    return len(keys) <= 1


@pytest.mark.parametrize("dialect", list(Dialect))
def test_random_filters_find_what_the_reference_finds(team, population, dialect):
    tried = kinds = 0
    for seed in range(QUERIES):
        node = random_query(Random(seed), dialect)
        if not one_best_at_most(node):
            continue
        where = [{"experiments": [team.experiment.pk]}, {"project": team.project}, {}][seed % 3]
        page = search_runs(team.viewer, text=str(node), dialect=dialect, **where)
        uids = [run.uid for run in page.rows]
        assert len(uids) == len(set(uids)), f"seed {seed}: {node}"
        assert set(uids) == expected(node, population), f"seed {seed}: {node}"
        tried += 1
        kinds += 0 < len(uids) < POPULATION
    assert tried > QUERIES * 0.9
    assert kinds > QUERIES / 4  # most filters tell some runs from others


def test_counts_agree_with_the_reference(team, population):
    for seed in range(60):
        node = random_query(Random(10_000 + seed), Dialect.MLFLOW)
        found = count_runs(team.viewer, text=str(node), dialect=Dialect.MLFLOW)
        assert (found.number, found.at_least) == (len(expected(node, population)), False)


def random_order(rng: Random, dialect: Dialect) -> list[tuple[Field, bool]]:
    fields = [Field(Entity.METRIC, key) for key in METRIC_KEYS]
    fields += [Field(Entity.PARAM, key) for key in PARAM_KEYS] + [Field(Entity.TAG, key) for key in TAG_KEYS]
    fields += [
        Field(Entity.ATTRIBUTE, key) for key in ("start_time", "end_time", "run_name", "status", "run_id", "user_id")
    ]
    if dialect is Dialect.FULL:
        fields += [Field(Entity.METRIC, "acc", Aggregate.MIN), Field(Entity.METRIC, "acc", Aggregate.BEST)]
    chosen = rng.sample(fields, rng.randint(0, 3))
    return [(field, rng.random() < 0.5) for field in chosen]


@pytest.mark.parametrize("dialect", list(Dialect))
def test_random_orders_paged_by_random_steps_give_the_reference_order(team, population, dialect):
    for run in population:
        run.higher = True
    for seed in range(120):
        rng = Random(seed)
        keys = random_order(rng, dialect)
        order = [f"{field} {'desc' if down else rng.choice(('', 'ASC'))}" for field, down in keys]
        wanted = [run.uid for run in in_order(population, keys, numeric_params=dialect is Dialect.FULL)]
        where = {"experiments": [team.experiment.pk]} if rng.random() < 0.5 else {"project": team.project}
        found: list[str] = []
        after, limit, pages = None, rng.choice((7, 20, 40, POPULATION, 100)), 0
        while True:
            page = search_runs(team.viewer, order=order, limit=limit, after=after, dialect=dialect, **where)
            found += [run.uid for run in page.rows]
            after, pages = page.next_token, pages + 1
            assert len(page.rows) <= limit
            if after is None:
                break
            assert len(page.rows) == limit
        assert found == wanted, f"seed {seed}: {order}"
        assert pages == -(-POPULATION // limit)  # a full last page has no token


def test_every_operator_was_met_by_the_random_filters():
    met = {
        c.op for dialect in Dialect for seed in range(QUERIES) for c in comparisons(random_query(Random(seed), dialect))
    }
    assert met == set(Op) >= RANGE


def test_deleted_runs_are_found_only_where_they_are_asked_for(team, population):
    assert search_runs(team.viewer, view=View.DELETED_ONLY).rows == []
    assert len(search_runs(team.viewer, view=View.ALL).rows) == len(population)
