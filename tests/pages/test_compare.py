"""The page that sets runs side by side."""

import csv
import io

import numpy as np
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.roles import Role
from accounts.templatetags.mled import number
from experiments.actions.batches import log_batch
from experiments.actions.experiments import set_metric_direction
from experiments.actions.files import put_file
from experiments.pages.compare.tabs import PAGES
from tests.factories import a_batch, a_person, a_run, a_team, events_since, join
from tests.pages.conftest import Browser
from tests.world import stored

GROUPED = [("0.1", 0.81), ("0.1", 0.84), ("0.3", 0.7), ("0.1", 0.79)]


def runs_of(team, *kinds):
    """A run for each (params, metrics)."""
    made = []
    for params, metrics in kinds:
        run = a_run(team.scientist)
        log_batch(team.scientist, run, batch=a_batch(params=params, **metrics))
        made.append(run)
    return made


def address(runs, **more):
    asked = "&".join(f"{name}={value}" for name, value in more.items())
    return f"/compare/?runs={','.join(run.readable_id for run in runs)}&{asked}"


def test_it_shows_what_differs_and_hides_what_is_the_same(team):
    runs = runs_of(team, ({"lr": "0.1", "depth": "3"}, {"loss": [0.5]}), ({"lr": "0.2", "depth": "3"}, {"loss": [0.4]}))
    page = Browser(team.scientist).get(address(runs))
    assert "1 of 2 parameters differ" in page
    assert ">lr " in page.source
    assert ">depth " not in page.source
    assert ">depth " in Browser(team.scientist).get(address(runs, identical=1)).source


def test_the_base_is_the_first_run_or_the_one_that_the_address_names(team):
    set_metric_direction(team.scientist, team.project, key="loss", higher_is_better=False)
    first, second = runs_of(team, ({}, {"loss": [0.5]}), ({}, {"loss": [0.25]}))
    client = Browser(team.scientist)
    assert "−0.2500, −50 %" in client.get(address([first, second]))
    assert "+0.2500, +100 %" in client.get(address([first, second], base=second.readable_id))


def test_the_figure_can_be_last_best_lowest_or_highest(team):
    set_metric_direction(team.scientist, team.project, key="acc", higher_is_better=True)
    runs = runs_of(team, ({}, {"acc": [0.7, 0.75, 0.6]}), ({}, {"acc": [0.1, 0.2, 0.3]}))
    client = Browser(team.scientist)
    for figure, value in (("last", "0.6000"), ("best", "0.7500"), ("min", "0.6000"), ("max", "0.7500")):
        context = client.get(address(runs, figure=figure)).response.context
        assert context["groups"][0].rows[0].cells[0].text == value


def test_more_than_ten_runs_become_rows(team):
    runs = runs_of(team, *(({"lr": str(n)}, {}) for n in range(11)))
    page = Browser(team.scientist).get(address(runs))
    assert 'aria-label="Runs by fields"' in page.source
    assert page.source.count("<tr data-base=") == 11


def test_a_run_of_another_team_drops_out_like_one_that_is_not_there(team):
    other = a_team()
    mine, theirs = a_run(team.scientist), a_run(other.scientist, name="their-secret")
    client = Browser(team.scientist)
    said = set()
    for ref in (theirs.readable_id, theirs.uid.hex, f"{theirs.project.key}-9999", "f" * 32):
        page = client.get(f"/compare/?runs={mine.readable_id},{ref}")
        assert f"{ref} is left out: there is no such run that you may see." in page
        assert "their-secret" not in page.source
        assert [chip.run for chip in page.response.context["chips"]] == [mine]
        said.add(page.text.replace(ref, "").split("left out")[1][:80])
        assert f"No run '{ref}' was found." in client.get(f"/compare/?runs={ref}", expecting=404)
    assert len(said) == 1


def test_what_drops_out_stays_out_of_every_tab_and_file(team):
    other = a_team()
    mine, theirs = a_run(team.scientist), a_run(other.scientist, name="their-secret")
    log_batch(other.scientist, theirs, batch=a_batch(params={"their-secret": "their-secret"}))
    put_file(other.scientist, theirs, path="their-secret.txt", stored=stored(b"their-secret"))
    for path in ("", "table.csv", *(f"{tab}/" for tab in PAGES)):
        page = Browser(team.scientist).get(f"/compare/{path}?runs={mine.readable_id},{theirs.readable_id}")
        assert "their-secret" not in page.source


