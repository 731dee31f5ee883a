"""The run table in groups: counted and averaged by the database over all that match, and opened as queries."""

import html
import re

import numpy as np
import pytest

from experiments.actions.batches import log_batch
from experiments.actions.experiments import create_experiment, grant_access, set_metric_direction
from experiments.actions.inputs import DatasetInput, log_inputs
from experiments.actions.runs import delete_run
from experiments.pages import group_rows, questions
from experiments.queries import groups
from experiments.queries.groups import Statistics, group_runs
from experiments.values import RunStatus
from tests.factories import STARTED_MS, Team, a_batch, a_person, a_run, user_of
from tests.pages.conftest import Browser, Page, address
from tests.pages.test_run_table import names, queries_of

FIGURES = {"gru": [0.81, 0.83, 0.84, 0.79], "tcn": [0.75, 0.77], 'it\'s "odd"': [1e9 + 0.25, 1e9 + 0.5, 1e9 + 0.75]}


@pytest.fixture
def seeds(team: Team):
    """Nine runs of three architectures, one of which is hard to quote, and one run without any."""
    for arch, values in FIGURES.items():
        for seed, value in enumerate(values):
            run = a_run(team.scientist, name=f"{arch[:3]}-{seed}", started_ms=STARTED_MS + seed)
            params = {"arch": arch, "seed": str(seed), "lr": "0.10" if seed else "0.1"}
            log_batch(team.scientist, run, batch=a_batch(params=params, **{"val/acc": [0.1, value]}))
    a_run(team.scientist, name="bare")


def table(who: Browser, team: Team, **query) -> Page:
    return who.get(address(team.project, "runs/"), **query)


def rows(page: Page) -> list[list[str]]:
    """The cells of each group's row."""
    found = []
    for row in re.findall(r'<tr class="group".*?</tr>', page.source, re.S):
        cells = re.findall(r"<td[^>]*>(.*?)</td>", row, re.S)
        found.append([" ".join(html.unescape(re.sub(r"<[^>]+>", " ", cell)).split()) for cell in cells])
    return found


def opened(page: Page, place: int) -> str:
    link = re.findall(r'<tr class="group" data-href="([^"]+)"', page.source)[place]
    return html.unescape(link)


def test_each_group_says_how_many_its_mean_deviation_and_best(ada: Browser, team: Team, seeds):
    set_metric_direction(team.scientist, team.project, key="val/acc", higher_is_better=True)
    page = table(ada, team, group="params.arch", columns="metrics.val/acc")
    found = rows(page)
    assert [(row[0], row[1]) for row in found] == [("gru", "4"), ('it\'s "odd"', "3"), ("tcn", "2"), ("none", "1")]
    assert found[0][2] == f"{np.mean(FIGURES['gru']):.4f} ± {np.std(FIGURES['gru'], ddof=1):.4f}"
    assert found[0][3] == "0.8400"
    assert found[3][2:4] == ["–", "–"]
    assert "4 groups, 10 runs" in page


@pytest.mark.parametrize("figure", ["last", "min", "max"])
def test_the_numbers_are_numpys(team: Team, seeds, figure):
    found = group_runs(team.scientist, team.project, ["params.arch"], metrics=[("val/acc", figure)]).groups
    for group in found:
        if group.values[0].is_none:
            assert group.metrics == {}
            continue
        last = np.array(FIGURES[group.values[0].text])
        values = {"last": last, "min": np.minimum(last, 0.1), "max": np.maximum(last, 0.1)}[figure]
        statistics = group.metrics["val/acc", figure]
        assert statistics.n == group.n == len(values)
        assert statistics.mean == pytest.approx(values.mean(), rel=1e-15)
        assert statistics.deviation == pytest.approx(values.std(ddof=1), rel=1e-12, abs=1e-15)
        assert (statistics.low, statistics.high) == (values.min(), values.max())


