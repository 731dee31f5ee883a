"""Runs that are over, entered over REST: the same record, the same words for what is wrong, one run for one key."""

import json

import pytest

from experiments.models import Run
from tests.factories import a_dataset, a_version
from tests.world import at

PLACE = "projects/vision/recorded-runs/"
SVM = {
    "experiment": "icu/by-hand",
    "name": "svm-rbf-w24",
    "architecture": "SVM, RBF kernel",
    "dataset": "icu-vitals v1",
    "started": "2026-03-02T14:00+01:00",
    "duration": "1h 20m",
    "params": {"kernel": "rbf", "C": 10, "shuffle": True, "layers": [64, 32]},
    "results": {"val/auroc": 0.8127},
    "tags": {"ward": "icu-2"},
    "note": "Done on the old cluster.",
    "email": "ada@example.org",
}


@pytest.fixture
def vitals(people, vision):
    dataset = a_dataset(at(people["ada"]), vision, name="icu-vitals")
    return a_version(at(people["ada"]), dataset, files={"icu.csv": b"a,b\n1,2\n"})


def sent(api, body, key, expecting):
    answer = api.client.post(f"/api/v1/{PLACE}", json.dumps(body), "application/json", headers={"Idempotency-Key": key})
    assert answer.status_code == expecting, answer.content
    return answer


def test_one_call_makes_the_run_with_all_of_it(api, vitals):
    made = api("ada").post(PLACE, SVM, 201)
    told = api("ada").get(f"runs/{made['id']}/")
    assert (told["name"], told["status"], told["source_type"]) == ("svm-rbf-w24", "FINISHED", "RECORDED")
    assert told["params"] == {
        "architecture": "SVM, RBF kernel", "kernel": "rbf", "C": "10", "shuffle": "true", "layers": "[64, 32]",
    }  # fmt: skip
    assert told["metrics"][0]["last_value"] == 0.8127
    assert told["tags"]["mled.email"] == "ada@example.org"
    assert (told["tags"]["ward"], told["started_ms"]) == ("icu-2", 1772456400000)
    for name in ("ann", "mia"):
        api(name).post(PLACE, SVM, 403)
    api("eve").post(PLACE, SVM, 404)
    assert Run.objects.count() == 1


def test_what_is_wrong_is_told_field_by_field(api, vitals):
    wrong = {**SVM, "dataset": "icu-vitals v9", "started": "2999-01-01", "results": {"a": "0,04", "b": None}}
    problem = api("ada").post(PLACE, wrong, 400)
    assert problem["code"] == "INVALID"
    assert [one["field"] for one in problem["problems"]] == [
        "dataset",
        "started",
        "results[0].value",
        "results[1].value",
    ]
    assert problem["problems"][2] == {
        "field": "results[0].value", "title": "Not a number.", "hint": "Write 0.04 with a point.",
    }  # fmt: skip
    missing = api("ada").post(PLACE, {}, 400)
    assert [one["field"] for one in missing["problems"]] == [
        "experiment", "architecture", "dataset", "started", "params",
    ]  # fmt: skip
    assert api("ada").post(PLACE, {**SVM, "params": "C=10"}, 400)["field"] == "params"
    api("ada").post(PLACE, {**SVM, "note": "\ud800"}, 400)
    assert not Run.objects.exists()


def test_the_same_key_gives_the_same_run(api, vitals):
    first = sent(api("ada"), SVM, "night-1", 201)
    again = sent(api("ada"), SVM, "night-1", 201)
    assert first.json()["id"] == again.json()["id"]
    assert first["Location"].endswith(f"/api/v1/runs/{first.json()['id']}/")
    assert sent(api("ada"), {**SVM, "name": "other"}, "night-1", 409).json()["field"] == "Idempotency-Key"
    assert sent(api("bob"), SVM, "night-1", 201).json()["id"] != first.json()["id"]
    sent(api("ada"), SVM, "k" * 300, 400)
    assert Run.objects.count() == 2


def test_a_record_is_checked_by_the_same_rule_and_nothing_is_written(api, vitals):
    wrong = {**SVM, "dataset": "icu-vitals v9", "started": "2999-01-01", "experiment": ""}
    refused = api("ada").post(PLACE, wrong, 400)
    assert api("ada").post(f"{PLACE}check/", wrong)["problems"] == refused["problems"]
    assert api("ada").post(f"{PLACE}check/", SVM) == {"problems": []}
    assert not Run.objects.exists()
    api("ann").post(f"{PLACE}check/", SVM, 403)
    api("eve").post(f"{PLACE}check/", SVM, 404)


def test_a_field_that_no_record_has_is_told_in_place_of_being_lost(api, vitals):
    for place in (PLACE, f"{PLACE}check/"):
        told = api("ada").post(place, {**SVM, "parms": {"lr": 1}}, 400)
        assert (told["title"], told["field"]) == ("A record has no field 'parms'.", "parms")
    assert not Run.objects.exists()
