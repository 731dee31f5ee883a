"""The file that the points of an ended run lie in: Parquet that any tool reads, floats to the bit.

Columns run, key, context (texts, as dictionaries), step, timestamp (int64, ms UTC) and value (float64), in the order of
key, context, timestamp, step, value; no point stands in it twice. A row group has whole series up to 65,536 points, or
so many of one long series: one series is read without the others, and a part of it without the rest. Steps and times
are packed as differences; values as bytes by their place, or as they are where they repeat themselves; all of it zstd,
each page with a checksum. docs/archive.md tells strangers the same.
"""

import json
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate, groupby
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from experiments.metrics.batch import Points

LAYOUT: Final = 1
GROUP: Final = 65_536  # points of a row group: read at once where one of them is wanted
_LEVEL: Final = 3  # of zstd: 9 takes twice the time for 1 % less
_TRIED: Final = 8_192  # values of a series
_PACKED: Final = {"step": "DELTA_BINARY_PACKED", "timestamp": "DELTA_BINARY_PACKED"}
_COLUMNS: Final = ("step", "timestamp", "value")


Values = NDArray[np.float64]
Numbers = NDArray[Any]


class Span(NamedTuple):
    """Rows of a file: `size` of them from `row` on."""

    row: int
    size: int


class Unreadable(Exception):
    """The file is not what was written."""


class ArchiveWriter:
    """Writes the file of one run: series in the order of their keys and contexts, each in the order of its points."""

    def __init__(self, path: Path, run: str, sample: Sequence[Values]) -> None:
        """sample: values of several series, by which it is decided how all of them are packed."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        names, whole = pa.dictionary(pa.int32(), pa.string()), pa.int64()
        texts = [("run", names), ("key", names), ("context", names)]
        self._schema = pa.schema([*texts, ("step", whole), ("timestamp", whole), ("value", pa.float64())])
        self._writer = pq.ParquetWriter(
            path,
            self._schema,
            compression="zstd",
            compression_level=_LEVEL,
            use_dictionary=["run", "key", "context"],
            column_encoding={**_PACKED, "value": _packing(sample)},
            write_statistics=["run", "key", "context", "step", "timestamp"],
            write_page_checksum=True,
            store_schema=False,
        )
        self._run = run
        self._waiting: list[tuple[str, str, Points]] = []
        self._in_waiting = 0
        self.rows = self.series = 0

    def add(self, key: str, context: str, points: Points) -> list[tuple[Span, Points]]:
        """One series, cut where row groups end: where each piece lies."""
        self.series += 1
        pieces = []
        for start in range(0, len(points), GROUP):
            piece = points.take(slice(start, start + GROUP))
            if self._in_waiting + len(piece) > GROUP:
                self._flush()
            pieces.append((Span(self.rows, len(piece)), piece))
            self._waiting.append((key, context, piece))
            self._in_waiting += len(piece)
            self.rows += len(piece)
        return pieces

    def close(self) -> None:
        """Write what waits, and the footer."""
        self._flush()
        told = {"layout": LAYOUT, "run": self._run, "series": self.series, "points": self.rows}
        self._writer.add_key_value_metadata({"mled.metrics": json.dumps(told)})
        self._writer.close()

    def _flush(self) -> None:
        import pyarrow as pa

        if not self._waiting:
            return
        counts = [len(piece) for _, _, piece in self._waiting]
        texts = [
            _repeated([self._run] * len(counts), counts),
            _repeated([key for key, _, _ in self._waiting], counts),
            _repeated([context for _, context, _ in self._waiting], counts),
        ]
        columns = [
            _arrow(np.concatenate([getattr(piece, name) for _, _, piece in self._waiting]))
            for name in ("steps", "times", "values")
        ]
        table = pa.Table.from_arrays([*texts, *columns], schema=self._schema)
        self._writer.write_table(table, row_group_size=GROUP)
        self._waiting, self._in_waiting = [], 0


def _packing(sample: Sequence[Values]) -> str:
    """How these values take less room: noise by bytes of the same place, values that come again and again plainly."""
    import pyarrow as pa

    plain = np.concatenate([values[:_TRIED] for values in sample]).astype("<f8", copy=False).tobytes()
    split = np.frombuffer(plain, np.uint8).reshape(-1, 8).T.tobytes()
    plainly, by_place = (len(pa.compress(raw, codec="zstd", asbytes=True)) for raw in (plain, split))
    return "BYTE_STREAM_SPLIT" if by_place <= plainly else "PLAIN"


def _repeated(words: Sequence[str], counts: Sequence[int]) -> Any:
    """A dictionary column in which each word stands so many times."""
    import pyarrow as pa

    known: dict[str, int] = {}
    places = np.array([known.setdefault(word, len(known)) for word in words], np.int32)
    return pa.DictionaryArray.from_arrays(_arrow(np.repeat(places, counts)), pa.array(list(known), pa.string()))


def read(file: BinaryIO, spans: Sequence[Span]) -> list[Points]:
    """The points of these rows, each span by itself; only the row groups that they lie in are read.

    Raises Unreadable where the bytes are damaged.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    found: dict[int, Points] = {}
    try:
        opened = pq.ParquetFile(file, page_checksum_verification=True, pre_buffer=False)
        starts = [0, *accumulate(opened.metadata.row_group(n).num_rows for n in range(opened.num_row_groups))]
        for group, places in _by_group(starts, spans):
            table = opened.read_row_group(group, columns=list(_COLUMNS), use_threads=False)
            columns = [_plain(table, name) for name in _COLUMNS]
            for place in places:
                start = spans[place].row - starts[group]
                inside = slice(start, start + spans[place].size)
                found[place] = Points(*(_own(column, inside) for column in columns))
    except (pa.ArrowException, OSError, ValueError) as error:
        raise Unreadable(str(error)[:200]) from error
    return [found[place] for place in range(len(spans))]


def _by_group(starts: Sequence[int], spans: Sequence[Span]) -> Iterator[tuple[int, list[int]]]:
    """Row groups with the places in `spans` of those that lie in each. Raises Unreadable for rows that none has."""

    def group_of(place: int) -> int:
        group = bisect_right(starts, spans[place].row) - 1
        if group + 1 >= len(starts) or spans[place].row + spans[place].size > starts[group + 1]:
            raise Unreadable("It has no such rows.")
        return group

    ordered = sorted(range(len(spans)), key=lambda place: spans[place].row)
    for group, places in groupby(ordered, key=group_of):
        yield group, list(places)


def _arrow(column: Numbers) -> Any:
    """A column of numbers for Arrow, without a copy. Arrow's own way imports pandas where it is installed: 28 MB."""
    import pyarrow as pa

    return pa.Array.from_buffers(pa.from_numpy_dtype(column.dtype), len(column), [None, pa.py_buffer(column)])


def _plain(table: Any, name: str) -> Numbers:
    """A column of Arrow's as NumPy has it, without a copy where it is in one piece."""
    kind = "<f8" if name == "value" else "<i8"
    chunks = table.column(name).chunks
    if any(chunk.null_count for chunk in chunks):
        raise Unreadable("It has empty cells.")
    plain = [np.frombuffer(chunk.buffers()[1], kind)[chunk.offset : chunk.offset + len(chunk)] for chunk in chunks]
    return plain[0] if len(plain) == 1 else np.concatenate(plain)


def _own(column: Numbers, inside: slice) -> Numbers:
    """A part of a column; one that is small against it does not keep all of it in memory."""
    part = column[inside]
    return part if 2 * len(part) > len(column) else part.copy()
