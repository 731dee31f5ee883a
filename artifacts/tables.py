"""The table in a dataset version: rows and columns, as MLED read them or, for data outside, as the client said."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from artifacts.models import DatasetVersion, VersionProfile


@dataclass(frozen=True, slots=True)
class Histogram:
    """How many values lie in each of several ranges of one width. start: where the first begins."""

    start: float
    width: float
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ColumnProfile:
    """One column. kind: integer, number, text, boolean, time, date, nested, mixed or empty; stored: the file's word.

    table: which of several tables of the version it is in, '' where there is one. distinct counts are estimates above
    a few thousand. min and max are numbers, or texts for times. top: the most frequent values, each with its count.
    """

    name: str
    kind: str
    stored: str = ""
    table: str = ""
    missing: int | None = None
    distinct: int | None = None
    distinct_is_estimate: bool = False
    min: float | int | str | None = None
    max: float | int | str | None = None
    mean: float | None = None
    std: float | None = None
    histogram: Histogram | None = None
    top: tuple[tuple[str, int], ...] = ()
    top_is_estimate: bool = False

    @property
    def is_numeric(self) -> bool:
        """Whether it has a mean."""
        return self.kind in ("integer", "number")


@dataclass(frozen=True, slots=True)
class Table:
    """What is known of a version's table. state: as of its profile, or 'said' where only a client said it, or ''.

    error: why it could not be read; notes: what was cut or left out.
    """

    state: str = ""
    row_count: int | None = None
    columns: Sequence[ColumnProfile] = ()
    notes: Sequence[str] = field(default_factory=tuple)
    error: str = ""

    @property
    def is_known(self) -> bool:
        """Whether there are columns to show."""
        return bool(self.columns)


def table_of(version: DatasetVersion) -> Table:
    """The table of a version that was read with its profile (`computed`)."""
    profile: VersionProfile | None = getattr(version, "computed", None)
    if profile is None:
        return _as_said(version)
    return Table(
        state=profile.state,
        row_count=profile.row_count,
        columns=tuple(column_of(column) for column in profile.columns),
        notes=tuple(profile.notes),
        error=profile.error,
    )


def row_count_of(version: DatasetVersion) -> int | None:
    """The rows of `table_of` without reading its columns: for lists of many versions."""
    profile: VersionProfile | None = getattr(version, "computed", None)
    return _rows_as_said(version) if profile is None else profile.row_count


def column_of(stored: Mapping[str, Any]) -> ColumnProfile:
    """A column as `VersionProfile.columns` keeps it."""
    bars = stored.get("histogram")
    return ColumnProfile(
        name=stored["name"],
        kind=stored["kind"],
        stored=stored.get("stored", ""),
        table=stored.get("table", ""),
        missing=stored.get("missing"),
        distinct=stored.get("distinct"),
        distinct_is_estimate=stored.get("distinct_is_estimate", False),
        min=stored.get("min"),
        max=stored.get("max"),
        mean=stored.get("mean"),
        std=stored.get("std"),
        histogram=Histogram(bars["start"], bars["width"], tuple(bars["counts"])) if bars else None,
        top=tuple((str(value), int(count)) for value, count in stored.get("top", ())),
        top_is_estimate=stored.get("top_is_estimate", False),
    )


# What MLflow calls the types of columns.
_KINDS = {
    "integer": "integer",
    "long": "integer",
    "float": "number",
    "double": "number",
    "boolean": "boolean",
    "string": "text",
    "datetime": "time",
    "object": "nested",
    "array": "nested",
    "map": "nested",
}


def _as_said(version: DatasetVersion) -> Table:
    """Columns and rows out of the schema and profile that MLflow clients send as JSON; empty where they are not."""
    columns = tuple(_column_as_said(one) for one in _listed(_read(version.schema), "mlflow_colspec"))
    row_count = _rows_as_said(version)
    return Table("said" if columns or row_count is not None else "", row_count, columns)


def _rows_as_said(version: DatasetVersion) -> int | None:
    rows = _read(version.profile).get("num_rows")
    return rows if isinstance(rows, int) and not isinstance(rows, bool) and 0 <= rows < 2**63 else None


def _column_as_said(spec: Mapping[str, Any]) -> ColumnProfile:
    stored = str(spec.get("type", ""))[:60]
    return ColumnProfile(str(spec.get("name", ""))[:500], _KINDS.get(stored.lower(), "mixed"), stored)


def _listed(said: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    found = said.get(name)
    return [one for one in found[:5000] if isinstance(one, dict)] if isinstance(found, list) else []


def _read(text: str) -> Mapping[str, Any]:
    try:
        said = json.loads(text) if text else {}
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}
