"""One import under way: who, into what, from where; what was brought, and what could not be."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from accounts.models import Project
from experiments.models import Experiment, Run
from kernel.actor import Actor
from kernel.errors import MledError, TooMany, Unavailable
from registry.models import LoggedModel
from transfer.actions.mlflow import Bringing, moved_key
from transfer.actions.transfers import PROBLEMS_MAX, NotOurs
from transfer.mlflow.records import Source, SourceBroken
from transfer.models import Moved
from transfer.work import Progress, Stopped

T = TypeVar("T")
_TRIES: Final = 6
KINDS: Final = (
    "experiments", "runs", "points", "logged_models", "files", "registered_models", "model_versions", "aliases",
)  # fmt: skip
RUN, MODEL, EXPERIMENT, REGISTERED, VERSION, FILE = "run", "model", "experiment", "registered", "version", "file"


class Tally:
    """What came of it. The same words about the same place are one problem."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._problems: dict[tuple[str, str], int] = {}

    def tell(self, where: str, message: str) -> None:
        """Something could not be brought along, or not as it was."""
        told = _plain(where[:200]), _plain(message[:1000])
        if told in self._problems or len(self._problems) < PROBLEMS_MAX:
            self._problems[told] = self._problems.get(told, 0) + 1
        self.counts["problems"] += 1

    def shaped(self) -> dict[str, Any]:
        """The counts as a transfer keeps them: by kind how many are there, new here, here already, and refused."""
        told: dict[str, Any] = {}
        for kind in KINDS:
            held, new, there = (self.counts.pop(f"{kind}{end}", 0) for end in ("_held", "", "_there"))
            held = max(held, new + there)
            if held:
                told[kind] = {"held": held, "new": new, "there": there, "refused": held - new - there}
        return told | dict(sorted(self.counts.items()))

    def problems(self) -> list[dict[str, Any]]:
        """The first of them, as a transfer keeps them."""
        return [
            {"where": where, "message": message} | ({"times": times} if times > 1 else {})
            for (where, message), times in self._problems.items()
        ]


def _plain(text: str) -> str:
    """A text that every database keeps."""
    return text.replace("\x00", "?").encode("utf-8", "replace").decode()


@dataclass(slots=True)
class UnderWay:
    """One import. wanted: names or ids of experiments, none for all of them."""

    actor: Actor
    project: Project
    source: Source
    bringing: Bringing
    progress: Progress
    wanted: frozenset[str] = frozenset()
    with_files: bool = True
    tally: Tally = field(default_factory=Tally)
    experiments: dict[str, Experiment] = field(default_factory=dict)

    def moved(self, kind: str, source_id: str) -> Moved | None:
        """What a thing of the source is here, where it was brought before."""
        found: Moved | None = Moved.objects.filter(
            project=self.project, origin=self.bringing.origin, kind=kind, source_id=moved_key(source_id)
        ).first()
        return found

    def run(self, source_id: str) -> Run | None:
        """The run here of one there."""
        moved = self.moved(RUN, source_id) if source_id else None
        rows = Run.objects.select_related("project", "experiment", "artifact_root").filter(project=self.project)
        return None if moved is None else rows.filter(uid=moved.target).first()

    def model(self, source_id: str) -> LoggedModel | None:
        """The logged model here of one there."""
        moved = self.moved(MODEL, source_id) if source_id else None
        rows = LoggedModel.objects.select_related("project", "experiment", "source_run", "artifact_root")
        rows = rows.filter(project=self.project, is_deleted=False)
        return None if moved is None else rows.filter(model_id=moved.target).first()

    def told(self, where: str, work: Callable[[], T]) -> T | None:
        """Do one thing; what is wrong with it is told and stops nothing else.

        What is wrong with the source as a whole, with the database or with the lease is raised.
        """
        try:
            return patiently(work)
        except (Stopped, NotOurs, Unavailable, TooMany):
            raise
        except MledError as error:
            self.tally.tell(where, str(error))
            return None


def patiently(work: Callable[[], T]) -> T:
    """Do something again where another writer was in the way."""
    for attempt in range(_TRIES):
        try:
            return work()
        except SourceBroken:
            raise
        except Unavailable as error:
            if attempt == _TRIES - 1 or error.status == 507:
                raise
            time.sleep(0.05 * 2**attempt)
    raise AssertionError("unreachable")
