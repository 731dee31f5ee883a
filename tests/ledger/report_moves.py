"""What the random walk does with reports: asking for them, building, stopping and giving up, taking files out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from audit.compliance.actions.reports import cancel_report, download_report, fail_report, request_report
from audit.compliance.models import Report, ReportFile
from audit.compliance.reports import lease
from audit.compliance.reports.build import build_report
from audit.ledger.sequencer import Sequencer
from kernel.actor import system

OPEN = {"state__in": Report.OPEN}


def _ask(walk: Any) -> None:
    """Mostly about one run, so that it is quickly built."""
    kind, formats = (
        walk.chance.choice(Report.Kind.values),
        ("csv", "json", *(["mledlog"] * (walk.chance.random() < 0.2))),
    )
    given = {"scope": "project"} if kind in ("access", "trail") else {"scope": "run", "subject": walk.run().uid.hex}
    request_report(
        walk.who(), walk.team.project, kind=kind, title=walk.text(), reason=walk.text(), formats=formats, **given
    )


def _build(walk: Any) -> None:
    """begin_report, seal_bundle and issue_report, while the log goes on."""
    report = walk.any(Report, **OPEN)
    for _ in range(4):
        Sequencer().run_until_empty()
        build_report(report.pk)


def _give_up(walk: Any) -> None:
    report = walk.any(Report, **OPEN)
    mine = lease.take(report.pk)
    if mine is not None:
        fail_report(system(), report, lease=mine, failure=walk.text() or "Broken.")


def _take_out(walk: Any) -> None:
    file = walk.any(ReportFile)
    Sequencer().run_until_empty()
    download_report(walk.who(), file.report, file=file)


REPORTS: list[Callable[[Any], Any]] = [
    _ask,
    _build,
    _give_up,
    _take_out,
    lambda w: cancel_report(w.who(), w.any(Report, **OPEN), reason=w.text()),
]