def test_runs_of_several_projects_stand_beside_each_other_for_who_sees_both(team):
    other = a_team()
    runs = [a_run(team.scientist), a_run(other.scientist)]
    join(other.project, team.scientist, Role.DATA_SCIENTIST)
    page = Browser(team.scientist).get(address(runs))
    assert all(run.readable_id in page for run in runs)


def test_more_than_a_hundred_are_refused_in_words_and_kept_in_the_address(team):
    answer = Browser(team.scientist).get("/compare/?runs=" + ",".join(f"A-{n}" for n in range(101)))
    assert "At most 100 runs" in answer


def test_without_runs_it_says_how_to_choose_them(team):
    page = Browser(team.scientist).get("/compare/")
    assert "Choose runs to compare" in page
    assert page.links(f"/p/{team.project.slug}/runs/")


def test_a_run_is_added_by_its_id_and_named_once(team):
    first, second = runs_of(team, ({}, {}), ({}, {}))
    context = (
        Browser(team.scientist).get(f"{address([first])}&add={second.uid.hex}+{first.readable_id}").response.context
    )
    assert [column.run for column in context["columns"]] == [first, second]


def test_the_number_of_statements_does_not_grow_with_the_runs(team):
    few = runs_of(team, *(({"lr": str(n)}, {"loss": [n]}) for n in range(2)))
    many = few + runs_of(team, *(({"lr": str(n)}, {"loss": [n]}) for n in range(8)))
    client = Browser(team.scientist)
    client.get(address(few))
    counts = []
    for path in (address(few), address(many)):
        with CaptureQueriesContext(connection) as asked:
            client.get(path)
        counts.append(len(asked))
    assert counts[0] == counts[1]


def test_the_csv_holds_every_field_and_starts_no_formula(team):
    runs = runs_of(team, ({"lr": "0.1", "cmd": "=1+1"}, {"loss": [0.5]}), ({"lr": "0.1"}, {}))
    answer = Browser(team.scientist).get(address(runs).replace("/compare/", "/compare/table.csv"))
    lines = list(csv.reader(io.StringIO(answer.source)))
    assert lines[0] == ["kind", "field", runs[0].readable_id, runs[1].readable_id]
    assert ["metric", "loss", "0.5", ""] in lines
    assert ["param", "lr", "0.1", "0.1"] in lines
    assert ["param", "cmd", "'=1+1", ""] in lines


def test_words_that_are_no_id_find_runs_by_name(team):
    first, second = a_run(team.scientist, name="gru-d"), a_run(team.scientist, name="tcn wide")
    client = Browser(team.scientist)
    page = client.get(f"{address([first])}&add=tcn+wide")
    assert "Runs found for “tcn wide”" in page
    [offer] = page.response.context["offered"]
    assert [chip.run for chip in client.get(offer.url).response.context["chips"]] == [first, second]
    assert "No run found for “nothing”" in client.get(f"{address([first])}&add=nothing")


def test_the_box_finds_runs_by_name_and_id_and_leaves_out_those_compared_and_those_of_others(team):
    first, second = a_run(team.scientist, name="gru-one"), a_run(team.scientist, name="gru-two")
    a_run(a_team().scientist, name="gru-theirs")
    client = Browser(team.scientist)
    for words in ("gru", second.readable_id, second.uid.hex):
        found = client.get(f"/compare/found/?runs={first.readable_id}&find={words}&tab=code").response.context[
            "offered"
        ]
        assert [offer.run for offer in found] == [second]
        assert found[0].url.startswith("/compare/code/")
    assert "No run with “zzz”" in client.get("/compare/found/?find=zzz")
    client.get("/compare/found/?find=zzz&tab=none", expecting=404)


def test_runs_change_places_and_leave_and_the_base_stays(team):
    runs = [a_run(team.scientist) for _ in range(3)]
    client = Browser(team.scientist)
    chips = client.get(address(runs)).response.context["chips"]
    moved = client.get(chips[0].right_url).response.context
    assert [chip.run for chip in moved["chips"]] == [runs[1], runs[0], runs[2]]
    assert [chip.is_base for chip in moved["chips"]] == [False, True, False]
    assert (chips[0].left_url, chips[2].right_url) == ("", "")
    left = client.get(moved["chips"][1].without_url).response.context["chips"]
    assert [(chip.run, chip.is_base) for chip in left] == [(runs[1], True), (runs[2], False)]


