"""What a project decided, over REST: the same act and the same rule as on the page."""

import uuid

DECISIONS = "projects/vision/decisions/"


def test_a_manager_records_a_decision_and_others_read_it(api, run):
    key = str(uuid.uuid4())
    asked = {"title": "Stop the LightGBM line", "why": "0.04 behind.", "runs": [run.readable_id], "key": key}
    made = api("mia").send("POST", DECISIONS, asked, expecting=201)
    assert (made["id"], made["number"], made["standing"], made["user"]) == (key, 1, "holds", "Mia")
    assert made["runs"] == [{"run": run.uid.hex, "readable_id": run.readable_id, "name": run.name}]
    assert api("mia").send("POST", DECISIONS, asked, expecting=201) == made
    api("mia").send("POST", DECISIONS, asked | {"title": "Go on"}, expecting=409)
    for who in ("ada", "bob", "ann"):
        assert api(who).get(DECISIONS)["results"] == [made]
        assert api(who).get(f"{DECISIONS}1/") == made


def test_one_is_replaced_and_one_is_taken_back(api):
    mia = api("mia")
    mia.send("POST", DECISIONS, {"title": "24 hours"}, expecting=201)
    mia.send("POST", DECISIONS, {"title": "48 hours", "replaces": 1}, expecting=201)
    told = mia.send("POST", f"{DECISIONS}2/take-back/", {"reason": "Too long."})
    assert (told["standing"], told["replaces"], told["taken_back_why"]) == ("taken_back", 1, "Too long.")
    first = mia.get(f"{DECISIONS}1/")
    assert (first["standing"], first["replaced_by"]) == ("replaced", 2)
    mia.send("POST", DECISIONS, {"title": "72 hours", "replaces": 1}, expecting=409)
    mia.send("POST", f"{DECISIONS}1/take-back/", {"reason": "No."}, expecting=409)
    assert [one["number"] for one in mia.get(DECISIONS)["results"]] == [2, 1]


def test_only_managers_write_and_strangers_find_nothing(api):
    api("mia").send("POST", DECISIONS, {"title": "Go"}, expecting=201)
    for who in ("ada", "bob", "ann"):
        api(who).send("POST", DECISIONS, {"title": "Go"}, expecting=403)
        api(who).send("POST", f"{DECISIONS}1/take-back/", {"reason": "No."}, expecting=403)
    for method, path, body in (
        ("GET", DECISIONS, None),
        ("GET", f"{DECISIONS}1/", None),
        ("POST", DECISIONS, {"title": "Go"}),
        ("POST", f"{DECISIONS}1/take-back/", {"reason": "No."}),
    ):
        api("eve").send(method, path, body, expecting=404)
    assert api("ada").get(f"{DECISIONS}1/")["standing"] == "holds"


def test_what_is_no_decision_is_refused_by_its_field(api):
    wrongs = ({"title": ""}, {"title": "x" * 201}, {"runs": ["nothing"]}, {"runs": "x"}, {"key": "k"}, {"replaces": 0})
    for wrong in wrongs:
        told = api("mia").send("POST", DECISIONS, {"title": "Go"} | wrong, expecting=400)
        assert next(iter(wrong)) in str(told)
    api("mia").send("POST", DECISIONS, {"title": "Go", "replaces": 7}, expecting=404)
    api("mia").get(f"{DECISIONS}{10**20}/", expecting=404)
    api("mia").send("POST", DECISIONS, {"title": "Go"}, expecting=201)
    api("mia").send("POST", f"{DECISIONS}1/take-back/", {"reason": ""}, expecting=400)
