"""The columns of the run table: which figure of a metric, in which order, which are left out, small curves."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from experiments.actions.batches import log_batch
from experiments.actions.experiments import set_metric_direction
from experiments.actions.runs import create_run
from experiments.models import MetricDirection
from experiments.pages.columns import is_learning_rate
from kernel.errors import Invalid
from tests.factories import STARTED_MS, Team, a_batch, a_run, an_experiment
from tests.pages.conftest import Browser, Page, address
from tests.pages.test_export import lines, read
from tests.pages.test_run_table import names


@pytest.fixture
def three(team: Team):
    """a ends well, b was best in between, c is NaN; lr is the same in all, drop differs, note is empty in two."""
    curves = {"a": [0.5, 0.6, 0.7], "b": [0.1, 0.9, 0.6], "c": [float("nan")]}
    made = {}
    for place, (name, values) in enumerate(curves.items()):
        made[name] = a_run(team.scientist, name=name, started_ms=STARTED_MS - place)
        params = {"lr": "0.1", "drop": str(place)}
        log_batch(team.scientist, made[name], batch=a_batch(params=params, **{"val/acc": values}))
    log_batch(team.scientist, made["a"], batch=a_batch(tags={"note": "look"}))
    return made


def head(page: Page) -> str:
    return page.source.split("<thead>")[1].split("</thead>")[0]


def keys(page: Page) -> list[str]:
    return re.findall(r'data-column-key="([^"]+)"', page.source)


def table(who: Browser, team: Team, **query) -> Page:
    return who.get(address(team.project, "runs/"), **query)


def follow(who: Browser, team: Team, **query) -> Page:
    """Press an entry of a column's menu."""
    went = who.client.get(address(team.project, "runs/"), query, follow=True)
    assert "do=" not in went.request["QUERY_STRING"]
    return who._page(went, 200)


def test_by_default_the_params_with_the_most_values_are_shown_a_learning_rate_first(ada: Browser, team: Team):
    for at in range(4):
        params = {"arch": str(at % 2), "base_lr": str(at), "width": str(at), "blocks": str(at % 3), "same": "1"}
        log_batch(team.scientist, a_run(team.scientist), batch=a_batch(loss=[at], params=params))
    found = [key for key in keys(table(ada, team)) if key.startswith("params.")]
    assert found == ["params.base_lr", "params.width", "params.blocks"]


def test_the_time_of_a_run_that_was_recorded_long_after_it_ran_is_called_its_start(ada: Browser, team: Team):
    a_run(team.scientist, started_ms=STARTED_MS)
    shown = head(table(ada, team))
    assert "Started" in shown
    assert "Created" not in shown


def test_the_picker_ticks_what_is_shown_and_an_act_on_a_column_adds_nothing_that_says_nothing(
    ada: Browser, team: Team, three
):
    page = table(ada, team)
    ticked = re.findall(r'name="columns" value="([^"]+)" checked', page.source)
    assert sorted(ticked) == sorted(keys(page))
    assert "verdict" not in ticked
    kept = re.search(r'id="columns-now">(.*?)</form>', page.source, re.S)
    assert kept
    assert "verdict" not in kept[1]
    narrowed = table(ada, team, only="differing")
    kept = re.search(r'id="columns-now">(.*?)</form>', narrowed.source, re.S)
    assert kept
    assert sorted(re.findall(r'name="columns" value="([^"]+)"', kept[1])) == sorted(keys(page))
    assert 'name="columns" value="created" checked' in table(ada, team, q="nothing").source


@pytest.mark.parametrize(
    ("name", "is_so"),
    [
        *((name, True) for name in ("lr", "LR", "learningRate", "learning-rate", "optimizer.lr", "lr_head", "opt/eta")),
        *((name, False) for name in ("layers", "learner", "rate", "beta", "url")),
    ],
)
def test_learning_rates_are_known_by_their_names(name: str, is_so: bool):
    assert is_learning_rate(name) is is_so


