"""Two versions of a dataset side by side."""

from collections.abc import Sequence
from dataclasses import dataclass

from accounts.access import require
from artifacts.differences import (
    ColumnDiff,
    Content,
    FileDiff,
    RecordChange,
    compare_columns,
    compare_files,
    compare_records,
)
from artifacts.models import DatasetVersion
from artifacts.queries.files import files_of
from artifacts.tables import Table, table_of
from artifacts.versions import record_of
from kernel.actor import Actor


@dataclass(frozen=True, slots=True)
class Diff:
    """What differs between two versions. notes: why some of it cannot be told."""

    old: DatasetVersion
    new: DatasetVersion
    files: FileDiff
    old_table: Table
    new_table: Table
    columns: Sequence[ColumnDiff]
    record: Sequence[RecordChange]
    notes: Sequence[str]

    @property
    def is_same_content(self) -> bool:
        """Whether both are the same data."""
        return self.old.digest == self.new.digest

    @property
    def rows_added(self) -> int | None:
        """How many rows more the new one has (fewer: negative); None where one of them is not known."""
        old, new = self.old_table.row_count, self.new_table.row_count
        return None if old is None or new is None else new - old

    @property
    def schema_changes(self) -> list[ColumnDiff]:
        """Columns that were added, removed or are of another kind now."""
        return [column for column in self.columns if column.change in ("added", "removed", "retyped")]


def diff_of(viewer: Actor, old: DatasetVersion, new: DatasetVersion) -> Diff:
    """What differs between two versions that were read by `get_version`; two queries. Raises NotFound.

    Files are told only to who may download them.
    """
    for version in (old, new):
        require(viewer, "experiments.see", version)
    before, after = table_of(old), table_of(new)
    files = compare_files(_content(viewer, old), _content(viewer, new)) if old.root and new.root else FileDiff()
    return Diff(
        old=old,
        new=new,
        files=files,
        old_table=before,
        new_table=after,
        columns=compare_columns(before, after),
        record=compare_records(record_of(old), record_of(new)),
        notes=[note for version, table in ((old, before), (new, after)) for note in _notes(version, table)],
    )


def _content(viewer: Actor, version: DatasetVersion) -> Content:
    rows = files_of(viewer, version.root).values_list("path", "blob_id", "size_bytes")
    return {path: (digest, size) for path, digest, size in rows}


def _notes(version: DatasetVersion, table: Table) -> list[str]:
    which = f"Version {version.number}"
    if version.root is None:
        return [f"{which} lies outside MLED: its files cannot be compared."]
    if table.state in ("waiting", "running"):
        return [f"{which} is still being read: its columns follow in a moment."]
    if table.state == "failed":
        return [f"{which} could not be read: {table.error}"]
    return [f"{which}: {note}" for note in table.notes]
