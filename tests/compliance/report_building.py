"""Reports asked for and built while the log goes on, and what stands in their files."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

from accounts.models import Project
from artifacts.storage import StoredBlob, blobs
from audit.compliance.actions.reports import request_report
from audit.compliance.models import Report, ReportFile
from audit.compliance.reports.build import build_report
from audit.ledger.sequencer import Sequencer
from kernel.actor import Actor

TABLES = ("csv", "json")


def in_order() -> None:
    Sequencer().run_until_empty()


def asked_for(actor: Actor, project: Project, **more: Any) -> Report:
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


def sections(report: Report) -> list[dict[str, Any]]:
    return [json.loads(line)["section"] for line in content(report, "report.jsonl").splitlines()[1:]]


def head(report: Report) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(content(report, "report.jsonl").splitlines()[0])["head"]
    return found
