"""Search: in which order runs come, and how they come in pages."""

from typing import Any

import pytest
from mlflow import MlflowClient

from tests.client.wire import INVALID, Wire, mled_only
from tests.client.zoo import Zoo, fill_zoo


@pytest.fixture(scope="module")
def zoo(wire: Wire) -> Zoo:
    return fill_zoo(wire)


ORDERS: list[tuple[list[str], list[str]]] = [
    # the newest start comes first unless something else is asked, and breaks every tie
    ([], ["fox", "elk", "dog", "cat", "bee", "ant"]),
    (["start_time"], ["ant", "bee", "cat", "dog", "elk", "fox"]),
    (["attributes.start_time DESC"], ["fox", "elk", "dog", "cat", "bee", "ant"]),
    (["created ASC"], ["ant", "bee", "cat", "dog", "elk", "fox"]),
    (["run_name"], ["ant", "bee", "cat", "dog", "elk", "fox"]),
    (["`run_name` desc"], ["fox", "elk", "dog", "cat", "bee", "ant"]),
    # metrics: infinities are numbers, NaN comes after them, runs without the metric last, in both directions
    (["metrics.acc"], ["fox", "ant", "bee", "dog", "cat", "elk"]),
    (["metrics.acc ASC"], ["fox", "ant", "bee", "dog", "cat", "elk"]),
    (["metrics.acc DESC"], ["dog", "bee", "ant", "fox", "cat", "elk"]),
    (["metrics.`val loss` asc"], ["bee", "ant", "fox", "elk", "dog", "cat"]),
    (["metrics.sum DESC"], ["ant", "cat", "bee", "fox", "elk", "dog"]),
    # params and tags are text: "10" is before "9"; missing ones come last
    (["params.lr"], ["dog", "ant", "bee", "cat", "fox", "elk"]),
    (["params.lr DESC"], ["cat", "bee", "ant", "dog", "fox", "elk"]),
    (["parameters.`lr` DESC"], ["cat", "bee", "ant", "dog", "fox", "elk"]),
    (["tags.team ASC"], ["ant", "dog", "cat", "bee", "fox", "elk"]),
    (["end_time"], ["bee", "cat", "ant", "fox", "elk", "dog"]),
    (["end_time DESC"], ["ant", "cat", "bee", "fox", "elk", "dog"]),
    (["status", "start_time ASC"], ["bee", "ant", "cat", "dog", "elk", "fox"]),
    (["metrics.absent DESC"], ["fox", "elk", "dog", "cat", "bee", "ant"]),
]


@pytest.mark.parametrize(("order", "expected"), ORDERS, ids=[", ".join(order) or "default" for order, _ in ORDERS])
def test_runs_come_in_this_order(zoo: Zoo, order: list[str], expected: list[str]) -> None:
    assert zoo.names(order_by=order) == expected


@pytest.mark.parametrize(("order", "expected"), ORDERS, ids=[", ".join(order) or "default" for order, _ in ORDERS])
def test_the_order_holds_across_pages_of_one(zoo: Zoo, order: list[str], expected: list[str]) -> None:
    names: list[str] = []
    token = ""
    for _ in expected:
        page = zoo.ask(order_by=order, max_results=1, page_token=token)
        names += [run["info"]["run_name"] for run in page["runs"]]
        token = page.get("next_page_token", "")
    assert (names, token) == (expected, "")


@pytest.mark.parametrize(
    "order",
    [
        "metrics.acc UPWARDS",
        "metrics.acc DESC DESC",
        "colour",
        "wrong.key",
        "",
        pytest.param("metrics.", marks=mled_only),
        "start_time; x",
    ],
)
def test_what_is_no_order_is_refused(zoo: Zoo, order: str) -> None:
    assert zoo.wire.refused("runs/search", experiment_ids=[zoo.experiment_id], order_by=[order]) == INVALID


