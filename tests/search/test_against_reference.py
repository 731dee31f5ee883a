"""Random filters and orders over a random population: the database finds what plain Python finds."""

from dataclasses import dataclass
from random import Random
from typing import Any

import pytest

from experiments.actions.experiments import create_experiment
from experiments.queries.search import Dialect, count_runs, search_runs
from experiments.search import rare, ties
from experiments.search.columns import RANGE
from experiments.search.tree import EVERYTHING, Aggregate, Entity, Field, Node, Op, comparisons
from kernel import clock
from kernel.actor import operator
from tests.search.conftest import Team, make_team, random_run, store
from tests.search.random_queries import METRIC_KEYS, PARAM_KEYS, TAG_KEYS, random_query
from tests.search.reference import PlainRun, in_order, matches

NOW = 1_790_000_000
POPULATION = 80
QUERIES = 700  # per dialect
ORDERS = 150


@pytest.fixture(scope="module")
def population() -> list[PlainRun]:
    rng = Random(20260101)
    return [random_run(rng, NOW * 1000) for _ in range(POPULATION)]


@dataclass
class World:
    """A team whose runs lie in three experiments, and what a search may be asked to look at."""

    team: Team
    parts: dict[int, list[PlainRun]]

    def scopes(self) -> list[tuple[dict[str, Any], list[PlainRun]]]:
        """(arguments of a search, the runs in that scope)."""
        every = [run for runs in self.parts.values() for run in runs]
        first, second, _ = self.parts
        return [
            ({}, every),
            ({"project": self.team.project}, every),
            ({"experiments": [first]}, self.parts[first]),
            ({"experiments": [*self.parts, 10**9]}, every),
            ({"experiments": [second, first], "project": self.team.project}, self.parts[first] + self.parts[second]),
        ]


@pytest.fixture
def world(db, monkeypatch, population) -> World:
    monkeypatch.setattr(clock, "_now", lambda: float(NOW))
    make_team("foreign", [random_run(Random(seed), NOW * 1000) for seed in range(20)])
    first, rest = population[:50], population[50:]
    team = make_team("vision", first)
    parts = {team.experiment.pk: first}
    for name, runs in (("second", rest[:20]), ("third", rest[20:])):
        experiment = create_experiment(operator(), team.project, name=name)
        store(experiment, runs)
        parts[experiment.pk] = runs
    return World(team, parts)


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
def test_random_filters_find_what_the_reference_finds(world, monkeypatch, dialect):
    tried = kinds = 0
    for seed in range(QUERIES):
        node = random_query(Random(seed), dialect)
        if not one_best_at_most(node):
            continue
        where, runs = world.scopes()[seed % 5]
        monkeypatch.setattr(rare, "FEW", (500, 12)[seed % 2])  # starts from a list, or walks the order
        page = search_runs(world.team.viewer, text=str(node), dialect=dialect, **where)
        uids = [run.uid for run in page.rows]
        assert len(uids) == len(set(uids)), f"seed {seed}: {node}"
        assert set(uids) == expected(node, runs), f"seed {seed}: {node}"
        tried += 1
        kinds += 0 < len(uids) < len(runs)
    assert tried > QUERIES * 0.9
    assert kinds > QUERIES / 4  # most filters tell some runs from others


def test_counts_agree_with_the_reference(world):
    for seed in range(60):
        node = random_query(Random(10_000 + seed), Dialect.MLFLOW)
        where, runs = world.scopes()[seed % 5]
        found = count_runs(world.team.viewer, text=str(node), dialect=Dialect.MLFLOW, **where)
        assert (found.number, found.at_least) == (len(expected(node, runs)), False)


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


def random_filter(rng: Random, dialect: Dialect) -> Node:
    """Nothing, or conditions without best(): one direction is said for all."""
    node = random_query(rng, dialect) if rng.random() < 0.5 else EVERYTHING
    plain = all(c.field.aggregate is not Aggregate.BEST for c in comparisons(node))
    return node if plain else EVERYTHING


@pytest.mark.parametrize("as_among_a_million", [False, True])
@pytest.mark.parametrize("dialect", list(Dialect))
def test_random_orders_paged_by_random_steps_give_the_reference_order(world, monkeypatch, dialect, as_among_a_million):
    if as_among_a_million:  # values that many share, and states, are read by another way there
        monkeypatch.setattr(rare, "MANY", 1)
        monkeypatch.setattr(ties, "SHARED", 3)
    for seed in range(ORDERS):
        rng = Random(seed)
        keys, node = random_order(rng, dialect), random_filter(rng, dialect)
        keys = keys[:1] if as_among_a_million else keys
        order = [f"{field} {'desc' if down else rng.choice(('', 'ASC'))}" for field, down in keys]
        where, runs = rng.choice(world.scopes())
        for run in runs:
            run.higher = True
        matching = [run for run in runs if matches(node, run, NOW * 1000)]
        wanted = [run.uid for run in in_order(matching, keys, numeric_params=dialect is Dialect.FULL)]
        monkeypatch.setattr(rare, "FEW", rng.choice((500, 5)))
        found: list[str] = []
        after, limit, pages = None, rng.choice((7, 20, 40, POPULATION, 100)), 0
        while True:
            asked = {"text": str(node), "order": order, "dialect": dialect, **where}
            page = search_runs(world.team.viewer, limit=limit, after=after, **asked)
            found += [run.uid for run in page.rows]
            after, pages = page.next_token, pages + 1
            assert len(page.rows) <= limit
            if after is None:
                break
            assert len(page.rows) == limit
        assert found == wanted, f"seed {seed}: {node} by {order} in {where}"
        assert pages == max(1, -(-len(wanted) // limit))  # a full last page has no token


def test_every_operator_was_met_by_the_random_filters():
    met = {
        c.op for dialect in Dialect for seed in range(QUERIES) for c in comparisons(random_query(Random(seed), dialect))
    }
    assert met == set(Op) >= RANGE
