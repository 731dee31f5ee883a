"""What upper rooms add to this one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from accounts.scoping import ProjectScoped
from kernel.actor import Actor

if TYPE_CHECKING:
    from artifacts.models import ArtifactRoot, DatasetVersion

# By kind of root: the run or model with that id, for rights that rest on it (a grant on its experiment).
owners: dict[str, Callable[[str], ProjectScoped | None]] = {}

# In the act that changes files below a root, with the path ('' for all): a room above raises where they must stay.
file_changes: list[Callable[[ArtifactRoot, str], None]] = []

# When such a check has nothing against a new file, as a condition in SQL: {root} stands for the root's key.
nothing_against: dict[Callable[[ArtifactRoot, str], None], str] = {}

# As file_changes, where something that is there goes, taken away or overwritten.
file_losses: list[Callable[[ArtifactRoot, str], None]] = []

# What rooms above name content by beside files, by its digest: 'run 1f2e…: archived points'.
content_places: list[Callable[[str], Sequence[str]]] = []

# After the commit that made a version with files to read, with its id: its profile is queued.
version_added: list[Callable[[UUID], None]] = []

# In the act that recalled a version (True) or reinstated it (False): rooms above tell those who built on it.
version_recalled: list[Callable[[Actor, DatasetVersion, bool], None]] = []


@dataclass(frozen=True, slots=True)
class Use:
    """One thing that was built on a version: its name and page, in which role, whose it is, and when it was made."""

    label: str
    url: str
    context: str
    who: str
    at: dt.datetime
    words: str = ""


@dataclass(frozen=True, slots=True)
class Uses:
    """The newest of one kind of uses, and how many there are. all_url: a page with all of them, '' for none."""

    kind: str
    title: str
    newest: Sequence[Use]
    total: int
    all_url: str = ""


# What rooms above know was built on a version, for this viewer; at most so many in `newest`.
version_uses: list[Callable[[Actor, DatasetVersion, int], Uses]] = []

# How many of each kind were built on versions, for lists: kind -> version id -> number.
version_use_counts: dict[str, Callable[[Actor, Sequence[UUID]], Mapping[UUID, int]]] = {}
