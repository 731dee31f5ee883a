"""Which files hold tables that MLED reads, told by their names."""

from collections.abc import Iterable
from enum import StrEnum


class Format(StrEnum):
    """A form of table."""

    CSV = "csv"
    TSV = "tsv"
    JSON_LINES = "jsonl"
    PARQUET = "parquet"


_ENDINGS = {
    ".csv": Format.CSV,
    ".tsv": Format.TSV,
    ".jsonl": Format.JSON_LINES,
    ".ndjson": Format.JSON_LINES,
    ".parquet": Format.PARQUET,
    ".pq": Format.PARQUET,
}
_PACKED = ".gz"


def format_of(path: str) -> tuple[Format, bool] | None:
    """The format of a file and whether it is packed by gzip; None for one that is not read. Parquet packs by itself."""
    name = path.rpartition("/")[2].lower()
    is_packed = name.endswith(_PACKED)
    name = name.removesuffix(_PACKED)
    found = next((form for ending, form in _ENDINGS.items() if name.endswith(ending)), None)
    if found is None or (is_packed and found is Format.PARQUET):
        return None
    return found, is_packed


def has_tables(paths: Iterable[str]) -> bool:
    """Whether any of these files holds a table."""
    return any(format_of(path) for path in paths)
