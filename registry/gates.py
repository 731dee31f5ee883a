"""The checklist of a promotion: gates, each of which looks at the version and says pass, warn or fail, and why.

Upper rooms add their own in `AppConfig.ready()`:

    register_gate(Gate("rules", "Rules of the profile", check_rules))      # check_rules(case: Case) -> Verdict

A gate that fails stands in the way of approval, unless it was registered with blocks=False.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any
from uuid import UUID

from accounts.access import require
from experiments.models import Run
from kernel.actor import Actor
from registry.models import ModelVersion, PromotionRequest
from registry.promoting.makers import makers_of, source_runs
from registry.sources import PROMPT_SOURCES


class Outcome(StrEnum):
    """What a gate found."""

    PASS = "pass"  # noqa: S105 - not a password
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a gate says: the outcome, a sentence, and the path of the page that shows more."""

    outcome: Outcome
    words: str
    url: str = ""


@dataclass(frozen=True)
class Case:
    """What a gate looks at: this version, for this alias or stage, asked for by this person."""

    viewer: Actor
    version: ModelVersion
    target: str
    asker_id: UUID | None

    @cached_property
    def runs(self) -> list[Run]:
        """The runs behind the version."""
        return source_runs(self.version)

    @cached_property
    def makers(self) -> dict[UUID, str]:
        """Who had a hand in it."""
        return makers_of(self.version)

    @property
    def is_prompt(self) -> bool:
        """Whether the version is a prompt: a text, without files, data or run."""
        return self.version.source in PROMPT_SOURCES


@dataclass(frozen=True, slots=True)
class Gate:
    """One point of the checklist. key: never changes; title: as people read it; blocks: whether failing does."""

    key: str
    title: str
    check: Callable[[Case], Verdict]
    blocks: bool = True


@dataclass(frozen=True, slots=True)
class GateResult:
    """What one gate said. blocks: whether it stands in the way now."""

    key: str
    title: str
    outcome: str
    words: str
    blocks: bool
    url: str = ""


_gates: dict[str, Gate] = {}


def register_gate(gate: Gate) -> None:
    """Add a gate at the end of the checklist; one with the same key is replaced."""
    _gates[gate.key] = gate


def gates() -> list[Gate]:
    """All gates in the order of the checklist."""
    return list(_gates.values())


def checklist(viewer: Actor, version: ModelVersion, target: str) -> list[GateResult]:
    """Every gate's answer, as things stand now. Raises NotFound, Refused."""
    require(viewer, "experiments.see", version)
    opened = PromotionRequest.objects.filter(version=version, target=target, state=PromotionRequest.State.ASKED).first()
    case = Case(viewer, version, target, opened.created_by_id if opened else viewer.user_id)
    return [_result(gate, gate.check(case)) for gate in gates()]


def _result(gate: Gate, verdict: Verdict) -> GateResult:
    stands_in_the_way = gate.blocks and verdict.outcome is Outcome.FAIL
    return GateResult(gate.key, gate.title, verdict.outcome.value, verdict.words, stands_in_the_way, verdict.url)


def blocking(results: list[GateResult]) -> list[GateResult]:
    """Those that stand in the way."""
    return [result for result in results if result.blocks]


def as_json(results: list[GateResult]) -> list[dict[str, Any]]:
    """The answers as they are stored with a request."""
    return [asdict(result) for result in results]


def from_json(stored: list[dict[str, Any]]) -> list[GateResult]:
    """The answers as they stood when they were stored."""
    return [GateResult(**result) for result in stored]