def test_groups_stand_beside_each_other_with_n_and_spread(team):
    set_metric_direction(team.scientist, team.project, key="acc", higher_is_better=True)
    kinds = [({"lr": lr, "seed": str(n)}, {"acc": [value]}) for n, (lr, value) in enumerate(GROUPED)]
    runs = [*runs_of(team, *kinds), a_run(team.scientist)]
    page = Browser(team.scientist).get(address(runs, group="params.lr"))
    columns, groups = page.response.context["columns"], page.response.context["groups"]
    assert [(column.name, column.words) for column in columns] == [
        ("0.1", "3 runs"),
        ("0.3", "1 run"),
        ("none", "1 run"),
    ]
    cells = groups[0].rows[0].cells
    values = [value for lr, value in GROUPED if lr == "0.1"]
    assert cells[0].spread == f"± {number(np.std(values, ddof=1))}, n 3"
    assert cells[0].text == number(np.mean(values))
    assert cells[1].spread == ""
    seed = next(row for row in groups[1].rows if row.name == "seed")
    assert seed.cells[0].text == "3 values: 0, 1, 3"
    lines = list(
        csv.reader(
            io.StringIO(Browser(team.scientist).get(f"/compare/table.csv{address(runs, group='params.lr')[9:]}").source)
        )
    )
    assert ["n", "acc", "3", "1", "0"] in lines


def test_sections_that_somebody_keeps_shut_open_shut(team):
    runs = runs_of(team, ({"lr": "0.1"}, {"loss": [1]}), ({"lr": "0.2"}, {"loss": [2]}))
    client = Browser(team.scientist)
    kept = client.client.post("/me/settings/", {"name": "compare.folded", "value": '["params"]'})
    assert kept.status_code in (200, 204)
    groups = client.get(address(runs)).response.context["groups"]
    assert [group.key for group in groups if group.folded] == ["params"]
    assert client.client.post("/me/settings/", {"name": "compare.folded", "value": '["nothing"]'}).status_code == 400


def test_the_csv_is_on_record_in_each_project(team):
    other = a_team()
    join(other.project, team.scientist, Role.DATA_SCIENTIST)
    runs = [a_run(team.scientist, project=team.project), a_run(other.scientist)]
    made = events_since(lambda: Browser(team.scientist).get(address(runs).replace("/compare/", "/compare/table.csv")))
    told = {kept.event.project_id: kept.reason for kept in made if kept.verb == "experiments.note_export_of"}
    assert told == {run.project_id: f"Exported a comparison of run as CSV: {run.readable_id}" for run in runs}


def test_the_csv_of_a_chart_and_of_what_matters_are_on_record_too(team):
    runs = runs_of(team, ({"lr": "0.1"}, {"loss": [2, 1]}), ({"lr": "0.2"}, {"loss": [4, 3]}))
    refs = ",".join(run.readable_id for run in runs)
    client = Browser(team.scientist)
    [chart] = events_since(lambda: client.get(f"/charts/data.csv?runs={refs}&key=loss"))
    assert chart.reason == f"Exported the chart of 'loss' of 2 runs as CSV: {', '.join(refs.split(','))}"
    [matters] = events_since(lambda: client.get(f"/p/{team.project.slug}/what-matters/table.csv?result=loss"))
    assert matters.reason == "Exported what matters for 'loss' as CSV, 2 runs"


def test_what_others_wrote_is_written_as_text_in_columns_and_in_rows(team):
    evil = '"><script>alert(1)</script>'
    kinds = [({"lr": f"{evil}{n}"}, {"loss": [n]}) for n in range(11)]
    runs = runs_of(team, *kinds)
    for asked in (runs[:2], runs):
        page = Browser(team.scientist).get(address(asked)).source
        assert "<script>alert" not in page
        assert "&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;1" in page


def test_a_tab_that_there_is_not_is_answered_in_words(team):
    assert "has no tab 'nothing'" in Browser(team.scientist).get("/compare/nothing/", expecting=404)


def test_a_stranger_sees_none_of_it(team):
    run = a_run(team.scientist)
    Browser(a_person()).get(address([run]), expecting=404)
