"""The run table as a file."""

import csv
import io
import json

import pyarrow.parquet as pq
import pytest

from experiments.actions.batches import log_batch
from tests.factories import a_batch, a_person, a_run, a_team, events_since
from tests.pages.conftest import Browser


@pytest.fixture
def runs(team):
    made = []
    for n in range(3):
        run = a_run(team.scientist)
        log_batch(
            team.scientist,
            run,
            batch=a_batch(params={"lr": f"0.{n + 1}", "cmd": "=HYPERLINK(1)"}, tags={"note": "a,b"}, loss=[n / 3]),
        )
        made.append(run)
    return made


def read(who, team, kind="csv", **query) -> bytes:
    page = Browser(who).client.get(f"/p/{team.project.slug}/runs/export.{kind}", query)
    assert page.status_code == 200, page.content[:300]
    return b"".join(page.streaming_content)


def lines(content: bytes):
    return list(csv.DictReader(io.StringIO(content.decode(), newline="")))


def test_it_holds_what_the_table_shows_in_its_order(team, runs):
    found = lines(read(team.scientist, team, columns=["metrics.loss", "params.lr"], sort="metrics.loss"))
    assert [row["id"] for row in found] == [run.readable_id for run in runs]
    assert [float(row["metrics.loss"]) for row in found] == [0, 1 / 3, 2 / 3]
    assert list(found[0]) == ["run_id", "id", "name", "status", "metrics.loss", "params.lr"]


def test_every_column_is_there_when_asked_for(team, runs):
    found = lines(read(team.scientist, team, all="1"))
    assert {"params.cmd", "params.lr", "tags.note", "metrics.loss", "git_commit", "verdict"} <= set(found[0])
    assert found[0]["params.cmd"] == "'=HYPERLINK(1)"


def test_the_filter_holds_for_the_file(team, runs):
    found = lines(read(team.scientist, team, q="params.lr > 0.15", columns=["params.lr"]))
    assert sorted(row["params.lr"] for row in found) == ["0.2", "0.3"]


def test_every_column_means_those_of_the_runs_that_match(team, runs, monkeypatch):
    log_batch(team.scientist, a_run(team.scientist), batch=a_batch(params={"only_here": "1"}))
    some = lines(read(team.scientist, team, all="1", q="params.lr > 0.15"))
    assert "params.lr" in some[0]
    assert "params.only_here" not in some[0]
    assert "params.only_here" in lines(read(team.scientist, team, all="1"))[0]
    monkeypatch.setattr("experiments.queries.export._LOOKED_AT", 1)  # where too many match, all of the project's
    assert "params.only_here" in lines(read(team.scientist, team, all="1", q="params.lr > 0.15"))[0]


def test_all_pages_come_each_run_once(team, monkeypatch):
    monkeypatch.setattr("experiments.queries.export._PAGE", 2)
    made = {a_run(team.scientist).readable_id for _ in range(5)}
    found = [row["id"] for row in json.loads(read(team.scientist, team, "json"))]
    assert sorted(found) == sorted(made)


def test_parquet_equals_the_table(team, runs):
    table = pq.read_table(io.BytesIO(read(team.scientist, team, "parquet", all="1")))
    assert dict(zip(table["run_id"].to_pylist(), table["metrics.loss"].to_pylist(), strict=True)) == {
        run.uid.hex: n / 3 for n, run in enumerate(runs)
    }


def test_an_export_is_one_event_that_says_how_much_and_of_what(team, runs):
    left = events_since(lambda: read(team.auditor, team, "json", q="params.lr = '0.1'"))
    [kept] = [one for one in left if one.event.verb == "experiments.note_export"]
    assert kept.reason == "Exported 1 run as JSON, active runs, query: params.lr = '0.1'"
    assert kept.event.actor_id == team.auditor.user_id


def test_a_wrong_query_or_format_is_a_clear_mistake_and_leaves_no_event(team, runs):
    client = Browser(team.scientist)
    address = f"/p/{team.project.slug}/runs/export"
    assert not events_since(lambda: client.get(f"{address}.csv", q="params.lr <", expecting=400))
    assert "There is no export as 'exe'" in client.get(f"{address}.exe", expecting=400)


def test_strangers_and_other_teams_take_nothing(team, runs):
    for who in (a_person(), a_team().scientist):
        Browser(who).get(f"/p/{team.project.slug}/runs/export.csv", expecting=404)


def test_the_table_offers_each_format(team, runs):
    page = Browser(team.scientist).get(f"/p/{team.project.slug}/runs/", q="params.lr > 0")
    links = page.links("/runs/export.")
    assert len(links) == 8
    assert all("q=params.lr" in link for link in links)
