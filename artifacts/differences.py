"""What differs between two versions of a dataset: files, schema, rows, statistics, and what people wrote."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from artifacts.models import VersionRecord
from artifacts.records import FIELDS
from artifacts.tables import ColumnProfile, Table

SHOWN_AT_MOST = 1000

Content = Mapping[str, tuple[str, int]]
"""Path -> digest and size."""


@dataclass(frozen=True, slots=True)
class FileChange:
    """A file that is not as it was. change: added, removed, changed or renamed; path: the new one, if there is one."""

    change: str
    path: str
    old_path: str = ""
    old_digest: str = ""
    new_digest: str = ""
    old_size: int | None = None
    new_size: int | None = None


@dataclass(frozen=True, slots=True)
class FileDiff:
    """Counts over all files; changes: in order of paths, at most SHOWN_AT_MOST, unlisted says how many are not shown.

    is_known: both versions keep their files in MLED.
    """

    is_known: bool = False
    added: int = 0
    removed: int = 0
    changed: int = 0
    renamed: int = 0
    same: int = 0
    changes: Sequence[FileChange] = ()
    unlisted: int = 0

    @property
    def is_same(self) -> bool:
        """Whether nothing changed."""
        return not (self.added or self.removed or self.changed or self.renamed)


@dataclass(frozen=True, slots=True)
class Statistic:
    """One number or value of a column, before and after; None where it is not known. delta: new - old of numbers."""

    name: str
    old: float | int | str | None
    new: float | int | str | None
    delta: float | None = None

    @property
    def is_same(self) -> bool:
        """Whether it is as it was."""
        return self.old == self.new


@dataclass(frozen=True, slots=True)
class ColumnDiff:
    """A column in both versions, or in one. change: added, removed, retyped, changed (statistics) or same."""

    name: str
    table: str
    change: str
    old: ColumnProfile | None
    new: ColumnProfile | None
    statistics: Sequence[Statistic] = ()


@dataclass(frozen=True, slots=True)
class RecordChange:
    """What people wrote in one field, before and after, in words; '' for nothing."""

    field: str
    label: str
    old: str
    new: str


_STATISTICS = ("missing", "distinct", "min", "max", "mean", "std")


def compare_files(old: Content, new: Content) -> FileDiff:
    """Files by path and digest. One that is gone and has come again elsewhere, unchanged, was renamed."""
    gone, come = {path: old[path] for path in old.keys() - new.keys()}, new.keys() - old.keys()
    renamed, come = _renames(gone, {path: new[path] for path in come})
    both = old.keys() & new.keys()
    changed = [path for path in both if old[path][0] != new[path][0]]
    changes = [
        *renamed,
        *(FileChange("removed", path, path, old_digest=one[0], old_size=one[1]) for path, one in gone.items()),
        *(FileChange("added", path, new_digest=new[path][0], new_size=new[path][1]) for path in come),
        *(
            FileChange("changed", path, path, old[path][0], new[path][0], old[path][1], new[path][1])
            for path in changed
        ),
    ]
    changes.sort(key=lambda change: change.path)
    return FileDiff(
        is_known=True,
        added=len(come),
        removed=len(gone),
        changed=len(changed),
        renamed=len(renamed),
        same=len(both) - len(changed),
        changes=changes[:SHOWN_AT_MOST],
        unlisted=max(0, len(changes) - SHOWN_AT_MOST),
    )


def _renames(gone: dict[str, tuple[str, int]], come: Content) -> tuple[list[FileChange], set[str]]:
    """The renamed files, taken out of those gone, and the paths that are really new."""
    lost: dict[str, list[str]] = defaultdict(list)
    for path in sorted(gone, reverse=True):
        lost[gone[path][0]].append(path)
    renamed, really_new = [], set()
    for path in sorted(come):
        digest, size = come[path]
        if lost[digest]:
            before = lost[digest].pop()
            gone.pop(before)
            renamed.append(FileChange("renamed", path, before, digest, digest, size, size))
        else:
            really_new.add(path)
    return renamed, really_new


def compare_columns(old: Table, new: Table) -> list[ColumnDiff]:
    """Columns by table and name, in the new version's order, those that are gone at the end.

    Empty unless both tables are known. With one table in each, its name does not matter.
    """
    if not (old.is_known and new.is_known):
        return []
    before, after = _by_name(old.columns), _by_name(new.columns)
    order = [*after, *(key for key in before if key not in after)]
    return [_compare_column(key, before.get(key), after.get(key)) for key in order]


def _by_name(columns: Iterable[ColumnProfile]) -> dict[tuple[str, str, int], ColumnProfile]:
    """Columns by table, name, and which of several of that name."""
    found: dict[tuple[str, str, int], ColumnProfile] = {}
    for column in columns:
        turn = 0
        while (column.table, column.name, turn) in found:
            turn += 1
        found[column.table, column.name, turn] = column
    return found


def _compare_column(key: tuple[str, str, int], old: ColumnProfile | None, new: ColumnProfile | None) -> ColumnDiff:
    table, name, _ = key
    if old is None or new is None:
        return ColumnDiff(name, table, "removed" if new is None else "added", old, new)
    statistics = [_statistic(one, getattr(old, one), getattr(new, one)) for one in _STATISTICS]
    statistics = [one for one in statistics if one.old is not None or one.new is not None]
    known = "same" if all(one.is_same for one in statistics) else "changed"
    return ColumnDiff(name, table, known if old.kind == new.kind else "retyped", old, new, statistics)


def _statistic(name: str, old: Any, new: Any) -> Statistic:
    numbers = isinstance(old, int | float) and isinstance(new, int | float)
    return Statistic(name, old, new, new - old if numbers else None)


def compare_records(old: VersionRecord | None, new: VersionRecord | None) -> list[RecordChange]:
    """The fields of the records that differ."""
    pairs = ((one, getattr(old, one.name, ""), getattr(new, one.name, "")) for one in FIELDS.values())
    return [RecordChange(f.name, f.label, f.shown(a), f.shown(b)) for f, a, b in pairs if a != b]