@pytest.mark.parametrize(
    ("middles", "spread"), [((0.5, 0.51), 0.1), ((0.5, 0.9), 1e-6), ((-3e9, 3e9), 1e-3), ((1e140, 1e-140), 0.0)]
)
def test_they_are_numpys_near_and_far_from_a_usual_value(team: Team, middles, spread):
    drawn = np.random.default_rng(7)
    by_arch = {}
    for at, middle in enumerate(middles):
        by_arch[f"a{at}"] = values = middle * (1 + 0.1 * drawn.normal(size=6)) if spread == 0.0 else (
            middle + spread * drawn.normal(size=6)
        )  # fmt: skip
        for value in values:
            run = a_run(team.scientist)
            log_batch(team.scientist, run, batch=a_batch(params={"arch": f"a{at}"}, loss=[float(value)], other=[0.25]))
    asked = [("loss", "last"), ("other", "last"), ("loss", "max")]
    found = group_runs(team.scientist, team.project, ["params.arch"], metrics=asked).groups
    assert {group.values[0].text for group in found} == set(by_arch)
    for group in found:
        values = by_arch[group.values[0].text]
        assert group.metrics["other", "last"] == Statistics(6, 0.25, 0.0, 0.25, 0.25)
        for figure in ("last", "max"):
            statistics = group.metrics["loss", figure]
            assert (statistics.n, statistics.low, statistics.high) == (6, values.min(), values.max())
            assert statistics.mean == pytest.approx(values.mean(), rel=1e-15)
            assert statistics.deviation == pytest.approx(values.std(ddof=1), rel=1e-12)


def test_equal_values_have_no_deviation(team: Team):
    for _ in range(3):
        log_batch(team.scientist, a_run(team.scientist), batch=a_batch(loss=[0.05]))
    (group,) = group_runs(team.scientist, team.project, ["status"], metrics=[("loss", "last")]).groups
    assert group.metrics["loss", "last"] == Statistics(3, 0.05, 0.0, 0.05, 0.05)


def test_what_is_not_finite_is_left_out_and_said(ada: Browser, team: Team):
    for value in (0.5, 0.7, float("nan"), float("inf"), -1e300):
        log_batch(team.scientist, a_run(team.scientist), batch=a_batch(params={"arch": "gru"}, loss=[value]))
    (row,) = rows(table(ada, team, group="params.arch", columns="metrics.loss"))
    assert row[1:3] == ["5", "0.6000 ± 0.1414"]
    assert "3 of 5 runs without a finite value" in table(ada, team, group="params.arch", columns="metrics.loss").source


@pytest.mark.parametrize("fields", [["params.arch"], ["params.arch", "params.lr"], ["status", "params.lr", "user"]])
def test_a_group_opens_as_the_query_that_finds_its_runs(ada: Browser, team: Team, seeds, fields):
    page = table(ada, team, group=fields, q="seed OR metrics.`val/acc` > 0 OR bare")
    assert len(rows(page)) > 1
    for place, row in enumerate(rows(page)):
        inside = ada.get(opened(page, place))
        assert len(names(inside)) == int(row[1]), row
        assert "Runs by group" not in inside.source


def test_groups_by_experiment_user_status_and_dataset(ada: Browser, team: Team):
    other = create_experiment(team.scientist, team.project, name="ablation")
    first = a_run(team.scientist, name="first", status=RunStatus.FINISHED)
    second = a_run(team.engineer, other, name="second")
    for run, versions in ((first, ["aa", "bb"]), (second, ["bb"])):
        log_inputs(team.scientist, run, inputs=[DatasetInput("icu", digest) for digest in versions])
    by = {key: rows(table(ada, team, group=key)) for key in ("experiment", "user", "status", "dataset")}
    assert sorted(row[0] for row in by["experiment"]) == ["Default", "ablation"]
    assert sorted(row[0] for row in by["user"]) == sorted(str(user_of(who)) for who in (team.scientist, team.engineer))
    assert sorted(row[0] for row in by["status"]) == ["Finished", "Running"]
    assert sorted(row[1] for row in by["dataset"]) == ["1", "2"]
    for key in by:
        page = table(ada, team, group=key)
        for place, row in enumerate(rows(page)):
            assert len(names(ada.get(opened(page, place)))) == int(row[1]), (key, row)


