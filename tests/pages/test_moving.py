"""Runs that are moved and exported from the table, one moved from its own page, and each put back."""

import csv
import io

import pytest

from experiments.actions.batches import log_batch
from experiments.actions.runs import create_run, lock_run
from experiments.models import Experiment, Run
from tests.factories import STARTED_MS, Team, a_batch, a_run, a_team, an_experiment, events_since
from tests.pages.conftest import Browser, address
from tests.pages.test_bulk import do, undo_form


@pytest.fixture
def three(team: Team) -> list[Run]:
    """Two in Default, one of which holds another, and one elsewhere."""
    elsewhere = an_experiment(team.scientist, name="Elsewhere")
    runs = [a_run(team.scientist, name=f"r{at}", started_ms=STARTED_MS + at) for at in range(2)]
    create_run(team.scientist, runs[0].experiment, name="nested", tags={"mlflow.parentRunId": runs[0].uid.hex})
    return [*runs, a_run(team.scientist, elsewhere, name="r2", started_ms=STARTED_MS + 2)]


@pytest.fixture
def target(team: Team) -> Experiment:
    return an_experiment(team.scientist, name="Target")


def places(runs: list[Run]) -> list[str]:
    fresh = Run.objects.select_related("experiment").in_bulk([run.pk for run in runs])
    return [fresh[run.pk].experiment.name for run in runs]


def test_chosen_runs_move_and_each_comes_back_to_where_it_was(ada: Browser, team: Team, three, target):
    page = do(ada, team, "move", three, to=str(target.pk), table="sort=name")
    assert "3 runs moved. 1 run nested in them stayed." in page
    assert places(three) == ["Target"] * 3
    action, fields = undo_form(page)
    assert action.endswith("/runs/do/move/")
    kept = events_since(lambda: ada.follow(action, **fields))
    assert [event.verb for event in kept] == ["experiments.move_run"] * 3
    assert places(three) == ["Default", "Default", "Elsewhere"]


def test_what_is_there_already_or_locked_is_told(ada: Browser, team: Team, three):
    lock_run(team.scientist, three[1])
    page = do(ada, team, "move", three, to=str(three[2].experiment_id))
    assert "1 run moved, 1 was so already, 1 refused" in page
    assert places(three) == ["Elsewhere", "Default", "Elsewhere"]


@pytest.mark.parametrize("to", ["", "nonsense", "987654321"])
def test_a_move_to_nowhere_changes_nothing(ada: Browser, team: Team, three, to):
    assert "Nobody said where to." in do(ada, team, "move", three, to=to)
    assert places(three) == ["Default", "Default", "Elsewhere"]


def test_another_projects_experiment_is_nowhere(ada: Browser, team: Team, three):
    foreign = an_experiment(a_team().scientist)
    assert "Nobody said where to." in do(ada, team, "move", three, to=str(foreign.pk))
    assert "Nobody said where to." in do(ada, team, "move", three, back=f"{foreign.pk}:{three[0].readable_id};x;:,")
    assert places(three) == ["Default", "Default", "Elsewhere"]


def test_a_run_is_moved_from_its_page_and_back(ada: Browser, team: Team, three, target):
    page = ada.get(f"/r/{three[0].uid.hex}/")
    assert "Move to experiment" in page
    assert "the runs nested in it stay where they are" in page
    where = address(team.project, "runs/do/move/")
    page = ada.follow(where, runs=three[0].readable_id, run=three[0].uid.hex, to=str(target.pk))
    assert "1 run moved." in page
    assert places(three)[0] == "Target"
    told = ada.get(f"/r/{three[0].uid.hex}/history/")
    assert "Ada moved the run: experiment Default → Target" in told.text.replace("  ", " ")
    action, fields = undo_form(page)
    page = ada.follow(action, **fields)
    assert places(three)[0] == "Default"
    assert page.links(f"experiment={three[0].experiment_id}")
    assert "Move to experiment" not in Browser(team.auditor).get(f"/r/{three[0].uid.hex}/")


def test_chosen_runs_go_into_a_file_that_is_on_record(ada: Browser, team: Team, three):
    log_batch(team.scientist, three[2], batch=a_batch(loss=[0.5]))

    def export(**fields) -> list[dict[str, str]]:
        response = ada.client.post(address(team.project, "runs/do/export/"), fields)
        assert response["Content-Type"].startswith("text/csv")
        return list(csv.DictReader(io.StringIO(b"".join(response).decode("utf-8-sig"))))

    chosen = ",".join(run.readable_id for run in three[1:])
    table = f"experiment={three[2].experiment_id}&columns=metrics.loss&sort=name"
    rows: list[dict[str, str]] = []
    (kept,) = events_since(lambda: rows.extend(export(runs=chosen, table=table, kind="csv")))
    assert kept.verb == "experiments.note_export"
    assert [(row["name"], row["metrics.loss"]) for row in rows] == [("r1", ""), ("r2", "0.5")]
    assert [row["name"] for row in export(all="1", table=table)] == ["r2"]
    for fields in ({"runs": ""}, {"runs": chosen, "kind": "exe"}):
        assert ada.client.post(address(team.project, "runs/do/export/"), fields).status_code == 400