def test_the_experiment_is_a_column_by_default_only_where_there_is_little_else(ada: Browser, team: Team):
    places = [an_experiment(team.scientist, name=name) for name in ("width", "depth")]
    made = [create_run(team.scientist, place) for place in places]
    assert "experiment" in keys(table(ada, team))
    log_batch(team.scientist, made[0], batch=a_batch(loss=[1.0]))
    assert "experiment" not in keys(table(ada, team))
    assert "experiment" in keys(table(ada, team, columns=["experiment", "metrics.loss"]))


@pytest.mark.parametrize(
    ("figure", "shown", "order"),
    [
        ("min(metrics.val/acc)", ["0.5000", "0.1000"], ["a", "b", "c"]),
        ("max(metrics.val/acc)", ["0.7000", "0.9000"], ["b", "a", "c"]),
        ("best(metrics.val/acc)", ["0.7000", "0.9000"], ["b", "a", "c"]),
        ("metrics.val/acc", ["0.7000", "0.6000"], ["a", "b", "c"]),
    ],
)
def test_a_metric_shows_its_last_lowest_highest_or_best_and_sorts_by_it(
    ada: Browser, team: Team, three, figure, shown, order
):
    set_metric_direction(team.scientist, team.project, key="val/acc", higher_is_better=True)
    page = table(ada, team, columns=figure, sort=f"-{figure}")
    assert names(page) == order
    assert 'aria-sort="descending"' in page.source
    assert sorted(re.findall(r">(0\.\d{4})<", page.source)) == sorted(shown)
    assert "NaN" in page


def test_the_best_of_a_metric_without_a_direction_is_not_offered_and_sorts_nothing(ada: Browser, team: Team, three):
    page = table(ada, team, columns="best(metrics.val/acc)", sort="-best(metrics.val/acc)")
    assert names(page) == ["a", "b", "c"]
    assert "aria-sort" not in page.source
    assert 'value="best:' not in page.source
    set_metric_direction(team.scientist, team.project, key="val/acc", higher_is_better=False)
    page = table(ada, team, columns="best(metrics.val/acc)", sort="best(metrics.val/acc)")
    assert names(page) == ["b", "a", "c"]


def test_no_metric_can_be_named_like_a_figure(team: Team):
    with pytest.raises(Invalid, match="character that keys cannot have"):
        log_batch(team.scientist, a_run(team.scientist), batch=a_batch(**{"min(metrics.a)": [3.0]}))


def test_two_figures_of_a_metric_stand_side_by_side_and_say_which_they_are(ada: Browser, team: Team, three):
    page = table(ada, team, columns=["min(metrics.val/acc)", "max(metrics.val/acc)"])
    assert "min val/acc" in head(page)
    assert "max val/acc" in head(page)
    assert {"0.1000", "0.9000"} <= set(re.findall(r">(0\.\d+)<", page.source))


def test_the_menu_of_a_head_changes_the_figure_and_takes_the_order_along(ada: Browser, team: Team, three):
    columns = ["metrics.val/acc", "params.lr"]
    page = follow(ada, team, columns=columns, sort="-metrics.val/acc", do="max:metrics.val/acc")
    assert keys(page) == ["max(metrics.val/acc)", "params.lr"]
    assert names(page) == ["b", "a", "c"]
    assert "Metrics, max" in page


def test_the_menu_moves_and_hides_columns_within_their_group(ada: Browser, team: Team, three):
    columns = ["created", "params.lr", "params.drop"]
    assert keys(follow(ada, team, columns=columns, do="left:params.drop")) == ["created", "params.drop", "params.lr"]
    assert keys(follow(ada, team, columns=columns, do="right:params.lr")) == ["created", "params.drop", "params.lr"]
    assert keys(follow(ada, team, columns=columns, do="left:params.lr")) == columns
    assert keys(follow(ada, team, columns=columns, do="hide:params.lr")) == ["created", "params.drop"]


@pytest.mark.parametrize("do", ["", "hide", "hide:nonsense", "fly:params.lr", "min:params.lr", "left:params.gone"])
def test_what_a_menu_does_not_offer_changes_nothing(ada: Browser, team: Team, three, do):
    assert keys(follow(ada, team, columns=["params.lr", "params.drop"], do=do)) == ["params.lr", "params.drop"]


