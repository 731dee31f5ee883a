"""What each kind of condition finds."""

import pytest

from experiments.actions.experiments import set_metric_direction
from experiments.queries.search import Dialect, count_runs, search_runs
from experiments.search import limits
from experiments.search.errors import QueryError
from kernel.actor import operator
from tests.search.conftest import store
from tests.search.zoo import found, names, plain


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
    assert error.suggestion == "max(metrics.`val/loss`) < 1"
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


def lists_of(column: str, length: int = 1000) -> str:
    """As long a filter as is allowed, made of long lists."""
    values = ", ".join(f"'v{at}'" for at in range(length))
    term = f"{column} IN ({values})"
    return " OR ".join([term] * (limits.MAX_TEXT // (len(term) + 4)))


@pytest.mark.parametrize(
    "text",
    [
        " OR ".join(f"params.p{at} = 'x'" for at in range(limits.MAX_TERMS)),
        " AND ".join(f"NOT metrics.m{at} > {at}" for at in range(limits.MAX_TERMS)),
        lists_of("params.lr"),
        lists_of("tags.team", 900),
        lists_of("run_id"),
        lists_of("dataset.name"),
        f"metrics.acc NOT IN ({', '.join(str(at) for at in range(1000))})",
        "NOT (" * 12 + "metrics.acc > 0" + ")" * 12,
        f"params.lr LIKE '{'%a_' * 166}'",
        f"params.lr = '{'é' * 60_000}'",
        " ".join(["ant"] * limits.MAX_TERMS),
    ],
)
def test_the_largest_filters_are_answered(zoo, text):
    for order in [[], ["metrics.acc", *(f"params.p{at}" for at in range(7))]]:
        assert search_runs(zoo.viewer, text=text, order=order, project=zoo.project).next_token is None
    assert count_runs(zoo.viewer, text=text).at_least is False
