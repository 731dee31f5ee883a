"""Kept views and the directions of metrics over REST."""

import pytest

VIEWS = "projects/vision/views/"


@pytest.fixture
def view(api, run):
    wanted = {"name": "Best so far", "query": "q=metrics.acc+%3E+0.9&sort=-metrics.acc&evil=1"}
    return api("ada").post(VIEWS, wanted, expecting=201)


def test_a_view_is_kept_changed_shared_and_removed(api, view):
    assert (view["query"], view["is_mine"], view["version"]) == ("q=metrics.acc+%3E+0.9&sort=-metrics.acc", True, 1)
    one = f"{VIEWS}{view['id']}/"
    assert api("mia").get(VIEWS)["results"] == []
    api("mia").get(one, expecting=404)
    shared = api("ada").send("PATCH", one, {"version": 1, "is_shared": True, "name": "Best"})
    assert (shared["name"], shared["version"], shared["query"]) == ("Best", 2, view["query"])
    assert [found["name"] for found in api("mia").get(VIEWS)["results"]] == ["Best"]
    assert not api("mia").get(one)["is_mine"]
    api("ada").send("PATCH", one, {"version": 1, "name": "late"}, expecting=409)
    api("mia").send("PATCH", one, {"version": 2, "name": "hers"}, expecting=403)
    assert api("mia").client.delete(f"/api/v1/{one}").status_code == 403
    api("ada").post(VIEWS, {"name": "Best"}, expecting=409)
    for wrong in ({"name": ""}, {}, {"name": "x", "query": "q=" + "x" * 9000}):
        api("ada").post(VIEWS, wrong, expecting=400)
    assert api("ada").client.delete(f"/api/v1/{one}").status_code == 204
    api("ada").get(one, expecting=404)


def test_the_table_opens_with_a_shared_view(api, view):
    here = "projects/vision/default-view/"
    api("ada").send("PUT", here, {"view": view["id"]}, expecting=409)  # nobody else sees it
    api("ada").send("PATCH", f"{VIEWS}{view['id']}/", {"version": 1, "is_shared": True})
    assert api("ada").send("PUT", here, {"view": view["id"]}) == {"view": view["id"]}
    assert api("mia").get(here) == {"view": view["id"]}
    assert api("ada").client.delete(f"/api/v1/{VIEWS}{view['id']}/").status_code == 409
    api("ann").send("PUT", here, {"view": None}, expecting=403)
    api("eve").send("PUT", here, {"view": None}, expecting=404)
    api("ada").send("PUT", here, {"view": 987654}, expecting=404)
    assert api("ada").send("PUT", here, {"view": None}) == {"view": None}


def test_another_team_finds_no_view(api, view):
    api("eve").get(VIEWS, expecting=404)
    for method in ("GET", "PATCH", "DELETE"):
        api("eve").send(method, f"{VIEWS}{view['id']}/", expecting=404)


def test_a_project_says_which_way_a_metric_is_better(api, run):
    here = "projects/vision/metric-directions/"
    api("ada").send("PUT", f"{here}val/loss/", {"higher_is_better": False})
    assert api("mia").get(here) == {"val/loss": False}
    api("ada").send("PUT", f"{here}val/loss/", {"higher_is_better": True})
    assert api("mia").get(here) == {"val/loss": True}
    api("ann").send("PUT", f"{here}acc/", {"higher_is_better": True}, expecting=403)
    api("eve").send("PUT", f"{here}acc/", {"higher_is_better": True}, expecting=404)
    api("ada").send("PUT", f"{here}acc/", {}, expecting=400)
