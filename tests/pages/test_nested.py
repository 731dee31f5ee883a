"""The run table as a tree, as somebody without scripts and as the page's own scripts ask for it."""

import html
import re

import pytest
from django.urls import reverse

from experiments.actions.batches import log_batch
from experiments.actions.experiments import set_metric_direction
from experiments.actions.runs import create_run, delete_run
from experiments.models import Run
from tests.factories import STARTED_MS, Team, a_batch, a_run, an_experiment
from tests.pages.conftest import Browser, Page, address
from tests.pages.test_run_table import names


@pytest.fixture
def sweep(team: Team) -> list[Run]:
    """A sweep of 52 trials, the first with two folds, and a run beside it."""
    place = an_experiment(team.scientist, name="Sweeps")

    def nested(name: str, parent: Run | None, loss: float) -> Run:
        tags = {"mlflow.parentRunId": parent.uid.hex} if parent else None
        run = create_run(team.scientist, place, name=name, tags=tags, started_ms=STARTED_MS)
        log_batch(team.scientist, run, batch=a_batch(loss=[loss], params={"lr": "0.1"}))
        return run

    top = nested("sweep", None, 100)
    trials = [nested(f"trial {at:02d}", top, at) for at in range(52)]
    folds = [nested(f"fold {at}", trials[0], 200 + at) for at in range(2)]
    return [top, *trials, *folds, nested("alone", None, 300)]


def table(browser: Browser, team: Team, run: Run, query: str = "") -> Page:
    return browser.get(f"{address(team.project, 'runs/')}?experiment={run.experiment_id}&{query}")


def question(page: Page) -> dict[str, list[str]]:
    """What the page's scripts send along when they ask for nested runs."""
    form = re.search(r'<form id="tree-question" hidden>(.*?)</form>', page.source, re.S)
    assert form
    asked: dict[str, list[str]] = {}
    for name, value in re.findall(r'name="([\w]+)" value="([^"]*)"', form[1]):
        asked.setdefault(name, []).append(html.unescape(value))
    return asked


def below(browser: Browser, team: Team, run: Run, page: Page, **more: object) -> Page:
    where = reverse("experiments:nested", args=[team.project.slug, run.uid.hex])
    return Page(browser.client.get(where, {**question(page), **more}))


def test_nested_runs_stand_below_their_parents_by_default(ada: Browser, team: Team, sweep):
    page = table(ada, team, sweep[0], "sort=name")
    assert names(page) == ["alone", "sweep"]
    assert "+54" in page
    assert "55 runs" in page or "56 runs" in page
    first = below(ada, team, sweep[0], page, level=1)
    assert names(first) == [f"trial {at:02d}" for at in range(50)]
    assert "+2" in first
    assert "Show 50 more" in first
    token = re.search(r"level=1&amp;after=([^\"]+)", first.source)
    assert token
    rest = below(ada, team, sweep[0], page, level=1, after=html.unescape(token[1]).replace("%3D", "="))
    assert names(rest) == ["trial 50", "trial 51"]
    assert "Show 50 more" not in rest
    folds = below(ada, team, sweep[1], page, level=2)
    assert names(folds) == ["fold 0", "fold 1"]
    assert folds.source.count('class="m-nestin"') == 4
    assert f'data-parent="{sweep[1].uid.hex}"' in folds.source


def test_children_have_the_columns_and_the_order_of_the_table(ada: Browser, team: Team, sweep):
    page = table(ada, team, sweep[0], "tree=1&sort=-metrics.loss&columns=metrics.loss&columns=params.lr&only=differing")
    assert names(page) == ["alone", "sweep"]
    first = below(ada, team, sweep[0], page)
    assert names(first)[:2] == ["trial 51", "trial 50"]
    heads = len(re.findall(r"data-column-key=", page.source))
    row = re.search(r"<tr [^>]*data-href.*?</tr>", first.source, re.S)
    assert row
    assert row[0].count("<td") == heads + 3


def test_a_parent_that_does_not_match_is_shown_and_says_why(ada: Browser, team: Team, sweep):
    page = table(ada, team, sweep[0], "q=metrics.loss+%3E%3D+200+AND+metrics.loss+%3C+300")
    assert names(page) == ["sweep"]
    assert "does not match; a run nested in it does" in page
    assert "+2" in page
    first = below(ada, team, sweep[0], page)
    assert names(first) == ["trial 00"]
    assert "does not match" in first
    assert sorted(names(below(ada, team, sweep[1], page))) == ["fold 0", "fold 1"]
    assert "2 runs" in page


def test_the_address_turns_the_tree_off_and_keeps_what_is_open(ada: Browser, team: Team, sweep):
    page = table(ada, team, sweep[0], "tree=0&sort=name")
    assert len(names(page)) == 56
    assert [link for link in page.links("tree=1") if "/runs/?" in link]
    opened = table(ada, team, sweep[0], f"open={sweep[0].readable_id}&sort=name")
    assert "data-nest-open" in opened.source
    assert all(f"open={sweep[0].readable_id}" in link for link in opened.links("sort=-name"))
    assert page.links("parentRunId") == []
    (listed,) = [link for link in opened.links("parentRunId") if "tree=0" in link]
    assert len(names(ada.get(listed))) == 52


def test_the_best_run_stands_first_under_any_other_order(ada: Browser, team: Team, sweep):
    set_metric_direction(team.manager, team.project, key="loss", higher_is_better=False)
    best = table(ada, team, sweep[0], "sort=metrics.loss")
    assert names(best)[:2] == ["trial 00", "trial 01"]
    (row,) = [row for row in re.findall(r"<tr id=.*?</tr>", best.source, re.S) if "best on this page" in row]
    assert "trial 00" in row
    (turned,) = [link for link in best.links("tree=1") if "/runs/?" in link and "sort=metrics.loss" in link][:1]
    tree = ada.get(turned)
    assert names(tree) == ["sweep", "alone"]
    assert "best on this page" not in tree.source, "the best may be folded away"
    for order in ("", "sort=-created", "sort=-name"):
        assert "trial 00" not in names(table(ada, team, sweep[0], order))


def test_a_table_without_nested_runs_is_no_tree(ada: Browser, team: Team):
    a_run(team.scientist, name="one")
    page = ada.get(address(team.project, "runs/"))
    assert "tree-question" not in page.source
    assert ">Nested<" not in page.source


def test_nobody_opens_what_they_may_not_see(ada: Browser, zoe: Browser, team: Team, sweep):
    page = table(ada, team, sweep[0])
    assert below(zoe, team, sweep[0], page).response.status_code == 404
    delete_run(team.scientist, sweep[1])
    assert len(names(below(ada, team, sweep[0], page))) == 50
    assert below(ada, team, sweep[0], page, after="nonsense").response.status_code == 400
    assert below(ada, team, sweep[0], page, q="metrics.loss >>").response.status_code == 400


def test_a_tree_takes_as_many_queries_for_many_as_for_few(
    ada: Browser, team: Team, sweep, django_assert_max_num_queries
):
    table(ada, team, sweep[0])
    with django_assert_max_num_queries(38):
        page = table(ada, team, sweep[0], "q=metrics.loss+%3E+3")
    with django_assert_max_num_queries(24):
        below(ada, team, sweep[0], page)
