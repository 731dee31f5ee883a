"""Marks on model versions, such as recalled data. Rooms above add theirs (a verdict) when they start."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from kernel.actor import Actor
from registry.models import ModelVersion
from registry.queries.model_lines import recalls_behind


@dataclass(frozen=True, slots=True)
class Mark:
    """One badge. kind: its colour, such as 'fail'; icon and word always both."""

    kind: str
    icon: str
    word: str


Marking = Callable[[Actor, Sequence[ModelVersion]], Mapping[int, Sequence[Mark]]]
RECALLED = Mark("fail", "bad", "Recalled data")


def recalled_marks(viewer: Actor, versions: Sequence[ModelVersion]) -> dict[int, list[Mark]]:
    """Versions behind whose run lies data that was recalled."""
    recalled = recalls_behind(viewer, [version.run for version in versions if version.run])
    return {version.pk: [RECALLED] for version in versions if recalled.get(version.run_id or 0)}


# Asked in order, each for all versions of a page at once; what comes back is by the version's key.
version_marks: list[Marking] = [recalled_marks]


def marks_of(viewer: Actor, versions: Sequence[ModelVersion]) -> dict[int, list[Mark]]:
    """The marks of each version, by its key."""
    marks: dict[int, list[Mark]] = {version.pk: [] for version in versions}
    for marking in version_marks:
        for key, found in marking(viewer, versions).items():
            marks[key] += found
    return marks


@dataclass(frozen=True, slots=True)
class VersionLink:
    """A button in the head of a model version that leads to a page above."""

    label: str
    icon: str
    url: str


# Asked in order for each version; None: nothing for this viewer.
version_links: list[Callable[[Actor, ModelVersion], VersionLink | None]] = []


def links_of(viewer: Actor, version: ModelVersion) -> list[VersionLink]:
    """Where the rooms above lead from a version."""
    return [link for make in version_links if (link := make(viewer, version)) is not None]
