"""One call for many runs over REST: what came of each is told, all or none where that is asked for, and undone."""

import json

import pytest

from accounts.models import KeptAnswer
from audit.ledger.models import AuditEvent
from experiments.actions.experiments import create_experiment
from experiments.actions.runs import lock_run
from tests import world

BULK = "projects/vision/runs/bulk/"


@pytest.fixture
def three(ada, people, run):
    """Ada's VIS-1 and VIS-2, and Bob's VIS-3."""
    second = world.run(ada, run.experiment, name="second")
    return [run, second, world.run(world.at(people["bob"]), run.experiment, name="bob's")]


def outcomes(answer):
    return [(one["run"], one["outcome"]) for one in answer["results"]]


def tags_of(api, ref):
    return api("mia").get(f"runs/{ref}/tags/")


def test_each_run_is_told_what_came_of_it(api, ada, three):
    lock_run(ada, three[1])
    asked = {"act": "tag", "runs": ["vis-3", three[0].uid.hex, "VIS-2", "VIS-99", "OTH-1", "VIS-1", "junk"],
             "key": "paper", "value": "figure 3"}  # fmt: skip
    answer = api("ada").post(BULK, asked)
    assert outcomes(answer) == [
        ("VIS-3", "done"), ("VIS-1", "done"), ("VIS-2", "refused"),
        ("VIS-99", "absent"), ("OTH-1", "absent"), ("junk", "absent")]  # fmt: skip
    assert (answer["done"], answer["already"], answer["refused"], answer["undo"]) == (2, 0, 4, None)
    refused = answer["results"][2]
    assert (refused["code"], refused["status"]) == ("LOCKED", 403)
    assert "locked" in refused["title"]
    assert tags_of(api, "VIS-1")["paper"] == "figure 3"
    assert "paper" not in tags_of(api, "VIS-2")
    again = api("ada").post(BULK, {"act": "untag", "q": "", "key": "paper"})
    assert dict(outcomes(again)) == {"VIS-1": "done", "VIS-2": "refused", "VIS-3": "done"}


def test_all_or_none_leaves_nothing_behind_where_one_is_refused(api, three):
    api("ada")
    before = AuditEvent.objects.count()
    asked = {"act": "delete", "runs": ["VIS-1", "VIS-2", "VIS-3"], "atomic": True}
    answer = api("ada").post(BULK, asked)
    assert outcomes(answer) == [("VIS-1", "undone"), ("VIS-2", "undone"), ("VIS-3", "refused")]
    assert (answer["done"], answer["undo"]) == (0, None)
    assert AuditEvent.objects.count() == before
    answer = api("ada").post(BULK, asked | {"runs": ["VIS-1", "VIS-98"]})
    assert outcomes(answer) == [("VIS-1", "undone"), ("VIS-98", "absent")]
    assert AuditEvent.objects.count() == before
    answer = api("ada").post(BULK, asked | {"runs": ["VIS-1", "VIS-2"], "reason": "twice"})
    assert (answer["done"], answer["refused"]) == (2, 0)
    assert AuditEvent.objects.filter(verb="experiments.delete_run").count() == 2
    assert {one["lifecycle"] for one in api("mia").get("runs/", lifecycle="deleted")["results"]} == {"deleted"}
    undone = api("ada").post(BULK, answer["undo"])
    assert outcomes(undone) == [("VIS-1", "done"), ("VIS-2", "done")]
    assert len(api("mia").get("runs/")["results"]) == 3


def test_a_move_tells_how_it_is_undone(api, ada, vision, three):
    place = create_experiment(ada, vision, name="elsewhere")
    answer = api("ada").post(BULK, {"act": "move", "q": "user = 'ada@example.org'", "to": str(place.pk)})
    assert answer["done"] == 2
    again = api("ada").post(BULK, {"act": "move", "runs": ["VIS-1"], "to": str(place.pk)})
    assert (again["done"], again["already"]) == (0, 1)
    assert {one["experiment"] for one in api("ada").get("runs/", mine=True)["results"]} == {str(place.pk)}
    api("ada").post(BULK, answer["undo"])
    assert {one["experiment"] for one in api("ada").get("runs/", mine=True)["results"]} == {"0"}


@pytest.mark.parametrize(
    ("who", "asked", "status", "field"),
    [
        ("eve", {"act": "lock", "runs": ["VIS-1"]}, 404, ""),
        ("eve", {}, 404, ""),
        ("ada", {"act": "explode", "runs": ["VIS-1"]}, 400, "act"),
        ("ada", {"act": "lock"}, 400, "runs"),
        ("ada", {"act": "lock", "runs": ["VIS-1"], "q": ""}, 400, "runs"),
        ("ada", {"act": "lock", "runs": ["VIS-1"] * 1001}, 400, "runs"),
        ("ada", {"act": "tag", "runs": ["VIS-1"]}, 400, "key"),
        ("ada", {"act": "tag", "runs": ["VIS-1"], "key": "mled.truncated"}, 400, "tags"),
        ("ada", {"act": "move", "runs": ["VIS-1"]}, 400, "to"),
        ("ada", {"act": "move", "runs": ["VIS-1"], "to": "987654"}, 404, ""),
        ("ada", {"act": "lock", "q": "metrics.a >>> 1"}, 400, "filter"),
    ],
)
def test_a_call_that_makes_no_sense_is_told_as_a_whole(api, three, who, asked, status, field):
    asking = api(who)
    before = AuditEvent.objects.count()
    told = asking.post(BULK, asked, expecting=status)
    assert not field or told["field"] == field
    assert AuditEvent.objects.count() == before


def test_roles_decide_run_by_run(api, three):
    seen = api("ann").post(BULK, {"act": "lock", "runs": ["VIS-1", "VIS-3"]})
    assert {one["status"] for one in seen["results"]} == {403}
    locked = api("bob").post(BULK, {"act": "lock", "runs": ["VIS-1", "VIS-3"], "reason": "handed in"})
    assert (locked["done"], locked["undo"]["act"], locked["undo"]["reason"]) == (2, "unlock", "Undone: handed in")
    mine = api("ada").post(BULK, {"act": "unlock", "runs": ["VIS-1", "VIS-3"]})
    assert outcomes(mine) == [("VIS-1", "done"), ("VIS-3", "refused")]


def test_runs_are_taken_in_one_order_whoever_asks_and_a_key_binds_them_not_together(api, three):
    """Else two calls for the same runs in opposite orders would hold what the other waits for."""
    refs = [run.readable_id for run in three]
    taken = []
    for asked, value in ((refs, "1"), (refs[::-1], "2")):
        body = json.dumps({"act": "tag", "runs": asked, "key": "paper", "value": value})
        key = {"Idempotency-Key": f"paper-{value}"}
        answer = api("bob").client.post(f"/api/v1/{BULK}", body, "application/json", headers=key)
        assert [one["run"] for one in answer.json()["results"]] == asked
        told = AuditEvent.objects.filter(verb="experiments.set_tags").order_by("-id")[:3]
        taken.append([event.subject_id for event in told])
    assert taken[0] == taken[1]
    assert not KeptAnswer.objects.exists()
