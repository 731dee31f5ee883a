"""Runs written over REST: begun, logged to, changed, deleted, locked; who may, and what a wrong call is told."""

import math

import pytest

from experiments.actions.batches import log_batch
from experiments.actions.experiments import create_experiment
from experiments.actions.files import put_file
from experiments.actions.runs import delete_run, lock_run
from experiments.metrics.batch import Batch, MetricPoint
from experiments.models import MetricSeries, Run
from experiments.queries.runs import metric_history
from tests import world

POINT = {"key": "loss", "value": 0.5, "step": 1, "at_ms": 10}
# method, path below the run, body: each as somebody would send it who may
WRITES = [
    ("PATCH", "", {"status": "FINISHED"}),
    ("PATCH", "", {"name": "renamed", "expected": "*"}),
    ("POST", "batch/", {"metrics": [POINT], "params": {"a": "1"}, "tags": {"b": "2"}}),
    ("POST", "metrics/", POINT),
    ("PUT", "params/lr/", {"value": "0.1"}),
    ("POST", "tags/", {"tags": {"team": "x"}}),
    ("PUT", "tags/team/", {"value": "x"}),
    ("POST", "inputs/", {"datasets": [{"name": "d", "digest": "1"}]}),
    ("PUT", "note/", {"text": "so", "expected": "*"}),
]
STATES = [("POST", f"{verb}/", {"reason": "why"}) for verb in ("lock", "unlock", "delete", "restore")]
NAMED = [f"{method} {path}" for method, path, _ in [*WRITES, *STATES]]


def of_run(run, path=""):
    return f"runs/{run.uid.hex}/{path}"


@pytest.mark.parametrize(("method", "path", "body"), [*WRITES, *STATES], ids=NAMED)
def test_each_write_is_for_who_may_and_hidden_from_who_sees_nothing(api, run, method, path, body):
    api("eve").send(method, of_run(run, path), body, expecting=404)
    api("eve").send(method, of_run(run, path), {}, expecting=404)
    api("ann").send(method, of_run(run, path), body, expecting=403)
    before = api("ada").get(of_run(run))
    assert before["status"] == "RUNNING"
    api("ada").send(method, of_run(run, path), body)
    first = api("ada").get(of_run(run))
    api("ada").send(method, of_run(run, path), body)  # the same again
    again = api("ada").get(of_run(run))
    assert {k: v for k, v in first.items() if k != "ended_ms"} == {k: v for k, v in again.items() if k != "ended_ms"}


@pytest.mark.parametrize(("method", "path", "body"), WRITES, ids=NAMED[: len(WRITES)])
def test_locked_and_deleted_runs_refuse_every_write_with_a_reason(api, ada, run, method, path, body):
    lock_run(ada, run)
    told = api("ada").send(method, of_run(run, path), body, expecting=403)
    assert told["code"] == "LOCKED"
    assert "locked" in told["title"]
    assert told["hint"]
    other = world.run(ada, run.experiment)
    delete_run(ada, other)
    assert "deleted" in api("ada").send(method, of_run(other, path), body, expecting=409)["title"]


def test_a_run_is_begun_in_an_experiment_by_id_or_name_below_a_parent(api, ada, vision, run):
    place = create_experiment(ada, vision, name="icu/by hand")
    mine = api("ada")
    made = mine.post("runs/", {"project": "vision"}, expecting=201)
    assert (made["status"], made["experiment"], made["user"]) == ("RUNNING", "0", "Ada")
    assert made["name"]
    wanted = {"project": "vision", "experiment_name": "icu/by hand", "name": "second", "started_ms": 7,
              "tags": {"ward": "icu-2"}, "parent": "vis-1"}  # fmt: skip
    made = mine.post("runs/", wanted, expecting=201)
    assert (made["experiment"], made["name"], made["started_ms"]) == (str(place.pk), "second", 7)
    assert made["parent"] == run.uid.hex
    assert mine.get(f"runs/{made['id']}/tags/")["ward"] == "icu-2"
    assert [one["id"] for one in mine.get(of_run(run, "children/"))["results"]] == [made["id"]]
    by_id = mine.post("runs/", {"project": "vision", "experiment": str(place.pk)}, expecting=201)
    assert by_id["experiment_name"] == "icu/by hand"


