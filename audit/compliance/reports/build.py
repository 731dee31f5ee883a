"""Building a report, by whoever has its lease: from the request to files with an event, in steps that can be repeated.

    waiting   the log covers what was committed when it was asked for; runs in scope are asked about by the rules
    running   the head, the profile and the ids of each part are fixed; part after part is gathered and kept (spool.py)
    done      digest, CSV, JSON Lines, a PDF for each part, the bundle; then one act puts all of it out (issue_report)

A worker that dies leaves its lease, which runs out. Whoever takes over goes on with the first part that is not whole.
"""

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

from django.db.models import Max, Q

from accounts.workers import sign_of_life
from artifacts.storage import blobs
from audit.compliance.actions.assessments import assess_run, judgement_of
from audit.compliance.actions.bundles import seal_bundle
from audit.compliance.actions.reports import Frozen, Made, NotOurs, begin_report, fail_report, issue_report
from audit.compliance.following import follow_log
from audit.compliance.models import Report, ReportPart
from audit.compliance.queries.report_scope import runs_asked
from audit.compliance.queries.reports import JUDGED, require_still
from audit.compliance.reports import asked, bundle, lease, write_csv, write_json
from audit.compliance.reports.asof import chunks
from audit.compliance.reports.digest import content_digest
from audit.compliance.reports.facts import Head, Section
from audit.compliance.reports.freezing import parts_of, profile_at
from audit.compliance.reports.gather import chain_of, head_of, sections_of, software
from audit.compliance.reports.sealing import is_covered
from audit.compliance.reports.spool import Spool, reports_in_work
from audit.compliance.reports.tally import Tally
from audit.ledger.models import Checkpoint, Pending
from audit.ledger.queries.proofs import newest_checkpoint
from experiments.models import Run
from experiments.values import ENDED, Lifecycle
from kernel.actor import system
from kernel.errors import Invalid, MledError, NotFound, Refused

log = logging.getLogger(__name__)

ATTEMPTS = 3
LOOKS_EVERY = 2.0  # seconds between two looks whether somebody stopped it
SIZE_MAX = 1 << 40
AGAIN = "Ask for it again; if it happens again, tell the administrator: the server's log says why."
WORKERS_DIED = "Every worker that made it died. Ask for fewer runs, or tell the administrator: memory may be short."
BUNDLE = "report.mledlog"
PIECE = 256 * 1024
_MEDIA = {
    asked.PDF: "application/pdf",
    asked.CSV: write_csv.MEDIA_TYPE,
    asked.JSON: write_json.MEDIA_TYPE,
    asked.BUNDLE: bundle.MEDIA_TYPE,
}


class NotYet(Exception):
    """The log does not cover what the report has to speak of. Nothing is wrong; somebody looks again soon."""


def build_report(report_id: UUID, *, patience: float = 0.0, keep_lease: bool = False) -> bool:
    """Build one report as far as it goes; whether it is finished.

    patience: seconds to wait for the log's next head. keep_lease: renew it from a thread, for workers that may be
    busy in one step for longer than a lease lasts. What goes wrong is said in the report, and never raised.
    """
    mine = lease.take(report_id)
    if mine is None:
        return False
    if lease.is_hopeless(report_id):
        _give_up(report_id, mine, WORKERS_DIED)
        return False
    try:
        with lease.kept(report_id, mine) if keep_lease else nullcontext():
            _Building(report_id, mine, patience).run()
    except (lease.LeaseLost, NotOurs):
        return False
    except NotYet:
        lease.give_back(report_id, mine)
        return False
    except (Refused, NotFound, Invalid) as error:
        _give_up(report_id, mine, str(error))
        return False
    except Exception as error:
        log.exception("Building report %s", report_id)
        _failed_once(report_id, mine, error)
        return False
    Spool(report_id).remove()
    return True


def _failed_once(report_id: UUID, mine: UUID, error: Exception) -> None:
    """After three failures it is given up; before, somebody tries again."""
    times = lease.note_failure(report_id, mine)
    if times < ATTEMPTS:
        lease.give_back(report_id, mine)
        return
    words = str(error) if isinstance(error, MledError) else f"Something went wrong while it was made. {AGAIN}"
    _give_up(report_id, mine, words)


