"""Searching runs: what each kind of condition means, in what order results come, and where pages end."""

import math

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.actions.members import add_member
from accounts.roles import Role
from experiments.actions.experiments import create_experiment, delete_experiment, set_metric_direction
from experiments.actions.runs import create_run
from experiments.models import Run
from experiments.queries.search import Dialect, View, count_runs, load_run_data, search_runs
from experiments.search.columns import Column, Kind
from experiments.search.errors import QueryError
from experiments.search.vocabularies import RUNS
from kernel.actor import operator
from kernel.errors import Invalid
from tests.search.conftest import Team, make_team, store
from tests.search.reference import PlainRun

FULL, MLFLOW = Dialect.FULL, Dialect.MLFLOW
INF, NAN = math.inf, math.nan


def plain(name: str, started_ms: int | None, **more) -> PlainRun:
    return PlainRun(uid=f"{ord(name[0]):032x}", name=name, started_ms=started_ms, **more)


ANIMALS = [
    plain(
        "ant", 100, ended_ms=500, user="ada", status="FINISHED",
        metrics={"acc": [0.9, 0.5], "val/loss": [1.0]},
        params={"lr": "0.1", "opt": "Adam", "note": "it's"},
        tags={"mlflow.runName": "ant", "team": "vision"},
        datasets=[("mnist", "d1", "train"), ("mnist", "d2", "eval")],
    ),
    plain("bee", 200, ended_ms=300, status="FAILED", metrics={"acc": [0.9]}, params={"lr": "10", "opt": "adam"}),
    plain("cat", 300, ended_ms=400, metrics={"acc": [0.1, NAN]}, params={"lr": "9", "opt": "100%"}),
    plain("dog", 400, metrics={"acc": [INF]}, params={"lr": "auto", "opt": "a\\b"}, datasets=[("cifar", "d9", "")]),
    plain("elk", 500, metrics={"acc": [-INF]}),
    plain("fox", None, metrics={"acc": [NAN, NAN]}, params={"lr": "x" * 300}),
]  # fmt: skip


@pytest.fixture
def zoo(db) -> Team:
    return make_team("zoo", ANIMALS)


def names(team: Team, text: str = "", dialect: Dialect = FULL, **more) -> list[str]:
    return [run.name for run in search_runs(team.viewer, text=text, dialect=dialect, **more).rows]


def found(team: Team, text: str, dialect: Dialect = FULL) -> str:
    """The first letters of the runs found, sorted."""
    return "".join(sorted(name[0] for name in names(team, text, dialect)))