@pytest.mark.parametrize(
    ("who", "wanted", "status"),
    [
        ("eve", {"project": "vision"}, 404),
        ("ann", {"project": "vision"}, 403),
        ("mia", {"project": "vision"}, 403),
        ("ada", {}, 400),
        ("ada", {"project": "vision", "experiment": "987654"}, 404),
        ("ada", {"project": "vision", "experiment_name": "none such"}, 404),
        ("ada", {"project": "vision", "parent": "VIS-99"}, 404),
        ("ada", {"project": "vision", "parent": "OTH-1"}, 404),
        ("ada", {"project": "vision", "tags": {"mled.truncated": "{}"}}, 400),
        ("ada", {"project": "vision", "started_ms": 2**63}, 400),
        ("ada", {"project": "vision", "name": "a", "tags": {"mlflow.runName": "b"}}, 400),
        ("ada", {"project": "vision", "tags": {"a\nb": "1"}}, 400),
    ],
)
def test_a_run_is_not_begun_where_one_may_not_or_a_field_is_wrong(api, run, who, wanted, status):
    before = Run.objects.count()
    told = api(who).post("runs/", wanted, expecting=status)
    assert told["title"]
    assert Run.objects.count() == before


def test_a_batch_keeps_every_value_exactly(api, ada, run):
    values = [0.1, 1 / 3, 5e-324, 1.7976931348623157e308, -0.0, "NaN", "Infinity", "-Infinity", 2**53 + 1]
    sent = [{"key": "m/x", "value": value, "step": 2**62 + at, "at_ms": at} for at, value in enumerate(values)]
    answer = api("ada").post(of_run(run, "batch/"), {"metrics": sent, "params": {"p": " ü "}, "tags": {"t": ""}})
    assert answer == {"metrics": 9, "params": 1, "tags": 1}
    points = metric_history(ada, run, "m/x").points
    assert points.steps.tolist() == [2**62 + at for at in range(9)]
    known = [float(value) if not isinstance(value, str) else float(value.lower()) for value in values]
    assert [(math.copysign(1, a), repr(a)) for a in points.values.tolist()] == [
        (math.copysign(1, a), repr(a)) for a in known
    ]
    history = api("ada").get(of_run(run, "metric-history/"), key="m/x")
    assert history["values"][:2] == [0.1, 1 / 3]
    assert history["values"][5:8] == ["NaN", "Infinity", "-Infinity"]
    shown = api("ada").get(of_run(run))
    assert (shown["params"], shown["tags"]["t"]) == ({"p": " ü "}, "")


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("batch/", {"metrics": [POINT, {"key": "a", "value": True}]}, "metrics[1].value"),
        ("batch/", {"metrics": [{"key": "a", "value": "1.5"}]}, "metrics[0].value"),
        ("batch/", {"metrics": 5}, "metrics"),
        ("batch/", {"tags": {"t": None}}, "tags.t"),
        ("batch/", {"metrics": [{"key": "a", "value": 10**400}]}, "metrics"),
        ("batch/", {"metrics": [POINT] * 1001}, "metrics"),
        ("batch/", {"metrics": [POINT, {"key": "../x", "value": 1}]}, "metrics[1]"),
        ("batch/", {"metrics": [{"key": "a", "value": 1, "step": 2**63}]}, "metrics"),
        ("batch/", {"params": {"lr": "other"}}, "params"),
        ("batch/", {"params": {f"p{n}": "1" for n in range(101)}}, "params"),
        ("batch/", {"tags": {"mled.truncated": "{}"}}, "tags"),
        ("batch/", {"tags": {"t": "x" * 70_000}}, "tags.t"),
        ("batch/", {"metrics": [POINT | {"model_id": "m-00000000000000000000000000000000"}]}, "model_id"),
        ("inputs/", {"datasets": [{"name": "", "digest": "1"}]}, "datasets[0].name"),
        ("metrics/", {"key": "a"}, "value"),
    ],
)
def test_a_batch_with_a_mistake_is_told_where_and_writes_nothing(api, ada, run, path, body, field):
    log_batch(ada, run, batch=Batch(params=[("lr", "1")]))
    sent = {"metrics": [POINT], **body} if path == "batch/" else body
    told = api("ada").post(of_run(run, path), sent, expecting=404 if field == "model_id" else 400)
    assert field == "model_id" or told["field"].startswith(field), told
    assert not MetricSeries.objects.filter(run=run).exists()


