"""Reports over REST: asked for, watched, stopped, downloaded."""

import hashlib

import pytest

from audit.compliance.models import Report
from audit.compliance.reports.build import build_report
from audit.ledger.models import AuditEvent
from audit.ledger.sequencer import Sequencer

PLACE = "projects/vision/reports/"
TABLES = {"kind": "compliance", "scope": "project", "formats": ["csv", "json"]}


@pytest.fixture(autouse=True)
def data(settings, tmp_path):
    settings.MLED_DATA = tmp_path


def finish(report_id):
    for _ in range(4):
        Sequencer().run_until_empty()
        build_report(Report.objects.get(pk=report_id).pk)


def test_from_the_request_to_the_file(api, run, vision):
    bob = api("bob")
    asked = bob.post(PLACE, {**TABLES, "title": "All runs", "reason": "Audit"}, 201)
    assert (asked["state"], asked["title"], asked["requested_by"]) == ("waiting", "All runs", "Bob")
    place = f"reports/{asked['id']}/"
    assert bob.get(place)["progress"]["percent"] == 0
    finish(asked["id"])
    done = bob.get(place)
    assert (done["state"], done["progress"]["may_download"], done["records"]) == ("done", True, 1)
    assert [one["id"] for one in bob.get(PLACE)["results"]] == [asked["id"]]
    file = next(one for one in done["files"] if one["format"] == "csv")
    answer = bob.client.get(f"/api/v1/{place}files/{file['name']}")
    content = answer.getvalue()
    assert hashlib.sha256(content).hexdigest() == file["sha256"]
    assert "attachment" in answer["Content-Disposition"]
    part = bob.client.get(f"/api/v1/{place}files/{file['name']}", headers={"range": "bytes=0-3"})
    assert (part.status_code, part.getvalue()) == (206, content[:4])
    assert AuditEvent.objects.filter(verb="compliance.download_report").count() == 2
    bob.get(f"{place}files/other.csv", 404)


def test_a_report_built_again_for_its_moment_has_the_same_digest(api, run):
    bob = api("bob")
    asked = bob.post(PLACE, TABLES, 201)
    where = f"reports/{asked['id']}/again/"
    assert "never began" in bob.post(where, expecting=409)["title"]
    finish(asked["id"])
    again = bob.post(where, expecting=201)
    finish(again["id"])
    first, second = (bob.get(f"reports/{one['id']}/") for one in (asked, again))
    assert (first["digest"], first["state"]) == (second["digest"], "done")
    api("eve").post(where, expecting=404)


def test_a_report_is_stopped_once_and_by_who_may(api, run):
    bob = api("bob")
    asked = bob.post(PLACE, TABLES, 201)
    place = f"reports/{asked['id']}/cancellation/"
    api("ada").post(place, expecting=404)
    api("eve").post(place, expecting=404)
    assert bob.post(place)["state"] == "cancelled"
    assert "not being made" in bob.post(place, expecting=409)["title"]


def test_who_may_not_is_told_so_and_a_stranger_finds_nothing(api, run):
    asked = api("bob").post(PLACE, TABLES, 201)
    eve = api("eve")
    eve.post(PLACE, TABLES, 404)
    eve.get(PLACE, 404)
    eve.get(f"reports/{asked['id']}/", 404)
    eve.get(f"reports/{asked['id']}/files/report.csv", 404)
    api("kim").post(PLACE, TABLES, 404)
    api("ada").post(PLACE, {**TABLES, "kind": "trail"}, 403)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"kind": "poem"}, "kind"),
        ({"scope": 3}, "scope"),
        ({"formats": ["docx"]}, "formats"),
        ({"as_of": "2999-01-01T00:00:00Z"}, "as_of"),
        ({"as_of": "soon"}, "as_of"),
        ({"question": {"query": "metrics."}}, "filter"),
        ({"question": []}, "question"),
        ({"title": "x" * 201}, "title"),
        ({"subject": "x" * 301, "scope": "run"}, "subject"),
    ],
)
def test_a_wrong_field_is_named(api, run, wrong, field):
    assert api("bob").post(PLACE, {**TABLES, **wrong}, 400)["field"].startswith(field)


def test_the_filter_of_a_trail_is_that_of_the_log(api, run):
    asked = api("ann").post(PLACE, {**TABLES, "kind": "trail", "log": {"action": "experiments.create_run"}}, 201)
    assert asked["question"] == {"action": "experiments.create_run", "formats": ["csv", "json"]}
    assert api("ann").post(PLACE, {**TABLES, "kind": "trail", "log": {"from": "x"}}, 400)["field"] == "from"
    question, log = {"query": "status = 'failed'"}, {"action": "experiments.create_run"}
    assert api("ann").post(PLACE, {**TABLES, "kind": "trail", "question": question}, 400)["field"] == "question"
    assert api("ann").post(PLACE, {**TABLES, "log": log}, 400)["field"] == "log"
    assert Report.objects.count() == 1
