"""Searching logged models: what a filter means, in which order, in pages that fit together."""

import itertools
import random
from typing import Any

import pytest

from experiments.actions.batches import log_batch
from experiments.metrics.batch import Batch, MetricPoint
from experiments.models import Run
from experiments.search.errors import QueryError
from kernel.actor import Actor
from kernel.errors import Invalid
from registry.actions.logged_models import (
    create_logged_model,
    delete_logged_model,
    finalize_logged_model,
    set_logged_model_tags,
)
from registry.models import LoggedModel
from registry.queries.search import OnDataset, SortBy, search_logged_models

NAN = float("nan")


def search(viewer: Actor, run: Run, text: str = "", **more: Any) -> list[str]:
    page = search_logged_models(viewer, project=run.project, experiments=[run.experiment_id], text=text, **more)
    return [model.name for model in page.models]


@pytest.fixture
def shelf(ada: Actor, run: Run) -> dict[str, LoggedModel]:
    """Four models with params, tags and metrics."""
    models = {}
    for depth, name in enumerate(("ant", "Bee", "cat_1", "größe")):
        source = run if depth % 2 else None
        models[name] = create_logged_model(
            ada, run.experiment, name=name, source_run=source, model_type="tree" if depth else "net",
            params={"depth": str(depth)}, tags={"team": f"team {depth}"} if depth else {},
        )  # fmt: skip
    finalize_logged_model(ada, models["Bee"], status="READY")
    measured = [("ant", 0.5, "d1"), ("Bee", 0.9, "d1"), ("Bee", 0.1, "d2"), ("cat_1", NAN, "d1")]
    points = [
        MetricPoint("acc", value, 1, 0, models[name].model_id, "iris", digest) for name, value, digest in measured
    ]
    log_batch(ada, run, batch=Batch(metrics=points))
    return models


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {"ant", "Bee", "cat_1", "größe"}),
        ("name = 'ant'", {"ant"}),
        ("name = 'ANT'", set()),
        ("name != 'ant'", {"Bee", "cat_1", "größe"}),
        ("name LIKE '%E%'", set()),
        ("name LIKE '%e%'", {"Bee", "größe"}),
        ("name ILIKE 'B%'", {"Bee"}),
        ("name ILIKE 'GRÖ_E'", {"größe"}),
        ("name LIKE 'cat_1'", {"cat_1"}),
        ("name LIKE '%a%t%'", {"ant", "cat_1"}),
        ("name LIKE '%a%_%1'", {"cat_1"}),
        ("name LIKE '%%'", {"ant", "Bee", "cat_1", "größe"}),
        ("name LIKE '%t%a%'", set()),
        ("name LIKE 'a%t%t'", set()),
        ("name LIKE 'c.*'", set()),
        ("name IN ('ant', 'Bee', 'x')", {"ant", "Bee"}),
        ("name NOT IN ('ant', 'Bee')", {"cat_1", "größe"}),
        ("status = 'READY'", {"Bee"}),
        ("model_type = 'net'", {"ant"}),
        ("params.depth = '2'", {"cat_1"}),
        ("params.depth != '2'", {"ant", "Bee", "größe"}),
        ("tags.team LIKE 'team%'", {"Bee", "cat_1", "größe"}),
        ("tags.team IS NULL", {"ant"}),
        ("metrics.acc > 0.4", {"ant", "Bee"}),
        ("metrics.acc < 0.4", {"Bee"}),
        ("metrics.acc != 0.5", {"Bee", "cat_1"}),
        ("metrics.other = 1", set()),
        ("creation_timestamp > 0 AND last_updated_timestamp >= 0", {"ant", "Bee", "cat_1", "größe"}),
        ("creation_timestamp > 99999999999999999999", set()),
    ],
)
def test_a_filter_means_exactly_these(
    ada: Actor, run: Run, shelf: dict[str, LoggedModel], text: str, expected: set[str]
) -> None:
    assert set(search(ada, run, text)) == expected


def test_a_pattern_of_many_wildcards_does_not_try_for_ever(ada: Actor, run: Run, shelf: dict[str, LoggedModel]) -> None:
    set_logged_model_tags(ada, shelf["ant"], tags={"long": "a" * 20_000})
    assert search(ada, run, "tags.long LIKE '%a%a%a%a%a%b'") == []
    assert search(ada, run, "tags.long ILIKE '%A%A_A%A%'") == ["ant"]


def test_models_are_found_by_their_run_and_id(ada: Actor, run: Run, shelf: dict[str, LoggedModel]) -> None:
    assert set(search(ada, run, f"source_run_id = '{run.uid.hex}'")) == {"Bee", "größe"}
    assert search(ada, run, "source_run_id = 'nonsense'") == []
    assert search(ada, run, f"model_id = '{shelf['ant'].model_id}'") == ["ant"]