@pytest.mark.parametrize("dialect", list(Dialect))
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "abcdef"),
        # the latest value counts, not the history
        ("metrics.acc = 0.5", "a"),
        ("metrics.acc >= 0.5 AND metrics.acc < 0.9", "a"),
        # NaN satisfies only !=, infinities are numbers, a missing key satisfies nothing
        ("metrics.acc != 0.5", "bcdef"),
        ("metrics.acc > -1e308", "abd"),
        ("metrics.acc < 1e308", "abe"),
        ("metrics.acc > 1e308", "d"),
        ("metrics.acc = 0", ""),
        ("metrics.`val/loss` != 7", "a"),
        ("params.lr != '0.1'", "bcdf"),
        ("params.absent != 'x'", ""),
        ("params.lr IS NULL", "e"),
        ("params.lr IS NOT NULL", "abcdf"),
        ("tags.team IS NULL", "bcdef"),
        # equality beyond what the index holds
        (f"params.lr = '{'x' * 300}'", "f"),
        (f"params.lr = '{'x' * 299}'", ""),
        (f"params.lr != '{'x' * 299}'", "abcdf"),
        # LIKE minds the case, ILIKE does not, and only % and _ are special
        ("params.opt LIKE 'A%'", "a"),
        ("params.opt LIKE 'a%'", "bd"),
        ("params.opt ILIKE 'A%'", "abd"),
        ("params.opt ILIKE '_dAm'", "ab"),
        ("params.opt LIKE '%\\%'", "d"),
        ("params.opt LIKE 'a\\b'", "d"),
        ("params.opt LIKE '100_'", "c"),
        ('params.note = "it\'s"', "a"),
        # datasets: some input of the run satisfies it, and the run is found once
        ("dataset.name = 'mnist'", "a"),
        ("datasets.name LIKE '%i%'", "ad"),
        ("dataset.digest IN ('d2', 'd9')", "ad"),
        ("dataset.digest != 'd1'", "ad"),
        ("dataset.digest NOT IN ('d1', 'd9')", "a"),
        ("dataset.context = 'eval'", "a"),
        ("dataset.context != 'eval'", "a"),
        # attributes
        ("status = 'FINISHED'", "a"),
        ("attributes.status != 'RUNNING'", "ab"),
        ("user_id = 'ada'", "a"),
        ("start_time > 300", "de"),
        ("created >= 300 AND created < 500", "cd"),
        ("end_time != 300", "ac"),
        ("end_time > 299.5", "abc"),
        ("end_time = 300.5", ""),
        ("end_time < 1e30", "abc"),
        ("start_time > -9223372036854775809", "abcde"),
        ("`run name` LIKE '%o%'", "df"),
        (f"run_id = '{ord('a'):032x}'", "a"),
        (f"run_id IN ('{ord('a'):032x}', '{ord('b'):032x}', 'no id')", "ab"),
        (f"run_id NOT IN ('{ord('a'):032x}')", "bcdef"),
        ("run_id != 'no id'", "abcdef"),
        ("run_id LIKE '%61'", "a"),
    ],
)
def test_what_a_filter_finds(zoo, text, expected, dialect):
    assert found(zoo, text, dialect) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("metrics.acc = 0.5 OR params.opt = 'adam'", "ab"),
        ("NOT metrics.acc > 0.5", "acef"),
        ("NOT (start_time > 100)", "af"),
        ("metrics.acc IN (0.5, 0.9)", "ab"),
        ("metrics.acc NOT IN (0.5, 0.9)", "cdef"),
        ("metrics.acc IS NULL", ""),
        ("metrics.val/loss IS NULL", "bcdef"),
        ("max(acc) >= 0.9", "abd"),
        ("first(acc) = 0.9", "ab"),
        ("min(metrics.acc) < 0.2", "ce"),
        ("min(acc) != 0.1", "abdef"),
        # params as numbers, by their text's value
        ("params.lr < 9.5", "ac"),
        ("params.lr = 10", "b"),
        ("params.lr != 10", "acdf"),
        ("params.lr IN (9, 10.0)", "bc"),
        ("params.opt IN ('Adam', 'adam')", "ab"),
        ("params.opt NOT IN ('Adam', 'adam')", "cd"),
        ("tags.team IN ('vision')", "a"),
        ("end_time IS NULL", "def"),
        ("ended IS NOT NULL", "abc"),
        ("duration > '0s'", "abc"),
        ("duration <= '1s'", "abc"),
        ("dataset.name IS NULL", "bcef"),
        ("dataset.context IS NOT NULL", "a"),
        ("status IN ('finished', 'failed')", "ab"),
        ("created > '1970-01-01'", ""),
        ("created <= '1970-01-01'", "abcde"),
        ("created < '1970-01-01T00:00:00.300Z'", "ab"),
        ("created > '7d'", ""),
        ("created < 7d", "abcde"),
        ("AN", "a"),
        ("o", "df"),
        ("'o' AND start_time IS NULL", "f"),
        ("locked = false", "abcdef"),
        ("locked != false", ""),
        ("project = 'zoo' AND experiment LIKE 'f%'", "abcdef"),
        ("id = 'ZOO-2'", "b"),
        ("commit IS NULL", "abcdef"),
        ("user IS NULL", "abcdef"),
        ("NOT user = 'ada@example.org'", "abcdef"),
        ("tag = 'team'", "a"),
        ("tag IN ('team', 'x')", "a"),
        ("tag LIKE 'mlflow.%'", "a"),
        ("tag != 'team'", "bcdef"),
        ("tag IS NULL", "bcdef"),
    ],
)
def test_what_our_own_dialect_adds(zoo, text, expected):
    assert found(zoo, text) == expected


def test_best_is_high_or_low_as_the_project_says(zoo):
    set_metric_direction(operator(), zoo.project, key="acc", higher_is_better=True)
    assert found(zoo, "best(acc) >= 0.9") == "abd"
    set_metric_direction(operator(), zoo.project, key="acc", higher_is_better=False)
    assert found(zoo, "best(acc) <= 0.1") == "ce"


def test_best_without_a_direction_suggests_min_or_max(zoo):
    with pytest.raises(QueryError) as caught:
        names(zoo, "status = 'running' AND best(val/loss) < 1")
    error = caught.value
    assert (error.start, error.length) == (23, len("best(val/loss) < 1"))
    assert error.suggestion == "max(metrics.`val/loss`)"
    assert "min(" in error.hint