def test_groups_count_all_that_match_and_not_a_page(ada: Browser, team: Team, seeds, monkeypatch):
    monkeypatch.setattr(questions, "A_PAGE", 2)
    assert rows(table(ada, team, group="params.arch"))[0][:2] == ["gru", "4"]
    assert [row[:2] for row in rows(table(ada, team, group="params.arch", q="params.seed = '0'"))] == [
        ["gru", "1"],
        ['it\'s "odd"', "1"],
        ["tcn", "1"],
    ]


def test_groups_are_sorted_by_means_with_none_at_the_end(ada: Browser, team: Team, seeds):
    up = rows(table(ada, team, group="params.arch", columns="metrics.val/acc", sort="metrics.val/acc"))
    assert [row[0] for row in up] == ["tcn", "gru", 'it\'s "odd"', "none"]
    down = rows(table(ada, team, group="params.arch", columns="metrics.val/acc", sort="-metrics.val/acc"))
    assert [row[0] for row in down] == ['it\'s "odd"', "gru", "tcn", "none"]
    numbers = rows(table(ada, team, group="params.seed", sort="name"))
    assert [row[0] for row in numbers] == ["0", "1", "2", "3", "none"]


def test_only_the_largest_groups_are_shown_and_that_is_said(ada: Browser, team: Team, seeds, monkeypatch):
    monkeypatch.setattr(groups, "MAX_GROUPS", 2)
    page = table(ada, team, group="params.arch", columns="metrics.val/acc")
    assert [row[0] for row in rows(page)] == ["gru", 'it\'s "odd"']
    assert "there are more" in page


def test_nobody_counts_what_they_may_not_see(team: Team, zoe: Browser, outsider, seeds):
    zoe.get(address(team.project, "runs/"), expecting=404, group="params.arch")
    shared = create_experiment(team.scientist, team.project, name="shared")
    log_batch(team.scientist, a_run(team.scientist, shared), batch=a_batch(params={"arch": "gru"}))
    grant_access(team.manager, shared, user=user_of(outsider), reason="a second look")
    (seen,) = group_runs(outsider, team.project, ["params.arch"]).groups
    assert (seen.values[0].text, seen.n) == ("gru", 1)
    assert group_runs(a_person("Nobody"), team.project, ["params.arch"]).groups == []


def test_deleted_runs_are_in_no_group(ada: Browser, team: Team, seeds):
    delete_run(team.scientist, a_run(team.scientist, name="gone"))
    assert rows(table(ada, team, group="status"))[0][1] == "10"


def test_unknown_fields_and_more_than_three_are_left_out(ada: Browser, team: Team, seeds):
    page = table(ada, team, group=["nonsense", "", "params.", "params.arch", "params.lr", "status", "user"])
    assert "arch, lr, Status" in page
    assert "Runs by group" not in table(ada, team, group="nonsense").source


def test_a_wrong_query_groups_the_last_good_one(ada: Browser, team: Team, seeds):
    page = table(ada, team, group="params.arch", q="AND", good="params.arch = 'tcn'")
    assert [row[:2] for row in rows(page)] == [["tcn", "2"]]
    assert "Column 1" in page


def test_grouping_is_kept_by_the_other_controls_and_by_views(ada: Browser, team: Team, seeds):
    page = table(ada, team, group="params.arch")
    assert all("group=params.arch" in link for link in page.links("sort="))
    assert all("group=params.arch" in link for link in page.links("view=charts"))
    kept = ada.follow(f"/p/{team.project.slug}/views/", name="By architecture", query="group=params.arch")
    assert rows(kept)[0][0] == "gru"


def test_groups_take_as_many_queries_for_one_run_as_for_many(ada: Browser, team: Team):
    path = address(team.project, "runs/") + "?group=params.arch&group=user&group=dataset"
    counts = []
    for arch in ("a", "b", "c"):
        run = a_run(team.scientist)
        log_batch(team.scientist, run, batch=a_batch(params={"arch": arch}, loss=[1.0]))
        log_inputs(team.scientist, run, inputs=[DatasetInput("icu", arch)])
        counts.append(queries_of(lambda: ada.get(path)))
    assert counts[1] == counts[2]
    assert counts[2] <= 28  # one says from when on runs are read


