"""The quota of a project over REST, and uploads that it refuses."""

import pytest

from artifacts.actions.quotas import set_quota
from kernel.actor import operator
from tests.factories import a_file

QUOTA = "projects/vision/quota/"


def test_members_read_it_and_strangers_find_nothing(api, ada, run, vision):
    assert api("ada").get(QUOTA) == {"limit_bytes": None, "used_bytes": 0}
    a_file(ada, run, content=b"12345")
    set_quota(operator(), vision, limit_bytes=10)
    for who in ("ada", "bob", "ann", "mia"):
        assert api(who).get(QUOTA) == {"limit_bytes": 10, "used_bytes": 5}
        api(who).send("PUT", QUOTA, {"limit_bytes": 20}, expecting=403)
        api(who).send("DELETE", QUOTA, expecting=403)
    for method in ("GET", "PUT", "DELETE"):
        api("eve").send(method, QUOTA, {"limit_bytes": 20} if method == "PUT" else None, expecting=404)


def test_an_administrator_sets_it_and_takes_it_away(signed_in):
    kim = signed_in("kim")
    assert kim.send("PUT", QUOTA, {"limit_bytes": 10, "reason": "a small disk"}) == {"limit_bytes": 10, "used_bytes": 0}
    kim.send("DELETE", QUOTA, expecting=204)
    assert kim.get(QUOTA)["limit_bytes"] is None


@pytest.mark.parametrize("wrong", [{}, {"limit_bytes": 0}, {"limit_bytes": None}, {"limit_bytes": "10 GB"}])
def test_what_is_no_quota_is_refused_by_its_field(signed_in, wrong):
    assert "limit_bytes" in str(signed_in("kim").send("PUT", QUOTA, wrong, expecting=400))


def test_an_announced_upload_that_does_not_fit_is_refused(api, vision):
    set_quota(operator(), vision, limit_bytes=10)
    told = api("ada").send("POST", "projects/vision/uploads/", {"size_bytes": 11}, expecting=413)
    assert told["code"] == "QUOTA_REACHED"
    api("ada").send("POST", "projects/vision/uploads/", {"size_bytes": 10}, expecting=201)
