"""Parquet: columns with types, read in batches that fit into memory."""

from collections.abc import Iterator
from typing import BinaryIO

import pyarrow as pa
from pyarrow import parquet

from artifacts.profiling.limits import Limits
from artifacts.profiling.words import Unreadable, cut

_BATCH_BYTES = 16 * 1024**2
_BATCH_ROWS = 65_536


def opened(stream: BinaryIO) -> parquet.ParquetFile:
    """The file with its schema and row count read. Raises Unreadable."""
    try:
        return parquet.ParquetFile(stream, pre_buffer=False, memory_map=False)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise Unreadable(f"it is no Parquet file, or a damaged one: {cut(str(error))}") from None


def batches(file: parquet.ParquetFile, limits: Limits) -> Iterator[pa.RecordBatch]:
    """The rows, at most as many columns as are read. Raises Unreadable."""
    try:
        names = file.schema_arrow.names
        chosen = names[: limits.columns] if len(names) > limits.columns else None
        yield from file.iter_batches(batch_size=_rows_at_once(file), columns=chosen, use_threads=False)
    except (pa.ArrowException, OSError, ValueError) as error:
        if isinstance(error, MemoryError):
            raise
        raise Unreadable(f"it is damaged: {cut(str(error))}") from None


def _rows_at_once(file: parquet.ParquetFile) -> int:
    meta = file.metadata
    size = sum(meta.row_group(place).total_byte_size for place in range(min(meta.num_row_groups, 50)))
    rows = sum(meta.row_group(place).num_rows for place in range(min(meta.num_row_groups, 50)))
    return max(1, min(_BATCH_ROWS, _BATCH_BYTES * rows // max(size, 1)))