def _give_up(report_id: UUID, mine: UUID, words: str) -> None:
    try:
        fail_report(system(), Report.objects.select_related("project").get(pk=report_id), lease=mine, failure=words)
    except NotOurs:
        return
    Spool(report_id).remove()


def sweep() -> None:
    """Take away what is left of reports that nobody makes any more."""
    there = reports_in_work()
    still = set(Report.objects.filter(pk__in=there, state__in=Report.OPEN).values_list("pk", flat=True))
    for report_id in there:
        if report_id not in still:
            Spool(report_id).remove()


class _Building:
    """One worker's work on one report."""

    def __init__(self, report_id: UUID, mine: UUID, patience: float) -> None:
        self.report = Report.objects.select_related("project", "requested_by").get(pk=report_id)
        self.lease, self.patience = mine, patience
        self.spool = Spool(report_id)
        self._made: list[tuple[Made, Path]] = []
        self._looked_at = time.monotonic()

    def run(self) -> None:
        """Everything that is left to do. Raises LeaseLost, NotYet, Refused and what else goes wrong."""
        require_still(asked.requester_of(self.report), self.report)
        if self.report.log_size is None:
            self._begin()
        parts = list(ReportPart.objects.filter(report=self.report).order_by("number"))
        self._gather(parts)
        digests = [digest for part in parts for digest in part.digests]
        digest = content_digest(self.report, digests)
        files = self._write(parts, digest)
        require_still(asked.requester_of(self.report), self.report)
        issue_report(system(), self.report, lease=self.lease, files=files, digest=digest, software=software())

    # --- Before: the log, the rules, the head

    def _begin(self) -> None:
        report = self.report
        head = self._given_head() if report.as_of is not None else self._next_head()
        parts, records = parts_of(report, head)
        profile, profile_digest = profile_at(report, head)
        frozen = Frozen(head, profile, profile_digest, parts, records)
        self.report = begin_report(system(), report, lease=self.lease, frozen=frozen)

    def _given_head(self) -> Checkpoint:
        assert self.report.as_of is not None  # noqa: S101 - asked by _begin
        head = asked.head_at(self.report.as_of)
        if head is None:
            raise Invalid("The log had no signed head yet at that moment.", hint="Choose a later one.", field="as_of")
        return head

    def _next_head(self) -> Checkpoint:
        """A head that covers what was committed when it was asked for, and what the rules say of it."""
        self._wait_for_log()
        if self.report.kind in JUDGED and self._ask_rules():
            self._wait_for_log()
        head = newest_checkpoint()
        if head is None:
            raise NotYet
        return head

    def _wait_for_log(self) -> None:
        """Until every event that waits now has its place. Raises NotYet when that takes longer than the patience."""
        last = Pending.objects.aggregate(last=Max("id"))["last"]
        end = time.monotonic() + self.patience
        while last is not None and Pending.objects.filter(id__lte=last).exists():
            if time.monotonic() >= end:
                raise NotYet
            time.sleep(0.1)
            self._look()

    def _ask_rules(self) -> int:
        """Ask the rules about the ended runs in scope that they were never asked about, or that changed since."""
        while follow_log():
            self._look()
        count = 0
        stale = Q(standing=None) | Q(standing__assessment=None) | Q(standing__stale_at__isnull=False)
        for some in chunks(runs_asked(asked.requester_of(self.report), self.report)):
            rows = Run.objects.filter(stale, pk__in=some, status__in=ENDED, lifecycle=Lifecycle.ACTIVE)
            for run in rows.select_related("project", "experiment").order_by("pk"):
                assess_run(system(), run, judgement=judgement_of(run))
                count += 1
                self._look()
        return count

    # --- Between: part after part

    def _gather(self, parts: Iterable[ReportPart]) -> None:
        chain, done = chain_of(self.report), 0
        for part in parts:
            if not (part.digests and self.spool.holds(part.number, part.digests)):
                sections = self._watched(sections_of(self.report, part, chain))
                part.digests = self.spool.keep_part(part.number, sections)
                ReportPart.objects.filter(pk=part.pk).update(digests=part.digests)
            done += self._records_in(part)
            lease.renew(self.report.pk, self.lease, done=done)

    def _records_in(self, part: ReportPart) -> int:
        is_stretch = self.report.kind == Report.Kind.TRAIL and self.report.scope == Report.Scope.PROJECT
        return int(part.runs[2]) if is_stretch else len(part.runs)

    def _watched(self, sections: Iterable[Section]) -> Iterator[Section]:
        for section in sections:
            yield section
            self._look()

    def _look(self) -> None:
        """Now and then: keep the lease, and stop where somebody stopped the report. Raises LeaseLost."""
        if time.monotonic() - self._looked_at > LOOKS_EVERY:
            lease.renew(self.report.pk, self.lease)
            sign_of_life()
            self._looked_at = time.monotonic()

    # --- After: files

    def _write(self, parts: list[ReportPart], digest: str) -> list[Made]:
        """Every file that was asked for, each in the store. The bundle comes last: it holds digests of the others."""
        wanted = asked.formats_of(self.report)
        tally, self._made = Tally(), []
        for part in parts:
            tally.add(self._watched(self.spool.sections(part.number)))
        head = head_of(self.report, counts=tally.counts, notes=tally.notes, volumes=max(1, len(parts)))
        if asked.PDF in wanted:
            for number in range(1, head.volumes + 1):
                self._volume(head, number, digest)
        if asked.CSV in wanted:
            self._file("report.csv", asked.CSV, lambda out: self._write_csv(out, parts))
        if asked.JSON in wanted:
            self._file("report.jsonl", asked.JSON, lambda out: self._write_json(out, head, digest, parts))
        if asked.BUNDLE in wanted:
            self._bundle(digest)
        return [made for made, _ in self._made]

    def _volume(self, head: Head, number: int, digest: str) -> None:
        from audit.compliance.reports.pdf import render

        name = f"volume-{number:05}-{digest[:16]}.pdf"
        if not (self.spool.folder / name).exists():
            there = self.spool.part(number).exists()
            sections = self.spool.sections(number) if there else iter(())
            content = render(head, sections, volume=number, of=head.volumes, digest=digest)
            with self.spool.writing(name) as out:
                out.write(content)
        self._look()
        self._stored(f"report-{number}.pdf", asked.PDF, name, part=number)

    def _write_csv(self, out: BinaryIO, parts: Iterable[ReportPart]) -> None:
        rows = (pair for part in parts for pair in zip(part.digests, self.spool.sections(part.number), strict=True))
        write_csv.write_csv(out, self.report.kind, rows)

    def _write_json(self, out: BinaryIO, head: Head, digest: str, parts: Iterable[ReportPart]) -> None:
        lines = (line for part in parts for line in self.spool.lines(part.number))
        write_json.write_jsonl(out, head, digest, lines)

    def _file(self, name: str, form: str, write: Callable[[BinaryIO], None]) -> None:
        with self.spool.writing(name) as out:
            write(out)
        self._look()
        self._stored(name, form, name)

    def _stored(self, name: str, form: str, file: str, *, part: int | None = None) -> None:
        """Put a file of the spool into the store; no row speaks of it before the report is issued."""
        path = self.spool.folder / file
        with path.open("rb") as content:
            stored = blobs().receive(content, limit=SIZE_MAX)
        self._made.append((Made(name, form, _MEDIA[form], stored, part), path))

    def _bundle(self, digest: str) -> None:
        """The sealed bundle of everything made so far. Raises NotYet while its seal waits for the log's next head."""
        self.report.digest = digest  # as it will be issued
        files = [self._in_bundle(one, path) for one, path in self._made]
        content = bundle.content_of_report(self.report, files)
        seal = seal_bundle(system(), self.report.project, manifest=content.manifest, report=self.report)
        if not is_covered(seal):
            self._wait_for_log()
        with self.spool.writing(BUNDLE) as out:
            bundle.write_bundle(content, seal, out)
        self._stored(BUNDLE, asked.BUNDLE, BUNDLE)

    @staticmethod
    def _in_bundle(made: Made, path: Path) -> bundle.BundleFile:
        return bundle.BundleFile(made.name, made.stored.size_bytes, made.stored.digest, lambda: _pieces(path))


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            yield piece
