"""Runs over REST: filters, query lines, one run with all it holds, its metrics' history, its events."""

import datetime as dt
import math

import pytest

from experiments.actions.batches import log_batch
from experiments.actions.experiments import create_experiment
from experiments.actions.runs import delete_run, lock_run, update_run
from experiments.metrics.batch import Batch, MetricPoint
from experiments.values import RunStatus
from kernel import clock
from tests import world


def names(page):
    return [row["name"] for row in page["results"]]


@pytest.fixture
def many(ada, people, vision, run):
    """Ada's first try (running), her second (finished, in another experiment), Bob's (failed), and a deleted one."""
    other = create_experiment(ada, vision, name="other place")
    second = world.run(ada, other, name="second try", started_ms=2000)
    update_run(ada, second, status=RunStatus.FINISHED, ended_ms=3000)
    bobs = world.run(world.at(people["bob"]), world.default_experiment(vision), name="bob's", started_ms=3000)
    update_run(world.at(people["bob"]), bobs, status=RunStatus.FAILED)
    gone = world.run(ada, other, name="gone", started_ms=4000)
    delete_run(ada, gone)
    for number, one in enumerate((run, second, bobs)):
        log_batch(ada, one, batch=Batch([MetricPoint("acc", number / 10, 5, 1)], params=[("lr", str(number))]))
    return {"first": run, "second": second, "bobs": bobs, "other": other, "gone": gone}


def test_runs_are_listed_newest_first_without_deleted_ones(api, many):
    assert names(api("ada").get("runs/")) == ["bob's", "second try", "first try"]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"status": "FINISHED"}, ["second try"]),
        ({"status": ["FINISHED", "FAILED"]}, ["bob's", "second try"]),
        ({"name": "TRY"}, ["second try", "first try"]),
        ({"name": "nothing such"}, []),
        ({"user": "bob@example.org"}, ["bob's"]),
        ({"user": "BOB@example.org"}, ["bob's"]),
        ({"user": "nobody"}, []),
        ({"project": "vision"}, ["bob's", "second try", "first try"]),
        ({"project": "other"}, []),
        ({"experiment": "0"}, ["bob's", "first try"]),
        ({"experiment": "x"}, []),
        ({"experiment": "99999999999999999999"}, []),
        ({"lifecycle": "deleted"}, ["gone"]),
        ({"lifecycle": "all", "name": "o"}, ["gone", "bob's", "second try"]),
        ({"created_after": "2000-01-01T00:00:00Z"}, ["bob's", "second try", "first try"]),
        ({"created_after": "2999-01-01"}, []),
        ({"created_before": "2000-01-01T00:00:00+05:00"}, []),
    ],
)
def test_filters_narrow_the_list(api, many, asked, found):
    assert names(api("ada").get("runs/", **asked)) == found


def test_a_run_s_experiment_and_author_can_be_filtered_by_id(api, many, people):
    assert names(api("ada").get("runs/", experiment=str(many["other"].pk))) == ["second try"]
    assert names(api("ada").get("runs/", user=str(people["bob"].id))) == ["bob's"]


@pytest.mark.parametrize(
    "asked",
    [{"status": "DONE"}, {"lifecycle": "x"}, {"created_after": "yesterday"},
     {"created_after": "0001-01-01T00:00:00+14:00"}, {"name": "a\x00b"}],
)  # fmt: skip
def test_a_filter_that_makes_no_sense_is_named(api, many, asked):
    assert api("ada").get("runs/", expecting=400, **asked)["field"] in asked


def test_a_query_line_searches_and_sorts(api, many):
    ada = api("ada")
    assert names(ada.get("runs/", q="metrics.acc >= 0.1", order="metrics.acc DESC")) == ["bob's", "second try"]
    assert names(ada.get("runs/", q="params.lr < 1 OR status = 'FAILED'", order="metrics.acc")) == [
        "first try",
        "bob's",
    ]
    assert names(ada.get("runs/", order="metrics.acc", lifecycle="all", limit=2)) == ["first try", "second try"]
    assert names(ada.get("runs/", q="metrics.acc >= 0", project="vision")) != []


def test_a_query_line_comes_in_pages(api, many):
    ada, found = api("ada"), []
    page = ada.get("runs/", q="metrics.acc >= 0", order="metrics.acc", limit=1)
    while page:
        found += names(page)
        page = ada.client.get(page["next"]).json() if page["next"] else None
    assert found == ["first try", "second try", "bob's"]


def test_a_mistake_in_a_query_line_is_explained(api, many):
    problem = api("ada").get("runs/", expecting=400, q="metrics.acc >>> 3")
    assert problem["code"] != "ERROR"
    assert problem["title"]
    problem = api("ada").get("runs/", expecting=400, q="metrics.acc > 3", user="bob@example.org")
    assert problem["field"] == "user"
    api("ada").get("runs/", expecting=400, q="metrics.acc > 3", cursor="garbage")
    api("ada").get("runs/", expecting=400, q="metrics.acc > 3", limit=0)
    api("ada").get("runs/", expecting=404, q="metrics.acc > 3", project="other")


def test_another_team_finds_nothing_by_any_way(api, many):
    eve = api("eve")
    assert names(eve.get("runs/")) == []
    assert names(eve.get("runs/", lifecycle="all", name="try")) == []
    assert names(eve.get("runs/", project="vision")) == []
    assert names(eve.get("runs/", q="metrics.acc >= 0")) == []
    eve.get("runs/", expecting=404, q="metrics.acc >= 0", project="vision")
    run = many["first"]
    for name in (run.uid.hex, str(run.uid), "VIS-1"):
        for path in ("", "metric-history/?key=acc", "events/"):
            eve.get(f"runs/{name}/{path}", expecting=404)
    assert names(api("kim").get("runs/")) == []