def test_a_param_is_set_once_and_says_so(api, run):
    mine = api("ada")
    mine.send("PUT", of_run(run, "params/model/lr/"), {"value": "0.1"})
    mine.send("PUT", of_run(run, "params/model/lr/"), {"value": "0.1"})
    told = mine.send("PUT", of_run(run, "params/model/lr/"), {"value": "0.2"}, expecting=400)
    assert "set once" in told["title"]
    assert told["hint"]
    assert mine.get(of_run(run, "params/")) == {"model/lr": "0.1"}


def test_tags_are_set_overwritten_and_taken_away(api, run):
    mine = api("ada")
    mine.send("PUT", of_run(run, "tags/team/"), {"value": "red"})
    assert mine.send("PUT", of_run(run, "tags/team/"), {"value": "blue"}) == {"key": "team", "value": "blue"}
    assert mine.post(of_run(run, "tags/"), {"tags": {"ward": "2"}}).items() >= {"team": "blue", "ward": "2"}.items()
    path = f"/api/v1/{of_run(run, 'tags/team/')}"
    assert mine.client.delete(path).status_code == 204
    assert mine.client.delete(path).status_code == 404
    assert mine.client.delete(f"/api/v1/{of_run(run, 'tags/mled.truncated/')}").status_code == 400
    assert "team" not in mine.get(of_run(run, "tags/"))


def test_a_run_ends_with_a_status_and_its_seal_is_shown(api, run, django_capture_on_commit_callbacks):
    mine = api("ada")
    with django_capture_on_commit_callbacks(execute=True):
        ended = mine.send("PATCH", of_run(run), {"status": "FAILED", "ended_ms": 5000})
    assert (ended["status"], ended["ended_ms"]) == ("FAILED", 5000)
    assert mine.send("PATCH", of_run(run), {"status": "FINISHED"})["ended_ms"] > 5000
    both = {"status": "RUNNING", "name": "", "expected": "*"}
    assert mine.send("PATCH", of_run(run), both, expecting=400)["field"] == "name"
    version = mine.get(of_run(run))["notes_version"]
    both = {"status": "KILLED", "name": "over", "note": "# Why", "expected": version}
    changed = mine.send("PATCH", of_run(run), both)
    assert (changed["status"], changed["name"]) == ("KILLED", "over")
    both = {"status": "RUNNING", "name": "late", "expected": version}
    mine.send("PATCH", of_run(run), both, expecting=409)
    assert mine.get(of_run(run))["status"] == "KILLED"  # all of a change or nothing
    mine.send("PATCH", of_run(run), {"status": "DONE"}, expecting=400)


def test_a_note_tells_who_wrote_it_and_is_not_written_over_unseen(api, run):
    mine = api("ada")
    assert mine.get(of_run(run, "note/"))["text"] == ""
    written = mine.send("PUT", of_run(run, "note/"), {"text": "**so**", "expected": "*"})
    assert (written["text"], written["edited_by"]) == ("**so**", "Ada")
    mine.send("PUT", of_run(run, "note/"), {"text": "x", "expected": "0" * 32}, expecting=409)
    mine.send("PUT", of_run(run, "note/"), {"text": "x"}, expecting=400)
    assert mine.send("PUT", of_run(run, "note/"), {"text": "y", "expected": written["version"]})["text"] == "y"


def test_state_of_others_runs_changes_only_by_role_and_with_a_reason(api, people, run):
    api("bob").post(of_run(run, "lock/"), {"reason": "handed in"})
    assert api("mia").get(of_run(run))["is_locked"]
    assert "locked" in api("ada").post(of_run(run, "delete/"), expecting=403)["title"]
    api("mia").post(of_run(run, "unlock/"), expecting=400)  # a manager says why
    api("mia").post(of_run(run, "unlock/"), {"reason": "a mistake"})
    api("bob").post(of_run(run, "delete/"), {"reason": "x"}, expecting=403)
    assert api("mia").post(of_run(run, "delete/"), {"reason": "twice"})["lifecycle"] == "deleted"
    assert api("mia").post(of_run(run, "restore/"), {"reason": "not twice"})["lifecycle"] == "active"
    verbs = [event["verb"] for event in api("ann").get(of_run(run, "events/"))["results"][:4]]
    assert verbs == [f"experiments.{verb}_run" for verb in ("restore", "delete", "unlock", "lock")]


