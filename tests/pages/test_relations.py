"""The page that tells which parameters matter for a result."""

import csv
import io
import re

import numpy as np
import pytest

from experiments.actions.batches import log_batch
from experiments.actions.experiments import set_metric_direction
from experiments.compare.correlation import correlate, group
from experiments.pages.panels import parse_panel
from experiments.pages.pictures import scatter
from tests.factories import a_batch, a_person, a_run, a_team
from tests.pages.conftest import Browser


@pytest.fixture
def sweep(team):
    """Thirty runs: acc is 1 - lr whatever the seed; the optimiser changes nothing."""
    set_metric_direction(team.scientist, team.project, key="acc", higher_is_better=True)
    for n in range(30):
        lr = 0.01 + 0.02 * n
        params = {"lr": str(lr), "seed": str(n * 7 % 11), "optimiser": ("adam", "sgd")[n % 2], "epochs": "5"}
        run = a_run(team.scientist)
        log_batch(team.scientist, run, batch=a_batch(params=params, acc=[0.1, 1 - lr], loss=[lr]))
    return team


def address(team) -> str:
    return f"/p/{team.project.slug}/what-matters/"


def test_the_parameter_that_makes_the_result_comes_first_with_its_figures(sweep):
    page = Browser(sweep.scientist).get(address(sweep), result="acc")
    first = page.response.context["relations"][0]
    assert first.name == "lr"
    assert first.words["pearson"] == "−1.00"
    assert first.words["spearman"] == "−1.00"
    assert "epochs" not in [one.name for one in page.response.context["relations"]]
    assert "permutation importance" in page
    assert "30 runs, Pearson −1.00" in page.source


def test_words_are_compared_by_group(sweep):
    page = Browser(sweep.scientist).get(address(sweep), result="acc")
    optimiser = next(one for one in page.response.context["relations"] if one.name == "optimiser")
    assert optimiser.kind == "words"
    assert optimiser.grouping.eta_squared < 0.05
    assert "30 runs in 2 groups" in page.source


def test_it_follows_the_filter_of_the_table_and_warns_of_few_runs(sweep):
    client = Browser(sweep.scientist)
    table = client.get(f"/p/{sweep.project.slug}/runs/", q="params.lr < 0.2")
    page = client.get(table.links("what-matters")[0])
    assert page.field("query") == "params.lr < 0.2"
    assert "Too few runs to tell" in page
    assert page.response.context["n"] == 10


def test_a_wrong_query_is_shown_where_it_is_wrong(sweep):
    page = Browser(sweep.scientist).get(address(sweep), q="params.lr <")
    assert 'aria-invalid="true"' in page.source
    assert "No run matches" in page


def test_the_result_is_its_best_value_unless_asked_otherwise(sweep):
    client = Browser(sweep.scientist)
    lowest = client.get(address(sweep), result="acc", figure="min").response.context["relations"]
    assert next(one for one in lowest if one.name == "lr").correlation.pearson is None  # 0.1 for all but few
    best = client.get(address(sweep), result="acc").response.context["asked"].figure
    assert best.value == "best"


def test_without_runs_or_parameters_it_says_what_to_do(team):
    client = Browser(team.scientist)
    assert "No run matches" in client.get(address(team))
    log_batch(team.scientist, a_run(team.scientist), batch=a_batch(acc=[0.5]))
    assert "No parameter varies" in client.get(address(team))


def test_the_csv_holds_the_same_figures(sweep):
    answer = Browser(sweep.scientist).get(f"{address(sweep)}table.csv", result="acc")
    rows = list(csv.DictReader(io.StringIO(answer.source)))
    assert rows[0]["param"] == "lr"
    assert float(rows[0]["pearson"]) == pytest.approx(-1)
    Browser(sweep.scientist).get(f"{address(sweep)}table.csv", expecting=400)


def test_strangers_and_other_teams_get_the_same_as_for_a_project_that_is_not_there(sweep):
    for who in (a_person(), a_team().scientist):
        Browser(who).get(address(sweep), expecting=404)
        Browser(who).get(f"{address(sweep)}table.csv", expecting=404)


def test_names_and_words_of_others_are_escaped(team):
    for n in range(4):
        run = a_run(team.scientist)
        log_batch(team.scientist, run, batch=a_batch(params={"opt": f"<script>{n % 2}</script>"}, acc=[float(n)]))
    page = Browser(team.scientist).get(address(team), result="acc")
    assert "<script>0" not in page.source
    assert "&lt;script&gt;" in page.source


def test_dots_and_trend_lie_in_the_picture():
    x = np.linspace(1, 9, 40)
    picture = scatter(x, 2 * x, correlate(x, 2 * x))
    places = [(float(a), float(b)) for a, b in re.findall(r"M([\d.]+) ([\d.]+)h0", picture.dots)]
    assert len(places) == 40
    assert all(46 <= a <= 312 and 8 <= b <= 128 for a, b in places)
    assert places[0] == (46, 128)
    assert picture.trend == "M46.0 128.0L312.0 8.0"
    assert not picture.log


def test_a_wide_positive_range_is_drawn_on_a_logarithmic_axis():
    x = 10.0 ** np.linspace(-4, 0, 30)
    picture = scatter(x, np.log10(x), correlate(x, np.log10(x)))
    assert picture.log
    assert [tick.text for tick in picture.x_ticks][-1] == "1"


def test_one_group_only_makes_one_box():
    grouped = group(["a"] * 5, np.arange(5.0))
    assert grouped.eta_squared is None
    assert len(grouped.categories) == 1


def test_no_name_of_a_parameter_begins_a_formula_in_the_csv(team):
    for n in range(4):
        run = a_run(team.scientist)
        log_batch(team.scientist, run, batch=a_batch(params={"-x y": str(n % 2), "- z": f"w{n % 2}"}, acc=[float(n)]))
    answer = Browser(team.scientist).get(f"{address(team)}table.csv", result="acc")
    assert {row["param"] for row in csv.DictReader(io.StringIO(answer.source))} == {"'-x y", "'- z"}


def test_parameters_and_result_stand_together_in_panels_that_follow_the_filter(sweep):
    page = Browser(sweep.scientist).get(address(sweep), result="acc", q="params.lr < 0.5")
    together, alone = page.response.context["panels"]
    assert parse_panel(together.text)["fields"][0] == "params.lr"
    assert parse_panel(together.text)["fields"][-1] == "metrics.acc.best"
    assert parse_panel(alone.text) == {"kind": "scatter", "x": "params.lr", "y": "metrics.acc.best", "trend": True}
    assert "points.json?q=params.lr+%3C+0.5" in page.source
    assert "box;x=params.optimiser;y=metrics.acc.best" in page.source


def test_a_panel_that_a_reader_changed_stands_in_the_address(sweep):
    text = "box;x=params.optimiser;y=metrics.acc.best"
    page = Browser(sweep.scientist).get(address(sweep), result="acc", panel=[text, "nonsense;;", "BAD"])
    together, alone = page.response.context["panels"]
    assert (alone.text, alone.changed) == (text, True)
    assert not together.changed
    assert parse_panel(together.text)["color"] == "metrics.acc.best"
