"""The kinds of files that tables go out as."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from experiments.exporting.fields import Field, Rows
from experiments.exporting.files import as_parquet, as_xlsx
from experiments.exporting.texts import as_csv, as_json, as_json_lines
from kernel.errors import Invalid


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of file."""

    word: str
    media_type: str
    write: Callable[[Sequence[Field], Rows], Iterator[bytes]]


FORMATS: Final = {
    "csv": Format("CSV", "text/csv; charset=utf-8", as_csv),
    "json": Format("JSON", "application/json", as_json),
    "jsonl": Format("JSON Lines", "application/jsonl; charset=utf-8", as_json_lines),
    "xlsx": Format("XLSX", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", as_xlsx),
    "parquet": Format("Parquet", "application/vnd.apache.parquet", as_parquet),
}


def format_of(kind: str) -> Format:
    """A format by its key. Raises Invalid."""
    form = FORMATS.get(kind)
    if form is None:
        raise Invalid(f"There is no export as '{kind[:20]}'.", hint=f"Choose {', '.join(FORMATS)}.", field="format")
    return form
