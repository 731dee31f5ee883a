"""In what order results come, and where pages end."""

import pytest

from experiments.queries.search import Dialect, View, search_runs
from experiments.search.errors import QueryError
from kernel.errors import Invalid
from kernel.paging import encode_token, question_digest
from tests.search.conftest import store
from tests.search.zoo import names, plain

FULL, MLFLOW = Dialect.FULL, Dialect.MLFLOW


@pytest.mark.parametrize("dialect", list(Dialect))
@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ([], "edcbaf"),  # newest first, without a start last
        (["start_time"], "abcdef"),
        (["attributes.start_time DESC"], "edcbaf"),
        (["created asc"], "abcdef"),
        (["metrics.acc"], "eabdcf"),  # numbers, then NaN (newest first)
        (["metrics.acc DESC"], "dbaecf"),
        (["metrics.`val/loss` desc"], "aedcbf"),  # without the metric: last, newest first
        (["`metrics.val/loss`"], "aedcbf"),
        (["end_time"], "bcaedf"),
        (["end_time DESC"], "acbedf"),
        (["params.opt"], "cadbef"),  # by code point
        (["params.opt DESC"], "bdacef"),
        (["tags.team"], "aedcbf"),
        (["run_name DESC"], "fedcba"),
        (["run_id"], "abcdef"),
        (["status", "run_name"], "bacdef"),
        (["metrics.acc DESC", "params.opt"], "dbaecf"),
    ],
)
def test_the_order_of_results(zoo, order, expected, dialect):
    assert "".join(name[0] for name in names(zoo, order=order, dialect=dialect)) == expected


def test_params_sort_as_text_for_mlflow_and_as_numbers_for_us(zoo):
    assert names(zoo, order=["params.lr"], dialect=MLFLOW) == ["ant", "bee", "cat", "dog", "fox", "elk"]
    assert names(zoo, order=["params.lr"]) == ["ant", "cat", "bee", "dog", "fox", "elk"]
    assert names(zoo, order=["params.lr DESC"]) == ["bee", "cat", "ant", "fox", "dog", "elk"]


@pytest.mark.parametrize(
    "order",
    [
        "metrics.acc up",
        "metrics.acc ASC DESC",
        "metrics.acc, params.lr",
        "acc",
        "dataset.name",
        "",
        "start_time > 5",
        "status DESC;",
    ],
)
def test_what_is_no_order_is_refused(zoo, order):
    for dialect in Dialect:
        with pytest.raises(QueryError) as caught:
            names(zoo, order=[order], dialect=dialect)
        assert caught.value.field == "order_by"


@pytest.mark.parametrize(
    "order", [[], ["metrics.acc DESC"], ["params.lr"], ["end_time DESC", "metrics.acc"], ["tags.team"]]
)
@pytest.mark.parametrize("limit", [1, 2, 3, 5, 6, 7])
def test_pages_are_disjoint_and_complete(zoo, order, limit):
    whole, token, pages = names(zoo, order=order), None, []
    while True:
        page = search_runs(zoo.viewer, order=order, limit=limit, after=token)
        pages.append([run.name for run in page.rows])
        token = page.next_token
        if token is None:
            break
    assert [name for page in pages for name in page] == whole
    assert [len(page) for page in pages[:-1]] == [limit] * (len(pages) - 1)
    assert pages[-1]  # a token only where more follow


def test_a_run_logged_meanwhile_moves_no_page(zoo):
    first = search_runs(zoo.viewer, limit=3)
    store(zoo.experiment, [plain("new", 900)])
    second = search_runs(zoo.viewer, limit=3, after=first.next_token)
    assert [run.name for run in second.rows] == ["bee", "ant", "fox"]


@pytest.mark.parametrize("token", ["x", "AAAA", "bm90IGEgdG9rZW4", "é", "\0", "W10", "A" * 10_000])
def test_a_token_that_is_garbage_is_refused(zoo, token):
    with pytest.raises(Invalid):
        search_runs(zoo.viewer, after=token)


def test_the_empty_token_is_the_first_page(zoo):
    assert search_runs(zoo.viewer, after="").rows == search_runs(zoo.viewer).rows


@pytest.mark.parametrize(
    "other",
    [
        {"text": "metrics.acc > 0"},
        {"order": ["run_name"]},
        {"view": View.ALL},
        {"dialect": MLFLOW},
        {"experiments": [1]},
        {"project": True},
    ],
)
def test_a_token_belongs_to_its_query(zoo, other):
    token = search_runs(zoo.viewer, limit=2).next_token
    if "project" in other:
        other = {"project": zoo.project}
    with pytest.raises(Invalid) as caught:
        search_runs(zoo.viewer, limit=2, after=token, **other)
    assert caught.value.field == "page_token"


@pytest.mark.parametrize(
    "position", [[], [9], [0, None], [0, "x", "y"], [0, 10**30, "0" * 32], [0, 5, "zz"], [0, [], {}], ["0"]]
)
def test_a_forged_position_is_refused(zoo, position):
    question = question_digest("", [], View.ACTIVE_ONLY.value, (FULL, None, None))
    with pytest.raises(Invalid):
        search_runs(zoo.viewer, after=encode_token(question, position))


@pytest.mark.parametrize("limit", [0, -1, 50_001])
def test_a_page_has_a_size(zoo, limit):
    with pytest.raises(Invalid) as caught:
        search_runs(zoo.viewer, limit=limit)
    assert caught.value.field == "max_results"
