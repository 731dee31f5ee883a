"""Reports in words: what each kind contains, what it speaks of, how far its making is."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from accounts.templatetags.mled import duration
from audit.compliance.models import Report, ReportFile
from audit.compliance.queries.log_question import FIELDS as LOG_FIELDS
from audit.compliance.queries.reports import Progress
from audit.compliance.reports.asked import SCOPES, formats_of, question_of
from experiments.pages.asked import IN_ADDRESSES

Kind, Scope, State = Report.Kind, Report.Scope, Report.State
LOG = "log_"  # before the fields of the log's filter, in addresses and forms


@dataclass(frozen=True, slots=True)
class Words:
    """What a kind is called in short, what is in it, and what its records are."""

    short: str
    contains: str
    noun: str
    nouns: str


KINDS: Final[Mapping[str, Words]] = {
    Kind.COMPLIANCE: Words(
        "Compliance",
        "Each run with data, parameters, metrics, files and environment; every rule with its proof; verdicts, "
        "signatures, findings.",
        "run",
        "runs",
    ),
    Kind.TRAIL: Words(
        "Audit trail",
        "Who did what, when, in which role then; old and new values, reasons.",
        "event",
        "events",
    ),
    Kind.REPRODUCIBILITY: Words(
        "Reproducibility",
        "What it takes to make each run again: code, environment, data by digest, seeds; and what came of trying.",
        "run",
        "runs",
    ),
    Kind.MODEL_CARD: Words(
        "Model card",
        "What people wrote about each model version, what the record fills in, and the gaps.",
        "version",
        "versions",
    ),
    Kind.ACCESS: Words(
        "Access",
        "Each person with what they may do in the project, and why; accounts that nobody uses.",
        "person",
        "people",
    ),
}
OF_RUNS: Final = (Kind.COMPLIANCE, Kind.REPRODUCIBILITY)
FORMATS: Final = {"pdf": "PDF", "csv": "CSV", "json": "JSON", "mledlog": "Bundle"}


@dataclass(frozen=True, slots=True)
class Making:
    """A report that is being made, or whose files wait for the log. kind: of the badge, '' for grey.

    per_cent: None while nothing is gathered; done: "61 of 96 runs", or ''; left: "about 40 s", or ''.
    """

    report: Report
    progress: Progress
    icon: str
    kind: str
    label: str
    per_cent: int | None
    done: str
    left: str


# What it waits for -> icon, kind of badge, words.
WAITS: Final = {
    "worker": ("clock", "warn", "Waiting for a worker"),
    "log": ("clock", "", "Waiting for the log"),
    "checkpoint": ("clock", "", "Waiting for the log"),
}


def making_of(report: Report, progress: Progress, *, at: dt.datetime, began: dt.datetime | None) -> Making:
    """How far a report is. began: when its making began, None for not yet."""
    runs = report.state == State.RUNNING
    of = progress.of or 0
    if progress.waits_for:
        icon, kind, label = WAITS[progress.waits_for]
    elif runs:
        icon, kind, label = "running", "run", "Writing the files" if progress.done >= of else "Being made"
    else:
        icon, kind, label = "clock", "", "Waiting for its turn"
    done = f"{progress.done:,} of {counted(report.kind, of)}" if runs and of else ""
    known = runs and began is not None and not progress.waits_for
    left = time_left(progress.done, of, at - began) if known and began is not None else ""
    return Making(report, progress, icon, kind, label, progress.percent if done else None, done, left)


def time_left(done: int, of: int, took: dt.timedelta) -> str:
    """How long the rest takes if it goes on as before: "about 40 s"; '' where that is not known or all is done."""
    if not done or done >= of or took <= dt.timedelta(0):
        return ""
    ms = int(took.total_seconds() * 1000 * (of - done) / done)
    return f"about {duration(ms)}" if ms >= 10_000 else "some seconds"


def counted(kind: str, number: int | None) -> str:
    """So many runs, events or people."""
    if number is None:
        return ""
    words = KINDS[kind]
    return f"{number:,} {words.noun if number == 1 else words.nouns}"


def scope_for(kind: str, scope: str) -> str:
    """The scope that was chosen, or the only one that the kind has."""
    known = SCOPES.get(kind, ())
    return known[0] if len(known) == 1 else scope or Scope.PROJECT


def default_title(kind: str, of: str, at: dt.datetime) -> str:
    """What a report is called that nobody gave a name. of: the run or version that it speaks of, '' for more."""
    label = str(Kind(kind).label)
    return f"{label}, {of or f'{at:%B %Y}'}"[:200]


def scope_words(report: Report, subject: str) -> str:
    """What a report speaks of, in a few words. subject: what its run or version is called."""
    asked = question_of(report)
    if report.scope in (Scope.RUN, Scope.VERSION):
        return subject or "not there any more"
    if report.scope == Scope.RUNS:
        experiments = len(asked.get("experiments", ()))
        narrowed = f"{experiments} experiment{'s' * (experiments > 1)}" if experiments else ""
        lifecycle = {"deleted": "deleted", "all": "deleted too"}.get(asked.get("lifecycle", ""), "")
        return ", ".join(filter(None, [asked.get("query", ""), narrowed, lifecycle])) or "all runs"
    told = [str(asked[name]) for name in LOG_FIELDS if asked.get(name)] if report.kind == Kind.TRAIL else []
    return ", ".join(told) or "the whole project"


def short_time(at: dt.datetime, *, this: dt.datetime) -> str:
    """A moment in a narrow column, in UTC: with its year where that is not the year of this moment."""
    utc = at.astimezone(dt.UTC)
    return f"{utc.day} {utc:%b} {utc:%H:%M}" if utc.year == this.year else f"{utc.day} {utc:%b %Y %H:%M}"


def pairs_of(report: Report) -> list[tuple[str, str]]:
    """What the form has to hold to ask the same again, as pairs of an address."""
    question: Mapping[str, Any] = report.question or {}
    pairs = [("kind", report.kind), ("scope", report.scope), ("title", report.title), ("reason", report.reason)]
    if report.kind == Kind.TRAIL and report.scope == Scope.PROJECT:
        pairs += [(f"{LOG}{name}", str(question[name])) for name in LOG_FIELDS if question.get(name)]
    elif report.scope == Scope.RUNS:
        pairs += [("q", str(question.get("query", "")))]
        pairs += [("experiment", str(one)) for one in question.get("experiments", ())]
        lifecycle = str(question.get("lifecycle", "active"))
        pairs += [("lifecycle", lifecycle)] if lifecycle != "active" else []
    pairs += [("run" if report.scope == Scope.RUN else "version", report.subject)]
    pairs += [("formats", form) for form in formats_of(report)]
    if report.as_of is not None:
        pairs += [("moment", "then"), ("at", f"{report.as_of.astimezone(dt.UTC):%Y-%m-%dT%H:%M:%S}")]
    return [pair for pair in pairs if pair[1]]


def with_pairs(address: str, pairs: Sequence[tuple[str, str]]) -> str:
    """An address with what it asks."""
    text = urlencode([pair for pair in pairs if pair[1]], safe=IN_ADDRESSES)
    return f"{address}?{text}" if text else address


@dataclass(frozen=True, slots=True)
class Files:
    """The files of one format: one, or the volumes."""

    word: str
    files: Sequence[ReportFile]

    @property
    def only(self) -> ReportFile | None:
        """The one file, where there is just one."""
        return self.files[0] if len(self.files) == 1 else None


def by_format(files: Sequence[ReportFile]) -> list[Files]:
    """The files of a report by format, volumes in their order."""
    found = []
    for form, word in FORMATS.items():
        these = sorted((one for one in files if one.format == form), key=lambda one: (one.part or 0, one.name))
        if these:
            found.append(Files(word, these))
    return found