def test_a_run_with_all_it_holds(api, ada, run):
    odd = [MetricPoint("odd", value, at_ms, step) for at_ms, step, value in ((1, 0, math.inf), (2, 1, math.nan))]
    log_batch(ada, run, batch=Batch(odd, params=[("lr", "0.1")], tags=[("note", "ünïcode")]))
    for name in (run.uid.hex, "vis-1"):
        shown = api("mia").get(f"runs/{name}/")
        assert (shown["id"], shown["readable_id"], shown["project"]) == (run.uid.hex, "VIS-1", "vision")
        assert (shown["experiment"], shown["user"], shown["status"]) == ("0", "Ada", "RUNNING")
        assert shown["params"] == {"lr": "0.1"}
        assert shown["tags"]["note"] == "ünïcode"
        (metric,) = shown["metrics"]
        assert (metric["key"], metric["last_value"], metric["max_value"]) == ("odd", "NaN", "Infinity")


def test_absent_and_odd_run_ids_read_the_same(api, run):
    for name in ("0" * 32, "VIS-2", "NO-1", "x", "VIS-99999999999999999999", "%00", "a" * 500):
        assert api("ada").get(f"runs/{name}/", expecting=404)["code"] == "NOT_FOUND"


def test_the_history_of_a_metric_comes_in_columns_and_pages(api, ada, run):
    values = [0.5, math.nan, math.inf, -math.inf, 1e-300]
    log_batch(ada, run, batch=Batch([MetricPoint("a/b c", v, 100 + n, n) for n, v in enumerate(values)]))
    whole = api("ada").get("runs/VIS-1/metric-history/", key="a/b c")
    assert whole["values"] == [0.5, "NaN", "Infinity", "-Infinity", 1e-300]
    assert (whole["steps"], whole["times_ms"]) == ([0, 1, 2, 3, 4], [100, 101, 102, 103, 104])
    assert whole["next_page_token"] == ""
    steps, token = [], ""
    while True:
        page = api("ada").get("runs/VIS-1/metric-history/", key="a/b c", limit=2, page_token=token)
        steps += page["steps"]
        token = page["next_page_token"]
        if not token:
            break
    assert steps == [0, 1, 2, 3, 4]
    log_batch(ada, run, batch=Batch([MetricPoint("val/loss", 0.5, 100, 0)]))
    for asked in ({}, {"format": "csv"}):
        slip = api("ada").get("runs/VIS-1/metric-history/", expecting=404, key="val/los", **asked)
        assert (slip["title"], slip["hint"]) == ("The run VIS-1 has no metric 'val/los'.", "Did you mean 'val/loss'?")
    assert "val/loss" in api("ada").get("runs/VIS-1/metric-history/", expecting=404, key="unknown")["hint"]
    for wrong in ({}, {"key": "x", "limit": 0}, {"key": "x", "limit": 10**9}, {"key": "a/b c", "page_token": "x"}):
        api("ada").get("runs/VIS-1/metric-history/", expecting=400, **wrong)


def test_the_events_of_a_run_tell_who_did_what(api, ada, run):
    update_run(ada, run, status=RunStatus.FINISHED)
    lock_run(ada, run, reason="handed in")
    page = api("ann").get("runs/VIS-1/events/")
    verbs = [event["verb"] for event in page["results"]]
    assert verbs[0] == "experiments.lock_run"
    assert verbs[-1] == "experiments.create_run"
    last = page["results"][0]
    assert (last["actor_name"], last["actor_roles"], last["reason"]) == ("Ada", "data_scientist", "handed in")
    assert last["subject_id"] == run.uid.hex
    (change,) = last["changes"]
    assert change["fields"]["locked_at"][0] is None
    assert [e["verb"] for e in api("ada").get("runs/VIS-1/events/", verb="experiments.update_run")["results"]] == [
        "experiments.update_run"
    ]


def test_events_are_narrowed_by_actor_and_time_and_come_in_pages(api, ada, people, run, many):
    mia = api("mia")
    everything = mia.get("projects/vision/events/", limit=1000)["results"]
    assert len(everything) > 10
    of_bob = mia.get("projects/vision/events/", actor=str(people["bob"].id), limit=1000)["results"]
    assert {event["actor_name"] for event in of_bob} == {"Bob"}
    assert 0 < len(of_bob) < len(everything)
    later = (clock.now() + dt.timedelta(hours=1)).isoformat()
    assert mia.get("projects/vision/events/", after=later)["results"] == []
    assert len(mia.get("projects/vision/events/", before=later, limit=1000)["results"]) == len(everything)
    found, page = [], mia.get("projects/vision/events/", limit=4)
    while page:
        found += [event["id"] for event in page["results"]]
        page = mia.client.get(page["next"]).json() if page["next"] else None
    assert found == [event["id"] for event in everything]
    for wrong in ({"actor": "x"}, {"after": "x"}, {"outcome": "x"}):
        mia.get("projects/vision/events/", expecting=400, **wrong)


def test_the_log_of_a_project_is_for_engineers_managers_and_auditors(api, run):
    for name in ("bob", "mia", "ann"):
        api(name).get("projects/vision/events/")
    for name in ("ada", "kim"):
        api(name).get("projects/vision/events/", expecting=403)
    api("eve").get("projects/vision/events/", expecting=404)


def test_events_take_the_same_few_queries_whatever_their_number(api, many, django_assert_max_num_queries):
    mia = api("mia")
    with django_assert_max_num_queries(10):
        mia.get("projects/vision/events/", limit=1000)
