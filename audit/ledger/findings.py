"""What a verification has checked and found."""

from dataclasses import asdict, dataclass, field
from typing import Any

from audit.ledger.evidence import Problem


@dataclass(slots=True)
class Findings:
    """Counts of what was checked, and the first problems in the order in which they were met."""

    limit: int = 20
    events: int = 0
    waiting: int = 0
    checkpoints: int = 0
    anchors: int = 0
    rows: int = 0
    root: str = ""
    checks: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    problem_count: int = 0

    def report(self, problem: Problem) -> None:
        """Count a problem, and keep it if it is among the first."""
        self.problem_count += 1
        if len(self.problems) < self.limit:
            self.problems.append(problem)

    def remark(self, text: str) -> None:
        """Note what a reader has to know, but what is no problem."""
        self.remarks.append(text)

    @property
    def is_sound(self) -> bool:
        """True if everything is as the log says."""
        return self.problem_count == 0

    def as_json(self) -> dict[str, Any]:
        """All of it as plain JSON values."""
        return {"sound": self.is_sound, **asdict(self)}