def test_datasets_narrow_which_metrics_count(ada: Actor, run: Run, shelf: dict[str, LoggedModel]) -> None:
    assert search(ada, run, "metrics.acc < 0.6", datasets=[OnDataset("iris", "d1")]) == ["ant"]
    assert search(ada, run, "metrics.acc < 0.6", datasets=[OnDataset("iris", "d2")]) == ["Bee"]
    assert set(search(ada, run, datasets=[OnDataset("iris")])) == {"ant", "Bee", "cat_1"}
    assert search(ada, run, datasets=[OnDataset("other")]) == []


@pytest.mark.parametrize(
    "text", ["colour = 'x'", "name = 5", "name > 'a'", "metrics.acc = '1'", "a b c", "name = 'a' OR name = 'b'"]
)
def test_what_makes_no_sense_is_an_error(ada: Actor, run: Run, text: str) -> None:
    with pytest.raises(QueryError):
        search(ada, run, text)


def test_newest_come_first(ada: Actor, run: Run, shelf: dict[str, LoggedModel]) -> None:
    by_time = sorted(shelf.values(), key=lambda model: (-model.created_ms, model.model_id))
    assert search(ada, run) == [model.name for model in by_time]


def test_a_metric_sorts_with_what_lacks_it_last_both_ways(ada: Actor, run: Run, shelf: dict[str, LoggedModel]) -> None:
    on = OnDataset("iris", "d1")
    up = search(ada, run, order=[SortBy("metrics.acc", dataset=on)])
    down = search(ada, run, order=[SortBy("metrics.acc", descending=True, dataset=on)])
    assert (up[:2], down[:2]) == (["ant", "Bee"], ["Bee", "ant"])
    assert set(up[2:]) == set(down[2:]) == {"cat_1", "größe"}


def test_an_unknown_order_is_an_error(ada: Actor, run: Run) -> None:
    for field in ("colour", "params.depth", ""):
        with pytest.raises(QueryError):
            search(ada, run, order=[SortBy(field)])


@pytest.mark.parametrize("limit", [0, -1, 1001])
def test_a_page_has_a_sensible_size(ada: Actor, run: Run, limit: int) -> None:
    with pytest.raises(Invalid):
        search(ada, run, limit=limit)


ORDERS: list[list[SortBy]] = [
    [],
    [SortBy("name")],
    [SortBy("model_type"), SortBy("name", descending=True)],
    [SortBy("metrics.score")],
    [SortBy("metrics.score", descending=True), SortBy("source_run_id")],
    [SortBy("source_run_id", descending=True)],
    [SortBy("creation_timestamp"), SortBy("status")],
]


@pytest.mark.parametrize("order", ORDERS, ids=lambda order: ", ".join(key.field for key in order) or "default")
@pytest.mark.parametrize("size", [1, 3, 5, 12])
def test_pages_are_disjoint_and_complete(ada: Actor, run: Run, order: list[SortBy], size: int) -> None:
    dice = random.Random(7)
    models = [
        create_logged_model(
            ada, run.experiment, name=dice.choice("abAB"), model_type=dice.choice("xy"),
            source_run=run if dice.random() < 0.5 else None,
        )
        for _ in range(12)
    ]  # fmt: skip
    scores = [0.5, 0.5, float("inf"), float("-inf"), NAN, None, 1e-300]
    points = [
        MetricPoint("score", score, 1, model_id=model.model_id)
        for model, score in zip(models, itertools.cycle(scores), strict=False)
        if score is not None
    ]
    log_batch(ada, run, batch=Batch(metrics=points))
    where = {"project": run.project, "experiments": [run.experiment_id], "order": order}
    whole = search_logged_models(ada, **where, limit=1000).models
    paged: list[LoggedModel] = []
    token: str | None = None
    for _ in range(13):
        page = search_logged_models(ada, **where, limit=size, after=token)
        assert len(page.models) <= size
        paged += page.models
        token = page.next_token
        if not token:
            break
    assert [model.model_id for model in paged] == [model.model_id for model in whole]
    assert len(whole) == 12


@pytest.mark.parametrize("token", ["x", "Zm9v", "W10", "WyJ4IiwgWzEsIDJdXQ"])
def test_a_token_that_was_never_given_is_refused(ada: Actor, run: Run, token: str) -> None:
    with pytest.raises(Invalid):
        search(ada, run, after=token)


def test_a_token_belongs_to_its_question(ada: Actor, run: Run, shelf: dict[str, LoggedModel]) -> None:
    where = {"project": run.project, "experiments": [run.experiment_id], "limit": 1}
    token = search_logged_models(ada, **where).next_token
    with pytest.raises(Invalid, match="another query"):
        search_logged_models(ada, **where, text="name != 'x'", after=token)


def test_only_models_that_one_may_see_are_found(
    ada: Actor, outsider: Actor, run: Run, shelf: dict[str, LoggedModel]
) -> None:
    delete_logged_model(ada, shelf["ant"])
    assert len(search(ada, run)) == 3
    assert search(outsider, run) == []
    page = search_logged_models(ada, project=run.project, experiments=[], text="")
    assert page.models == []