def test_only_filled_and_only_differing_columns(ada: Browser, team: Team, three):
    columns = ["user", "params.lr", "params.drop", "tags.note", "tags.gone"]
    assert keys(table(ada, team, columns=columns, only="filled")) == columns[:-1]
    differing = table(ada, team, columns=columns, only="differing")
    assert keys(differing) == ["params.drop", "tags.note"]
    assert "Columns 2 of 5" in differing
    assert keys(table(ada, team, columns=columns, only="nonsense")) == columns
    assert all("only=differing" in link for link in differing.links("sort="))


def test_what_is_left_out_comes_back_with_another_act_on_a_column(ada: Browser, team: Team, three):
    columns = ["params.lr", "params.drop", "tags.note"]
    page = table(ada, team, columns=columns, only="differing")
    form = page.source.split('id="columns-now"')[1].split("</form>")[0]
    assert re.findall(r'name="columns" value="([^"]+)"', form) == columns


def test_a_small_curve_is_drawn_in_each_row_that_has_one(ada: Browser, team: Team, three):
    plain = table(ada, team, columns="metrics.val/acc")
    assert "m-spark" not in plain.source
    drawn = follow(ada, team, columns="metrics.val/acc", do="spark:metrics.val/acc")
    assert drawn.source.count("m-spark") == 2
    with CaptureQueriesContext(connection) as asked:
        table(ada, team, columns="metrics.val/acc", spark="val/acc")
    for _ in range(3):
        log_batch(team.scientist, a_run(team.scientist), batch=a_batch(**{"val/acc": [1.0, 2.0]}))
    with CaptureQueriesContext(connection) as again:
        table(ada, team, columns="metrics.val/acc", spark="val/acc")
    assert len(again) == len(asked)


def test_the_direction_is_set_from_the_head_by_those_who_may(ada: Browser, team: Team, three):
    assert "↑ better" in table(ada, team, columns="metrics.val/acc")
    assert "↑ better" not in table(Browser(team.auditor), team, columns="metrics.val/acc")
    kept = "columns=metrics.val%2Facc&sort=name&next=//evil"
    page = ada.follow(f"/p/{team.project.slug}/direction/", key="val/acc", better="higher", table=kept)
    assert MetricDirection.objects.get().higher_is_better
    assert keys(page) == ["metrics.val/acc"]
    assert " best" in page.source


def test_a_view_keeps_figures_and_layout(ada: Browser, team: Team, three):
    query = "columns=min(metrics.val/acc)&only=differing&spark=val/acc&sort=-min(metrics.val/acc)"
    page = ada.follow(f"/p/{team.project.slug}/views/", name="Lowest", query=query)
    assert keys(page) == ["min(metrics.val/acc)"]
    assert names(page) == ["a", "b", "c"]
    assert "m-spark" in page.source


def test_an_export_holds_the_figures_shown(team: Team, three):
    set_metric_direction(team.scientist, team.project, key="val/acc", higher_is_better=True)
    columns = ["metrics.val/acc", "min(metrics.val/acc)", "best(metrics.val/acc)"]
    found = lines(read(team.scientist, team, columns=columns, sort="name"))
    assert [found[1][column] for column in columns] == ["0.6", "0.1", "0.9"]


def test_a_star_stands_for_every_column_of_a_kind(ada: Browser, team: Team, three):
    page = table(ada, team, columns=["user", "metrics.*", "params.*"])
    assert keys(page)[0] == "user"
    assert {"metrics.val/acc", "params.lr", "params.drop"} <= set(keys(page))
    assert any(link.endswith("columns=params.*") for link in table(ada, team, columns=["user"]).links("params.*"))
    assert not page.links("columns=metrics.val")


def test_the_menu_of_one_column_comes_alone(ada: Browser, zoe: Browser, team: Team, three):
    menu = table(ada, team, columns="metrics.*", menu="metrics.val/acc")
    assert "Lowest" in menu
    assert 'value="hide:metrics.val/acc"' in menu.source
    assert "<tbody" not in menu.source
    everywhere = ada.get(reverse("experiments:all_runs"), menu="metrics.val/acc")
    assert "Lowest" in everywhere
    assert "↑ better" not in everywhere
    ada.get(address(team.project, "runs/"), expecting=404, menu="nonsense")
    zoe.get(address(team.project, "runs/"), expecting=404, menu="metrics.val/acc")
