"""Reports: asked for, built from the records as they stood under a head of the log, and issued once."""

import csv
import io
import json

import pytest

from accounts.actions.users import change_password
from accounts.models import Notice
from artifacts.storage import StoredBlob, blobs
from audit.compliance.actions.reports import request_report
from audit.compliance.models import Report, ReportFile
from audit.compliance.queries.reports import (
    files_of_report,
)
from audit.compliance.reports.build import build_report
from audit.compliance.reports.spool import reports_in_work
from audit.ledger.sequencer import Sequencer
from audit.ledger.verify import verify_ledger
from experiments.actions.batches import log_batch
from experiments.values import RunStatus
from kernel.actor import Actor
from tests.factories import PASSWORD, a_batch, a_file, a_run, a_team, user_of

pytestmark = pytest.mark.django_db
TABLES = ("csv", "json")


@pytest.fixture
def team():
    made = a_team()
    change_password(made.auditor, password=PASSWORD)
    return made


@pytest.fixture
def run(team):
    made = a_run(team.scientist, name="gru", status=RunStatus.FINISHED)
    log_batch(team.scientist, made, batch=a_batch(params={"lr": "=0.1"}, tags={"stage": "draft"}, loss=[0.9, 0.5, 0.4]))
    a_file(team.scientist, made, "model.bin")
    return made


def in_order() -> None:
    Sequencer().run_until_empty()


def asked_for(actor: Actor, project, **more) -> Report:
    given = {"kind": "compliance", "scope": "project", "title": "All runs", "formats": TABLES, **more}
    return request_report(actor, project, **given)


def built(report: Report) -> Report:
    """The report, built while the log goes on as it does by itself."""
    for _ in range(5):
        in_order()
        if build_report(report.pk):
            break
    in_order()
    return Report.objects.select_related("project", "requested_by").get(pk=report.pk)


def content(report: Report, name: str) -> bytes:
    file = ReportFile.objects.get(report=report, name=name)
    with blobs().open(StoredBlob(file.blob_id, file.size_bytes)) as stored:
        return stored.read()


def table(report: Report) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content(report, "report.csv").decode())))


def sections(report: Report) -> list[dict]:
    return [json.loads(line)["section"] for line in content(report, "report.jsonl").splitlines()[1:]]


def head(report: Report) -> dict:
    return json.loads(content(report, "report.jsonl").splitlines()[0])["head"]


def test_a_report_is_built_in_the_background_and_issued_with_its_files(team, run):
    report = asked_for(team.engineer, team.project, reason="For the board.")
    assert report.state == Report.State.WAITING
    done = built(report)
    assert (done.state, done.failure, done.records, done.done) == (Report.State.DONE, "", 1, 1)
    assert len(done.digest) == len(done.log_root) == 64
    assert [file.name for file in files_of_report(team.engineer, done)] == ["report.csv", "report.jsonl"]
    (row,) = table(done)
    assert row["id"] == run.readable_id
    assert row["params"] == "lr==0.1"
    (section,) = sections(done)
    assert {one["label"]: one["value"] for one in section["params"]} == {"lr": "=0.1"}
    assert section["metrics"][0] | {} == {
        "key": "loss", "last": "0.4", "step": 2, "least": "0.4", "greatest": "0.9", "points": 3, "better": "",
    }  # fmt: skip
    assert section["curves"][0]["values"] == [0.9, 0.5, 0.4]
    assert [file["path"] for file in section["files"]] == ["model.bin"]
    assert section["chain"]["wrong"] == ""
    assert section["chain"]["events"] == len(section["events"]) >= 3
    assert section["assessed"]
    assert section["rules"]
    assert head(done)["requested_by"] == str(user_of(team.engineer))
    assert head(done)["reason"] == "For the board."
    assert Notice.objects.filter(user=user_of(team.engineer), kind="report.done").count() == 1
    assert not reports_in_work()
    assert verify_ledger().is_sound