def test_inputs_are_noted_once_with_their_context(api, run):
    mine = api("ada")
    sent = {
        "datasets": [{"name": "icu", "digest": "3f9a", "source": "s3://icu", "context": "train", "tags": {"a": "b"}}]
    }
    first = mine.post(of_run(run, "inputs/"), sent)
    assert mine.post(of_run(run, "inputs/"), sent) == first
    (one,) = mine.get(of_run(run, "inputs/"))
    assert (one["dataset"], one["version"], one["digest"], one["context"]) == ("icu", 1, "3f9a", "train")
    assert one["tags"]["a"] == "b"


def test_a_file_is_taken_away_by_who_may_write(api, ada, people, run):
    put_file(ada, run, path="plots/loss.png", stored=world.stored(b"png"))
    path = f"/api/v1/{of_run(run, 'files/plots/loss.png')}"
    assert api("eve").client.delete(path).status_code == 404
    assert api("ann").client.delete(path).status_code == 403
    assert api("ada").client.delete(path).status_code == 204
    assert api("ada").client.delete(path).status_code == 404
    assert api("ada").get(of_run(run, "files/"))["results"] == []


def test_conditions_and_console_show_what_pages_show(api, ada, run):
    log_batch(ada, run, batch=Batch(params=[("seed", "3")]))
    put_file(ada, run, path="logs/train.log", stored=world.stored(b"".join(b"line %d\n" % n for n in range(1, 501))))
    told = api("ada").get(of_run(run, "conditions/"))
    assert {one["name"] for one in told["conditions"] if one["held"]} == {"Seed", "Parameters"}
    assert told["captured"] == 2
    (stream,) = api("ada").get(of_run(run, "console/"))
    assert (stream["key"], stream["is_live"]) == ("logs/train.log", False)
    last = api("ada").get(of_run(run, "console/lines/"), count=2, find="line 7")
    assert ([line["text"] for line in last["lines"]], last["total"]) == (["line 499", "line 500"], 500)
    assert last["matches"][:2] == [7, 70]
    some = api("ada").get(of_run(run, "console/lines/"), file="logs/train.log", first=10, count=1)
    assert [line["text"] for line in some["lines"]] == ["line 10"]
    api("ada").get(of_run(run, "console/lines/"), expecting=404, file="other")
    api("eve").get(of_run(run, "console/lines/"), expecting=404)


def test_experiments_have_tags(api, ada, vision):
    place = create_experiment(ada, vision, name="tagged")
    path = f"projects/vision/experiments/{place.pk}/"
    api("ada").send("PUT", f"{path}tags/mlflow.note.content/", {"value": "What it is for."})
    assert api("mia").get(path)["tags"] == {"mlflow.note.content": "What it is for."}
    api("ann").send("PUT", f"{path}tags/a/", {"value": "x"}, expecting=403)
    api("eve").send("PUT", f"{path}tags/a/", {"value": "x"}, expecting=404)
    assert api("ada").client.delete(f"/api/v1/{path}tags/mlflow.note.content/").status_code == 204
    assert api("ada").client.delete(f"/api/v1/{path}tags/mlflow.note.content/").status_code == 404


def test_the_list_is_narrowed_by_email_and_times(api, ada, people, vision, run):
    labelled = world.run(world.at(people["bob"]), world.default_experiment(vision), name="labelled", started_ms=2000)
    log_batch(world.at(people["bob"]), labelled, batch=Batch(tags=[("mled.email", "Ada@Example.org")]))
    log_batch(ada, run, batch=Batch([MetricPoint("a", 1.0, 1)]))
    api("bob").send("PATCH", of_run(labelled), {"status": "FINISHED", "ended_ms": 90_000})

    def names(**asked):
        return [one["name"] for one in api("ada").get("runs/", **asked)["results"]]

    assert names(email="ada@example.org") == ["first try"]
    assert names(email="Ada@Example.org") == ["labelled", "first try"]
    log_batch(world.at(people["bob"]), labelled, batch=Batch(tags=[("mled.email", "ada@example.org")]))
    assert names(email="ADA@example.org") == ["labelled", "first try"]
    assert names(email="bob@example.org") == ["labelled"]
    assert names(email="nobody@example.org") == []
    assert names(started_after="1970-01-01T00:00:02Z") == ["labelled"]
    assert names(ended_before="1970-01-01T00:01:30.001Z") == ["labelled"]
    assert names(ended_before="1970-01-01T00:01:30Z") == []
    assert api("eve").get("runs/", email="ada@example.org")["results"] == []
