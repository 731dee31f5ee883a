"""What a report says, as plain facts: gathered once, then written as PDF, CSV and JSON and taken into its digest.

Everything is as it was at the place in the log that the report speaks of. A text that is '' and a list that is empty
were not recorded; every page and file shows that as a gap, and nothing is invented. Times are ISO 8601 in UTC.
"""

import msgspec


class Fact(msgspec.Struct, frozen=True):
    """One line: what, and its value ('' for not recorded)."""

    label: str
    value: str = ""


class Head(msgspec.Struct, frozen=True):
    """What stands on the first page. counts: such as ("Runs", "96"), ("Compliant", "81"); notes: what to know."""

    kind: str
    kind_words: str
    title: str
    project: str
    project_slug: str
    about: list[Fact]
    question: list[Fact]
    requested_by: str
    requested_roles: str
    requested_at: str
    reason: str
    as_of: str
    log_size: int
    log_root: str
    key_id: str
    origin: str
    anchored: str
    profile: str
    profile_digest: str
    software: str
    counts: list[Fact]
    notes: list[str]
    volumes: int = 1


class DatasetFact(msgspec.Struct, frozen=True):
    """A dataset version that went into a run. recalled: why and when it was withdrawn, '' for not."""

    name: str
    version: int
    digest: str
    context: str
    source: str
    licence: str
    personal_data: str
    rows: str
    recalled: str = ""


class MetricFact(msgspec.Struct, frozen=True):
    """A metric's figures, as text in full precision; NaN and Infinity as such words."""

    key: str
    last: str
    step: int | None
    least: str
    greatest: str
    points: int
    better: str


class Curve(msgspec.Struct, frozen=True):
    """A metric over steps, thinned to what a page can show. gaps: how many points were no numbers."""

    key: str
    steps: list[float]
    values: list[float]
    points: int
    gaps: int = 0


class FileFact(msgspec.Struct, frozen=True):
    """A file with its digest."""

    path: str
    size_bytes: int
    sha256: str


class RuleFact(msgspec.Struct, frozen=True):
    """What one rule of the profile said. proof: path of the page that shows the evidence."""

    rule: str
    title: str
    clauses: str
    severity: str
    outcome: str
    outcome_words: str
    words: str
    fix: str = ""
    proof: str = ""
    by: str = ""
    until: str = ""


class SignatureFact(msgspec.Struct, frozen=True):
    """A signature as 21 CFR 11.50 wants it printed. seq: its place in the log; holds: whether it still matches."""

    printed_name: str
    roles: str
    meaning: str
    signed_at: str
    comment: str
    digest: str
    proven_by: str
    seq: int | None
    holds: str


class VerdictFact(msgspec.Struct, frozen=True):
    """A round of review and what came of it."""

    number: int
    state: str
    submitted_by: str
    submitted_at: str
    decided_by: str
    decided_at: str
    reason: str
    signature: SignatureFact | None = None


class FindingFact(msgspec.Struct, frozen=True):
    """A finding with its end."""

    text: str
    kind: str
    rule: str
    state: str
    owner: str
    due: str
    opened_by: str
    opened_at: str
    closure: str
    closed_by: str
    closed_at: str


class EventFact(msgspec.Struct, frozen=True):
    """An event of the log. change: what was old and what is new, in words; seq: its place."""

    seq: int
    at: str
    actor: str
    roles: str
    door: str
    verb: str
    subject: str
    change: str
    reason: str
    outcome: str


class ChainFact(msgspec.Struct, frozen=True):
    """Where the events of a record stand in the log. wrong: what does not verify, '' for all being sound."""

    events: int
    first: int | None
    last: int | None
    wrong: str


class RunSection(msgspec.Struct, frozen=True, tag="run"):
    """Everything about one run. gaps: what a reader would look for and does not find; changed: since the as-of."""

    id: str
    uid: str
    name: str
    url: str
    about: list[Fact]
    state: str
    datasets: list[DatasetFact]
    params: list[Fact]
    metrics: list[MetricFact]
    curves: list[Curve]
    files: list[FileFact]
    environment: list[Fact]
    code: list[Fact]
    tags: list[Fact]
    rules: list[RuleFact]
    assessed: str
    verdicts: list[VerdictFact]
    findings: list[FindingFact]
    reproductions: list[Fact]
    events: list[EventFact]
    chain: ChainFact
    gaps: list[str]
    changed: str = ""


class CardSection(msgspec.Struct, frozen=True, tag="card"):
    """The card of a model version: what people wrote, and what the record fills in."""

    id: str
    name: str
    url: str
    written: list[Fact]
    recorded: list[tuple[str, list[Fact]]]
    signatures: list[SignatureFact]
    gaps: list[str]
    chain: ChainFact


class TrailSection(msgspec.Struct, frozen=True, tag="trail"):
    """At most some hundred events in their order."""

    id: str
    name: str
    events: list[EventFact]


class AccessSection(msgspec.Struct, frozen=True, tag="access"):
    """One person, and what they may do in the project and why."""

    id: str
    name: str
    about: list[Fact]
    rights: list[Fact]
    why: list[str]
    notes: list[str]


Section = RunSection | CardSection | TrailSection | AccessSection