def test_runs_that_started_together_come_by_id(wire: Wire, experiment: str) -> None:
    runs = [wire.new_run(experiment, start_time=7) for _ in range(5)]
    found = wire.post("runs/search", experiment_ids=[experiment])["runs"]
    assert [run["info"]["run_id"] for run in found] == sorted(runs)


@pytest.mark.parametrize("max_results", [0, -1, 50_001, 2**31])
def test_a_page_is_between_1_and_50000(zoo: Zoo, max_results: int) -> None:
    asked = {"experiment_ids": [zoo.experiment_id], "max_results": max_results}
    assert zoo.wire.refused("runs/search", **asked) == INVALID


def test_a_page_of_50000_is_fine(zoo: Zoo) -> None:
    assert len(zoo.names(max_results=50_000)) == 6


def pages(zoo: Zoo, size: int, **more: Any) -> list[list[str]]:
    """Follow the tokens to the end."""
    found: list[list[str]] = []
    token = ""
    while not found or token:
        page = zoo.ask(max_results=size, page_token=token, **more)
        found.append([run["info"]["run_name"] for run in page.get("runs", [])])
        token = page.get("next_page_token", "")
        assert len(found) < 20
    return found


@pytest.mark.parametrize(
    ("size", "lengths"), [(1, [1] * 6), (2, [2, 2, 2]), (3, [3, 3]), (4, [4, 2]), (6, [6]), (7, [6])]
)
def test_a_token_comes_exactly_when_more_is_there(zoo: Zoo, size: int, lengths: list[int]) -> None:
    found = pages(zoo, size)
    assert [len(page) for page in found] == lengths
    assert [name for page in found for name in page] == zoo.names()


def test_pages_work_with_a_filter_and_an_order(zoo: Zoo) -> None:
    more = {"filter": "metrics.acc != 0.5", "order_by": ["metrics.acc DESC"]}
    assert pages(zoo, 2, **more) == [["dog", "bee"], ["fox", "cat"]]


@mled_only
def test_a_run_that_is_added_meanwhile_neither_repeats_nor_hides_another(wire: Wire, experiment: str) -> None:
    for start in range(6):
        wire.new_run(experiment, run_name=str(start), start_time=start)
    page = wire.post("runs/search", experiment_ids=[experiment], max_results=3)
    wire.new_run(experiment, run_name="new", start_time=99)
    rest = wire.post("runs/search", experiment_ids=[experiment], max_results=10, page_token=page["next_page_token"])
    assert [run["info"]["run_name"] for run in page["runs"] + rest["runs"]] == ["5", "4", "3", "2", "1", "0"]


@pytest.mark.parametrize("token", ["garbage", "eyJhIjogMX0=", "0", pytest.param("ü", marks=mled_only)])
def test_a_token_that_was_never_given_is_refused(zoo: Zoo, token: str) -> None:
    asked = {"experiment_ids": [zoo.experiment_id], "page_token": token}
    assert zoo.wire.refused("runs/search", **asked) == INVALID


def test_the_client_reads_page_after_page(zoo: Zoo, client: MlflowClient) -> None:
    first = client.search_runs([zoo.experiment_id], max_results=4)
    second = client.search_runs([zoo.experiment_id], max_results=4, page_token=first.token)
    assert [run.info.run_name for run in [*first, *second]] == zoo.names()
    assert (bool(first.token), bool(second.token)) == (True, False)


@pytest.fixture(scope="module")
def shelf(wire: Wire) -> tuple[str, list[str]]:
    """Experiments that share a word no other has: the word, and their names in order of creation."""
    word = wire.new_run("0")
    names = [f"{word} {letter}" for letter in "Abc"]
    for name in names:
        wire.post("experiments/create", name=name, tags=[{"key": "shelf", "value": name[-1]}])
    return word, names


def experiments(wire: Wire, filter: str, **more: Any) -> list[str]:
    return [
        one["name"]
        for one in wire.post("experiments/search", filter=filter, max_results=50, **more).get("experiments", [])
    ]