def test_a_like_pattern_is_no_glob_and_no_expression(zoo):
    store(zoo.experiment, [plain("gnu", 600, params={"glob": "a*b?[c]^$.+"})])
    for text in ["params.glob LIKE 'a*b?[c]^$.+'", "params.glob LIKE '%[c]%'", "params.glob LIKE 'a%b%^%'"]:
        assert found(zoo, text) == "g", text
    for text in ["params.glob LIKE 'a%[a-z]%'", "params.glob LIKE '*'", "params.glob LIKE 'a?b?[c]^$.+'"]:
        assert found(zoo, text) == "", text


def test_other_letters_fold_too(zoo):
    store(zoo.experiment, [plain("hen", 600, params={"place": "Zoë"}), plain("ÏBIS", 700)])
    assert found(zoo, "params.place ILIKE 'ZOË'") == "h"
    assert found(zoo, "params.place LIKE 'ZOË'") == ""
    assert found(zoo, "ïb") == "Ï"


# Order.


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


# Pages.


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
    from kernel.paging import encode_token, question_digest

    question = question_digest("", [], View.ACTIVE_ONLY.value, (FULL, None, None))
    with pytest.raises(Invalid):
        search_runs(zoo.viewer, after=encode_token(question, position))


@pytest.mark.parametrize("limit", [0, -1, 50_001])
def test_a_page_has_a_size(zoo, limit):
    with pytest.raises(Invalid) as caught:
        search_runs(zoo.viewer, limit=limit)
    assert caught.value.field == "max_results"


# Scope and sight.


def test_no_experiments_hold_no_runs(zoo):
    for experiments in ([], [10**9], [10**30]):
        assert names(zoo, experiments=experiments) == []
        assert count_runs(zoo.viewer, experiments=experiments).number == 0


def test_nothing_foreign_is_found_or_counted(zoo):
    other = make_team("aquarium", [plain("shark", 50, params={"lr": "0.1"}, tags={"team": "vision"})])
    for text in ["", "params.lr = '0.1'", "NOT params.lr = 'x'", "shark", "tags.team IS NOT NULL OR params.x IS NULL"]:
        for order in [[], ["metrics.acc"], ["params.lr DESC"]]:
            seen = names(zoo, text, order=order)
            assert "shark" not in seen
            assert bool(seen) is (text != "shark")
            assert "ant" not in names(other, text, order=order)
        assert count_runs(zoo.viewer, text=text).number == len(names(zoo, text))
        for asked in [{"experiments": [other.experiment.pk]}, {"project": other.project}]:
            assert names(zoo, text, **asked) == []
            assert count_runs(zoo.viewer, text=text, **asked).number == 0
        both = [zoo.experiment.pk, other.experiment.pk]
        assert names(zoo, text, experiments=both) == names(zoo, text)
    assert names(zoo, experiments=[other.experiment.pk], project=zoo.project) == []


def test_who_belongs_to_two_projects_searches_both(zoo):
    other = make_team("aquarium", [plain("shark", 450)])
    add_member(operator(), other.project, role=Role.DATA_SCIENTIST, user=zoo.user)
    assert names(zoo, limit=3) == ["elk", "shark", "dog"]
    assert names(zoo, project=other.project) == ["shark"]
    assert names(zoo, "project = 'aquarium'") == ["shark"]


def test_directions_are_each_projects_own(zoo):
    runs = [plain("shark", 450, metrics={"acc": [0.2, 0.8]})]
    other = make_team("aquarium", runs)
    add_member(operator(), other.project, role=Role.DATA_SCIENTIST, user=zoo.user)
    set_metric_direction(operator(), zoo.project, key="acc", higher_is_better=True)
    set_metric_direction(operator(), other.project, key="acc", higher_is_better=False)
    assert found(zoo, "best(acc) = 0.2 OR best(acc) = 0.9") == "abs"
    assert names(zoo, "best(acc) > 0", order=["best(acc) DESC"]) == ["dog", "bee", "ant", "shark", "cat"]


def test_deleted_runs_are_found_only_where_they_are_asked_for(zoo):
    delete_experiment(operator(), zoo.experiment)
    assert names(zoo) == []
    assert len(names(zoo, view=View.DELETED_ONLY)) == len(names(zoo, view=View.ALL)) == len(ANIMALS)