def test_a_group_opens_where_it_stands_as_a_live_query(ada: Browser, zoe: Browser, team: Team, seeds):
    page = table(ada, team, group="params.arch", columns="metrics.val/acc", sort="-metrics.val/acc")
    addresses = [html.unescape(one) for one in re.findall(r'data-open-group="([^"]+)"', page.source)]
    place = [row[0] for row in rows(page)].index("gru")
    first = ada.get(addresses[place])
    assert rows(page)[place][1] == str(len(members(first))) == "4"
    assert "0.8400" in members(first)[0]
    late = a_run(team.scientist, name="late")
    log_batch(team.scientist, late, batch=a_batch(params={"arch": "gru"}, **{"val/acc": [0.99]}))
    again = ada.get(addresses[place])
    assert "late" in members(again)[0]
    assert "0.9900" in members(again)[0]
    zoe.get(addresses[0], expecting=404)


def test_of_a_large_group_the_first_runs_come_and_the_way_to_all(ada: Browser, team: Team, seeds, monkeypatch):
    monkeypatch.setattr(group_rows, "SHOWN", 1)
    page = table(ada, team, group="params.arch")
    address_of_first = html.unescape(re.findall(r'data-open-group="([^"]+)"', page.source)[0])
    opened = ada.get(address_of_first)
    assert len(members(opened)) == 1
    assert "more in this group" in opened
    assert any("params.arch" in link for link in opened.links("/runs/?"))


def test_runs_of_a_group_are_chosen_and_drawn_as_in_the_plain_table(ada: Browser, team: Team, seeds):
    asked = {"q": "params.seed < '3'", "sort": "-metrics.val/acc", "count": "5"}
    plain = table(ada, team, **asked)
    hidden = re.findall(r'value="hide:([A-Z]+-\d+)"', plain.source)[0]
    asked |= {"hide": hidden}
    plain = table(ada, team, **asked)
    eyes = set(re.findall(r'name="eye" value="([^"]+)"', plain.source))
    colours = set(re.findall(r"m-sw (r\d+)", plain.source))
    page = table(ada, team, group="params.arch", **asked)
    groups_opened = [ada.get(html.unescape(one)) for one in re.findall(r'data-open-group="([^"]+)"', page.source)]
    source = "".join(one.source for one in groups_opened)
    assert set(re.findall(r'name="eye" value="([^"]+)"', source)) == eyes
    assert f"unhide:{hidden}" in eyes
    assert set(re.findall(r"m-sw (r\d+)", source)) == colours
    assert len(colours) == 5, "four drawn, each with its own, and those that are not"
    assert sorted(re.findall(r'name="runs" form="selection" value="([^"]+)"', source)) == sorted(
        re.findall(r'name="runs" form="selection" value="([^"]+)"', plain.source)
    )
    assert 'id="selection"' in page.source
    assert 'id="eyes"' in page.source


def members(page: Page) -> list[str]:
    """The runs below a group, each in one line."""
    found = re.findall(r'<tr class="m-member" data-href.*?</tr>', page.source, re.S)
    return [" ".join(html.unescape(re.sub(r"<[^>]+>", " ", row)).split()) for row in found]


def test_of_very_many_runs_those_that_started_last_are_reckoned_with_and_the_page_says_so(
    ada: Browser, team: Team, monkeypatch
):
    monkeypatch.setattr("experiments.pages.grouped.NEWEST", 2)
    for at, arch in enumerate(("old", "new", "new", "newest")):
        run = a_run(team.scientist, started_ms=STARTED_MS + at)
        log_batch(team.scientist, run, batch=a_batch(params={"arch": arch}))
    page = table(ada, team, group="params.arch")
    assert [row[:2] for row in rows(page)] == [["new", "1"], ["newest", "1"]]
    assert "over the 2 matching runs that started last" in page
    narrowed = table(ada, team, group="params.arch", q="params.arch = 'new'")
    assert [row[:2] for row in rows(narrowed)] == [["new", "2"]]
    assert "over all runs of a group" in narrowed
    asked = group_runs(team.scientist, team.project, ["params.arch"])
    assert (asked.since_ms, [group.n for group in asked.groups]) == (None, [2, 1, 1])
