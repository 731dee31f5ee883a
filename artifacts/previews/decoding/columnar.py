"""The first rows of a Parquet file, and what its footer says of all of them."""

from typing import IO, Any, Final

import pyarrow
import pyarrow.parquet

from artifacts.previews.decoding.refusing import CannotDecode

ROWS: Final = 200
COLUMNS: Final = 60
CELL: Final = 200  # characters
FOOTER_MAX: Final = 32 * 1024**2


def decode(source: IO[bytes], options: dict[str, int]) -> tuple[dict[str, Any], bytes]:
    """Columns with their types, rows as texts, how many there are."""
    try:
        return _read(source), b""
    except (pyarrow.ArrowException, OSError, ValueError, KeyError, UnicodeDecodeError) as error:
        if isinstance(error, CannotDecode | MemoryError):
            raise
        raise CannotDecode("This is no Parquet file that can be read: it is damaged, or something else.") from error


def _read(source: IO[bytes]) -> dict[str, Any]:
    file = pyarrow.parquet.ParquetFile(
        source, thrift_string_size_limit=FOOTER_MAX, thrift_container_size_limit=1_000_000, buffer_size=1024**2
    )
    names = file.schema_arrow.names
    groups = list(dict.fromkeys(names[:COLUMNS]))
    batch = next(file.iter_batches(batch_size=ROWS, columns=groups, use_threads=False), None)
    schema = batch.schema if batch is not None else pyarrow.schema(list(file.schema_arrow)[:COLUMNS])
    columns = [[str(value) for value in (field.name, field.type)] for field in schema]
    cells = [[_text(value) for value in column[:ROWS]] for column in batch.columns] if batch is not None else []
    return {
        "columns": [[name[:CELL], kind[:CELL]] for name, kind in columns],
        "rows": [list(row) for row in zip(*cells, strict=True)],
        "total_rows": file.metadata.num_rows,
        "total_columns": len(names),
    }


def _text(value: Any) -> str | None:
    """A cell as text. Long lists are cut before they are spelled out."""
    if not value.is_valid:
        return None
    if pyarrow.types.is_binary(value.type) or pyarrow.types.is_large_binary(value.type):
        return f"{value.as_buffer().size:,} bytes"
    if pyarrow.types.is_list(value.type) or pyarrow.types.is_large_list(value.type):
        held = value.values
        inner = ", ".join(str(_text(one)) for one in held[:12])
        return f"[{inner}{', …' if len(held) > 12 else ''}]"[:CELL]
    text = str(value.as_py())
    return text if len(text) <= CELL else text[: CELL - 1] + "…"
