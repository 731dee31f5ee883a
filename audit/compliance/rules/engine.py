"""Rules: small functions over the record of a run, each of which says pass, fail, not recorded or not applicable.

    @rule("D1", "Every input dataset is bound by its digest", "AIA 10(2)(b)", "42001 A.7.5")
    def data_is_bound(record: Record) -> Result: ...

A rule reads only the record, changes nothing, and raises nothing that it can say in words. Which rules a project is
asked, and how severely, stands in its profile.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from audit.compliance.rules.record import Record


class Outcome(StrEnum):
    """What came out. WAIVED is never said by a rule: it stands for a failure that people let pass for a while."""

    PASS = "pass"  # noqa: S105 - not a password
    FAIL = "fail"
    MISSING = "missing"
    NOT_APPLICABLE = "na"
    WAIVED = "waived"

    @property
    def label(self) -> str:
        """As people read it."""
        return _LABELS[self]

    @property
    def is_met(self) -> bool:
        """Whether it stands in nobody's way."""
        return self in (Outcome.PASS, Outcome.NOT_APPLICABLE, Outcome.WAIVED)


_LABELS = {
    Outcome.PASS: "Pass",
    Outcome.FAIL: "Fail",
    Outcome.MISSING: "Not recorded",
    Outcome.NOT_APPLICABLE: "Not applicable",
    Outcome.WAIVED: "Waived",
}


class Severity(StrEnum):
    """What an unmet rule means in a profile."""

    BLOCKS = "B"
    MUST = "M"
    INFORMS = "I"

    @property
    def label(self) -> str:
        """As people read it."""
        return {"B": "Blocks approval", "M": "Fix or waive", "I": "Information"}[self.value]


@dataclass(frozen=True, slots=True)
class Result:
    """What one rule says of one run.

    words: what was found, as a sentence; fix: what to do about it; code: the line that would have recorded it; proof:
    path of the page that shows the evidence.
    """

    outcome: Outcome
    words: str
    fix: str = ""
    code: str = ""
    proof: str = ""


def passed(words: str, *, proof: str = "") -> Result:
    """The rule is met."""
    return Result(Outcome.PASS, words, proof=proof)


def failed(words: str, *, fix: str = "", code: str = "", proof: str = "") -> Result:
    """What is recorded breaks the rule."""
    return Result(Outcome.FAIL, words, fix, code, proof)


def missing(words: str, *, fix: str = "", code: str = "", proof: str = "") -> Result:
    """What the rule asks for is not recorded."""
    return Result(Outcome.MISSING, words, fix, code, proof)


def not_applicable(words: str) -> Result:
    """The rule does not apply to this run, by what is recorded."""
    return Result(Outcome.NOT_APPLICABLE, words)


Check = Callable[["Record"], Result]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. key: as in the profiles, never changed; clauses: where laws and standards ask for it."""

    key: str
    title: str
    clauses: tuple[str, ...]
    check: Check

    @property
    def group(self) -> str:
        """The first letter of the key, which names its group."""
        return self.key[0]


RULES: dict[str, Rule] = {}
GROUPS = {
    "P": "Purpose",
    "D": "Data",
    "V": "Reproducibility",
    "E": "Evaluation",
    "R": "Responsibility",
    "S": "Signatures",
    "A": "Artifacts",
    "H": "History",
    "C": "Completeness",
    "T": "Retention",
    "X": "Export",
    "own": "Of this project",
}


def rule(key: str, title: str, *clauses: str) -> Callable[[Check], Check]:
    """Put a rule into the register."""

    def declare(check: Check) -> Check:
        if key in RULES:
            raise ValueError(f"There are two rules {key}.")
        RULES[key] = Rule(key, title, clauses, check)
        return check

    return declare


@dataclass(frozen=True, slots=True)
class Judged:
    """A rule's result in a profile, as it is kept with an assessment. by: who waived it or said it does not apply."""

    rule: str
    severity: str
    outcome: str
    words: str
    fix: str = ""
    code: str = ""
    proof: str = ""
    by: str = ""
    until: str = ""

    @property
    def is_met(self) -> bool:
        return Outcome(self.outcome).is_met

    @property
    def blocks(self) -> bool:
        """Whether it stands in the way of approval."""
        return not self.is_met and self.severity == Severity.BLOCKS

    def as_json(self) -> dict[str, Any]:
        """For the assessment's row: without what is empty."""
        return {name: value for name, value in asdict(self).items() if value != ""}
