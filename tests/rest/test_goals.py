"""A project's goal over REST: the same act and the same rule as on the page."""

from experiments.actions.batches import log_batch
from experiments.actions.runs import update_run
from experiments.values import RunStatus
from kernel.clock import now_ms
from tests.factories import a_batch

GOAL = "projects/vision/goal/"
AIM = {"metric": "acc", "higher_is_better": True, "target": 0.9, "by_date": "2099-01-12"}
NONE = dict.fromkeys(("metric", "higher_is_better", "target", "by_date"))


def test_a_manager_sets_the_goal_others_read_it_and_it_goes_again(api):
    assert api("ada").get(GOAL) == NONE
    assert api("mia").send("PUT", GOAL, AIM) == AIM
    assert api("ann").get(GOAL) == api("bob").get(GOAL) == AIM
    api("mia").send("DELETE", GOAL, expecting=204)
    assert api("ada").get(GOAL) == NONE


def test_progress_names_the_best_run(api, ada, run):
    api("ada").get(f"{GOAL}progress/", expecting=404)
    api("mia").send("PUT", GOAL, AIM)
    empty = api("ada").get(f"{GOAL}progress/")
    assert (empty["state"], empty["best"], empty["runs"]) == ("on_the_way", None, 0)
    log_batch(ada, run, batch=a_batch(acc=[0.5, 0.92]))
    update_run(ada, run, status=RunStatus.FINISHED, ended_ms=now_ms())
    told = api("ann").get(f"{GOAL}progress/")
    assert (told["state"], told["runs"], told["is_whole"]) == ("reached", 1, True)
    assert (told["best"]["run"], told["best"]["readable_id"], told["best"]["value"]) == (
        run.uid.hex, run.readable_id, 0.92,
    )  # fmt: skip
    assert told["improvements"] == [told["best"]]


def test_only_managers_write_and_strangers_find_nothing(api):
    for who in ("ada", "bob", "ann"):
        api(who).send("PUT", GOAL, AIM, expecting=403)
        api(who).send("DELETE", GOAL, expecting=403)
    for method, path in (("GET", GOAL), ("GET", f"{GOAL}progress/"), ("PUT", GOAL), ("DELETE", GOAL)):
        api("eve").send(method, path, AIM if method == "PUT" else None, expecting=404)
    assert api("ada").get(GOAL) == NONE


def test_what_is_no_goal_is_refused_by_its_field(api):
    for wrong in ({"target": "much"}, {"target": None}, {"metric": "a//b"}, {"by_date": "soon"}, {"metric": ""}):
        told = api("mia").send("PUT", GOAL, AIM | wrong, expecting=400)
        assert next(iter(wrong)) in str(told)


def test_if_match_keeps_what_somebody_else_said_meanwhile(api):
    mia = api("mia")
    seen = mia.client.get(f"/api/v1/{GOAL}")["ETag"]
    mia.send("PUT", GOAL, AIM)
    again = mia.client.put(
        f"/api/v1/{GOAL}", AIM | {"target": 0.5}, content_type="application/json", headers={"if-match": seen}
    )
    assert again.status_code == 412
    assert mia.get(GOAL)["target"] == 0.9