def test_several_experiments_are_one_result(zoo):
    second = create_experiment(operator(), zoo.project, name="second")
    store(second, [plain("gnu", 250, metrics={"acc": [0.7]})])
    both = [zoo.experiment.pk, second.pk]
    assert names(zoo, experiments=both) == ["elk", "dog", "cat", "gnu", "bee", "ant", "fox"]
    assert names(zoo, "metrics.acc > 0.6", experiments=both, order=["metrics.acc"]) == ["gnu", "bee", "dog"]


# The data of a page.


def test_a_page_comes_with_its_data_in_four_statements(zoo):
    page = search_runs(zoo.viewer, order=["run_name"])
    with CaptureQueriesContext(
        connection,
    ) as statements:
        data = load_run_data(run.id for run in page.rows)
    assert len(statements) == 4
    ant, cat = data[page.rows[0].id], data[page.rows[2].id]
    assert [(metric.key, metric.value) for metric in ant.metrics] == [("acc", 0.5), ("val/loss", 1.0)]
    assert ant.params == [("lr", "0.1"), ("note", "it's"), ("opt", "Adam")]
    assert ant.tags == [("mlflow.runName", "ant"), ("team", "vision")]
    assert [(given.name, given.digest, given.context) for given in ant.inputs] == [
        ("mnist", "d1", "train"),
        ("mnist", "d2", "eval"),
    ]
    assert math.isnan(cat.metrics[0].value)
    assert load_run_data([]) == {}


def test_a_search_takes_few_statements_however_many_runs(zoo):
    store(zoo.experiment, [PlainRun(uid=f"{at:032x}", name=f"run {at}", started_ms=at) for at in range(1000, 1100)])
    asked = {"project": zoo.project, "text": "metrics.acc > 0.5 OR run_name LIKE '%'"}
    viewer = zoo.viewer
    search_runs(viewer, **asked)  # which finds the viewer's roles, once for a request
    counts = {}
    for limit in (5, 50, 200):
        with CaptureQueriesContext(connection) as statements:
            search_runs(viewer, limit=limit, **asked)
        counts[limit] = len(statements)
    probes = connection.vendor == "sqlite"
    assert counts == {5: 2 + probes, 50: 2 + probes, 200: 3 + probes}  # the scope, then one or both stages


def test_a_found_run_tells_who_and_what(zoo):
    [ant] = search_runs(zoo.viewer, text="ant").rows
    row = Run.objects.get(name="ant")
    assert (ant.id, ant.uid, ant.readable_id) == (row.pk, row.uid.hex, f"ZOO-{row.number}")
    assert (ant.status, ant.duration_ms, ant.claimed_user, ant.is_locked) == ("FINISHED", 400, "ada", False)
    assert (ant.experiment_name, ant.project_slug, ant.user) == ("first", "zoo", "")


def test_a_user_is_found_by_name_and_by_email(zoo):
    run = create_run(zoo.viewer, zoo.experiment, name="gnu")
    assert [row.user_email for row in search_runs(zoo.viewer, text="gnu").rows] == ["zoo@example.org"]
    for text in ["user = 'zoo@example.org'", "author IN ('zoo', 'x')", "user LIKE 'zo_'"]:
        assert names(zoo, text) == [run.name]
    assert found(zoo, "user != 'zoo'") == "abcdef"
    assert names(zoo, order=["user"])[0] == "gnu"


def test_counting_stops_where_it_is_told_to(zoo, monkeypatch):
    from experiments.queries import search

    monkeypatch.setattr(search, "COUNT_STOP", 4)
    assert str(count_runs(zoo.viewer)) == "4+"
    assert str(count_runs(zoo.viewer, text="ant OR bee")) == "2"


def test_a_search_that_takes_too_long_is_stopped(zoo, monkeypatch):
    from experiments.search import databases

    monkeypatch.setattr(databases, "TIME_LIMIT_SECONDS", 0.05)
    endless = (
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000000) SELECT COUNT(*) FROM n"
    )
    with pytest.raises(Invalid, match="longer than"):
        databases.fetch(databases.Sql(endless))


def test_a_room_above_adds_its_column_once(zoo):
    verdict = Column(
        "verdict", Kind.CHOICE, "r.review_state", choices={"not reviewed": "not_reviewed", "flagged": "flagged"}
    )
    RUNS.register(verdict)
    try:
        assert found(zoo, "verdict = 'Not reviewed'") == "abcdef"
        assert found(zoo, "verdict != 'not reviewed'") == ""
        with pytest.raises(ValueError, match="twice"):
            RUNS.register(verdict)
        with pytest.raises(QueryError):
            names(zoo, "verdict = 'not reviewed'", MLFLOW)
    finally:
        del RUNS.columns["verdict"]
