"""From the submission of a run to a closed finding over REST; the verdict itself is signed in person."""

import pytest

from experiments.actions.runs import update_run


@pytest.fixture
def ended(ada, run):
    return update_run(ada, run, status="FINISHED", ended_ms=2000)


@pytest.fixture
def finding(api, signed_in, ended):
    wanted = {"kind": "missing", "text": "Which seed?", "owner": "ada@example.org", "due": "2030-01-31"}
    return signed_in("ann").post(f"runs/{ended.readable_id}/findings/", wanted, expecting=201)


def test_what_waits_for_a_verdict_is_narrowed_by_state_and_reviewer(api, signed_in, ended):
    submitted = api("ada").post(f"runs/{ended.readable_id}/reviews/", {"comment": "Please."}, expecting=201)
    reviews = "projects/vision/reviews/"
    assert [one["id"] for one in api("ann").get(reviews, state="submitted")["results"]] == [submitted["id"]]
    assert api("ann").get(reviews, state=["compliant", "flagged"])["results"] == []
    signed_in("ann").send("PATCH", f"reviews/{submitted['id']}/", {"assigned_to": "ann@example.org"})
    assert len(api("ann").get(reviews, assigned_to="ANN@example.org")["results"]) == 1
    assert api("ann").get(reviews, assigned_to="ada@example.org")["results"] == []
    api("ann").get(reviews, state="dinner", expecting=400)
    api("eve").get(reviews, expecting=404)
    again = api("ada").post(f"runs/{ended.readable_id}/reviews/", {}, expecting=409)
    assert again["status"] == 409


def test_a_finding_is_answered_asked_again_and_closed(api, signed_in, finding):
    where = f"findings/{finding['id']}/"
    assert api("ada").post(f"{where}answer/", {"text": "17."})["state"] == "answered"
    assert signed_in("ann").post(f"{where}ask-again/", {"text": "Where is it recorded?"})["state"] == "open"
    assert api("ada").post(f"{where}answer/", {"text": "As param seed."})["state"] == "answered"
    assert signed_in("ann").post(f"{where}closure/", {"text": "Seen."})["state"] == "closed"
    told = api("ada").get(where)
    assert [(one["by"], one["text"]) for one in told["thread"]][:3] == [
        ("Ada", "17."), ("Ann", "Where is it recorded?"), ("Ada", "As param seed."),
    ]  # fmt: skip
    assert (told["closure"], told["due"]) == ("Seen.", "2030-01-31")
    api("ada").post(f"{where}answer/", {"text": "More."}, expecting=409)


def test_findings_of_a_project_are_narrowed_by_state_and_owner(api, finding):
    where = "projects/vision/findings/"
    assert [one["id"] for one in api("ada").get(where, owner="ada@example.org")["results"]] == [finding["id"]]
    assert api("ada").get(where, owner="bob@example.org")["results"] == []
    assert api("ada").get(where, state="closed")["results"] == []
    assert len(api("mia").get(where, state=["open", "answered"])["results"]) == 1
    api("ada").get(where, state="dinner", expecting=400)
    api("eve").get(where, expecting=404)


@pytest.mark.parametrize(("who", "status"), [("ada", 403), ("bob", 403), ("mia", 403), ("ann", 403), ("eve", 404)])
def test_findings_are_opened_and_closed_by_auditors_in_person(api, ended, finding, who, status):
    """Ann's token only reads: what she does, she does signed in."""
    wanted = {"kind": "wrong", "text": "x"}
    api(who).post(f"runs/{ended.readable_id}/findings/", wanted, expecting=status)
    api(who).post(f"findings/{finding['id']}/closure/", {"text": "x"}, expecting=status)
    api(who).get(f"findings/{finding['id']}/", expecting=404 if who == "eve" else 200)


def test_wrong_fields_of_a_finding_are_named(signed_in, ended):
    for wrong, field in (
        ({"kind": "dinner", "text": "x"}, "kind"),
        ({"kind": "wrong", "text": ""}, "text"),
        ({"kind": "wrong", "text": "x", "owner": "eve@example.org"}, "owner"),
        ({"kind": "wrong", "text": "x", "due": "soon"}, "due"),
    ):
        assert signed_in("ann").post(f"runs/{ended.readable_id}/findings/", wrong, expecting=400)["field"] == field