def test_experiments_are_found_by_name_and_tag_newest_first(wire: Wire, shelf: tuple[str, list[str]]) -> None:
    word, names = shelf
    mine = f"name LIKE '{word}%'"
    assert experiments(wire, mine) == names[::-1]
    assert experiments(wire, f"attribute.name = '{names[0]}'") == [names[0]]
    assert experiments(wire, f"name ILIKE '{word.upper()} B'") == [names[1]]
    assert experiments(wire, f"name LIKE '{word} B'") == []
    assert experiments(wire, f"{mine} AND name != '{names[1]}'") == [names[2], names[0]]
    assert experiments(wire, f"{mine} AND tags.shelf = 'c'") == [names[2]]
    assert experiments(wire, f"{mine} AND tags.shelf != 'c'") == [names[1], names[0]]
    assert experiments(wire, f"{mine} AND tags.`shelf` ILIKE 'a'") == [names[0]]
    assert experiments(wire, f"{mine} AND creation_time > 0 AND last_update_time > 0") == names[::-1]
    assert experiments(wire, f"{mine} AND creation_time < 5") == []


def test_experiments_come_in_the_order_asked_for(wire: Wire, shelf: tuple[str, list[str]]) -> None:
    word, names = shelf
    mine = f"name LIKE '{word}%'"
    assert experiments(wire, mine, order_by=["name"]) == names
    assert experiments(wire, mine, order_by=["name DESC"]) == names[::-1]
    assert experiments(wire, mine, order_by=["creation_time ASC", "experiment_id ASC"]) == names
    assert experiments(wire, mine, order_by=["last_update_time DESC", "name"])[0] in names


def test_experiments_come_in_pages(wire: Wire, shelf: tuple[str, list[str]]) -> None:
    word, names = shelf
    asked = {"filter": f"name LIKE '{word}%'", "order_by": ["name"], "max_results": 2}
    first = wire.post("experiments/search", **asked)
    second = wire.get("experiments/search", **asked, page_token=first["next_page_token"])
    assert [one["name"] for one in first["experiments"] + second["experiments"]] == names
    assert not second.get("next_page_token")


def test_an_experiment_search_by_get_and_by_post_is_the_same(wire: Wire, shelf: tuple[str, list[str]]) -> None:
    asked = {"filter": f"name LIKE '{shelf[0]}%'", "max_results": 10}
    assert wire.get("experiments/search", **asked) == wire.post("experiments/search", **asked)


def test_deleted_experiments_are_found_when_asked_for(wire: Wire, experiment: str) -> None:
    name = wire.get("experiments/get", experiment_id=experiment)["experiment"]["name"]
    wire.post("experiments/delete", experiment_id=experiment)
    mine = f"name = '{name}'"
    assert experiments(wire, mine) == []
    assert experiments(wire, mine, view_type="ACTIVE_ONLY") == []
    assert experiments(wire, mine, view_type="DELETED_ONLY") == [name]
    assert experiments(wire, mine, view_type="ALL") == [name]


@pytest.mark.parametrize(
    "filter", ["name > 'a'", "metrics.x > 1", "params.p = 'x'", "colour = 'x'", "name = 5", "name = 'a' OR name = 'b'"]
)
def test_what_is_no_filter_for_experiments_is_refused(wire: Wire, filter: str) -> None:
    assert wire.refused("experiments/search", filter=filter, max_results=10) == INVALID


@pytest.mark.parametrize(
    "asked",
    [{"max_results": 0}, {"max_results": -1}, {"max_results": 50_001}, {"max_results": 5, "page_token": "garbage"}],
)
def test_a_page_of_experiments_has_the_same_rules(wire: Wire, asked: dict[str, Any]) -> None:
    assert wire.refused("experiments/search", **asked) == INVALID


def test_an_unknown_order_of_experiments_is_refused(wire: Wire) -> None:
    assert wire.refused("experiments/search", max_results=5, order_by=["colour"]) == INVALID
