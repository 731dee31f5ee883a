"""How verify_ledger reads the rows of this room that actions record."""

from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter

from audit.compliance.actions.assessments import RECORDED_AS, told
from audit.compliance.actions.bundles import BUNDLE, VERIFICATION
from audit.compliance.actions.rehearsals import REHEARSAL
from audit.compliance.models import Assessment, ReportFile
from audit.ledger.evidence import Row, register_evidence, register_told
from audit.ledger.hooks import kept_kinds
from audit.ledger.values import plain

REPORT_FILE = "compliance.reportfile"

# What auditors and managers did to hold the work to its rules: never erased from the log.
CONTROL = frozenset(
    f"compliance.{name}"
    for name in (
        "accessreview",
        "assessment",
        "bundle",
        "draw",
        "legalhold",
        "profilecopy",
        "purge",
        "rehearsal",
        "report",
        "reportfile",
        "review",
        "tombstone",
        "trailreview",
        "verification",
    )
)


def register() -> None:
    """Tell the ledger. Called once, when the app is ready."""
    register_evidence(RECORDED_AS, read_assessments)
    register_evidence(REPORT_FILE, read_report_files)
    kept_kinds.update(CONTROL)
    register_told(BUNDLE)
    register_told(VERIFICATION)
    register_told(REHEARSAL)


def read_assessments() -> Iterator[Row]:
    """Each assessment; of its results their digest."""
    for one in Assessment.objects.order_by().iterator(chunk_size=500):
        try:
            said = told(one)
        except (TypeError, ValueError):  # only SQL past MLED writes results that are none
            said = {"results": None}
        yield one.pk.hex, {name: plain(value) for name, value in said.items()}


def read_report_files() -> Iterator[Row]:
    """The files of each report by name, with their digests."""
    rows = ReportFile.objects.order_by("report", "name").values_list("report", "name", "blob", "size_bytes")
    for report, files in groupby(rows.iterator(chunk_size=2000), key=itemgetter(0)):
        yield report.hex, {name: {"digest": digest, "size_bytes": size} for _, name, digest, size in files}
