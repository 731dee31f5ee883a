"""Points in Parquet: written and read in pieces, floats to the bit."""

import hashlib
import math
import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from experiments.metrics.batch import Points
from kernel.errors import Invalid
from transfer.archive.layout import METRICS, MODEL_METRICS, ROWS_MAX

GROUP = 1_000_000  # rows of a row group
_BATCH = 65_536
_PIECE = 1024 * 1024  # bytes of a column that are read at once
FOOTER_MAX = 64 * 1024**2
GROUP_MAX = 1024**3  # bytes of a row group, unpacked: a million rows of the longest names
WORD_MAX = 2000  # characters of a text


@dataclass(frozen=True, slots=True)
class Piece:
    """Some points of one series of a run, in their order."""

    run: str
    key: str
    context: str
    points: Points


@dataclass(frozen=True, slots=True)
class ModelPoint:
    """A point that a run logged for a model."""

    run: str
    model: str
    key: str
    step: int
    at_ms: int
    value: float
    dataset_name: str
    dataset_digest: str

    def line(self) -> bytes:
        """As its digest is taken: the value by its bits, every NaN alike."""
        value = math.nan if math.isnan(self.value) else self.value
        bits = struct.pack("<d", value).hex()
        told = (self.run, self.key, str(self.step), str(self.at_ms), bits, self.dataset_name, self.dataset_digest)
        return "\x1f".join(told).encode()


def series_digest(points: Points) -> str:
    """SHA-256 over the steps, the times and the values of a series, little-endian, as the seal of a run takes it."""
    digest = hashlib.sha256(points.steps.astype("<i8", copy=False).tobytes())
    digest.update(points.times.astype("<i8", copy=False).tobytes())
    digest.update(points.values.astype("<f8", copy=False).tobytes())
    return digest.hexdigest()


def joined(parts: Iterable[Points]) -> Points:
    """Pieces of one series, one after the other."""
    found = list(parts)
    columns = (np.concatenate([getattr(one, name) for one in found]) for name in ("steps", "times", "values"))
    return found[0] if len(found) == 1 else Points(*columns)


class PointsWriter:
    """Writes metrics.parquet: pieces in the order of runs, keys and contexts."""

    def __init__(self, path: Path) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        names = pa.dictionary(pa.int32(), pa.string())
        whole, number = pa.int64(), pa.float64()
        named = [("run", names), ("key", names), ("context", names)]
        self._schema = pa.schema([*named, ("step", whole), ("timestamp", whole), ("value", number)])
        self._writer = pq.ParquetWriter(path, self._schema, compression="zstd", store_schema=False)
        self.rows = 0

    def write(self, pieces: Sequence[Piece]) -> None:
        """Some series, as row groups of their own."""
        import pyarrow as pa

        pieces = [one for one in pieces if len(one.points)]
        if not pieces:
            return
        counts = np.array([len(one.points) for one in pieces])
        named = [_repeated([getattr(one, name) for one in pieces], counts) for name in ("run", "key", "context")]
        columns = [np.concatenate([getattr(one.points, name) for one in pieces]) for name in ("steps", "times")]
        values = np.concatenate([one.points.values for one in pieces])
        arrays = [*named, pa.array(columns[0]), pa.array(columns[1]), pa.array(values, from_pandas=False)]
        self._writer.write_table(pa.Table.from_arrays(arrays, schema=self._schema), row_group_size=GROUP)
        self.rows += int(counts.sum())

    def close(self) -> None:
        """Write the footer."""
        self._writer.close()


def _repeated(words: Sequence[str], counts: Any) -> Any:
    """A dictionary column in which each word stands so many times."""
    import pyarrow as pa

    known: dict[str, int] = {}
    places = np.array([known.setdefault(word, len(known)) for word in words], np.int32)
    return pa.DictionaryArray.from_arrays(np.repeat(places, counts), pa.array(list(known), pa.string()))


class ModelPointsWriter:
    """Writes model_metrics.parquet."""

    def __init__(self, path: Path) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        text, whole = pa.string(), pa.int64()
        named, data = (
            [("run", text), ("model", text), ("key", text)],
            [("dataset_name", text), ("dataset_digest", text)],
        )
        self._schema = pa.schema([*named, ("step", whole), ("timestamp", whole), ("value", pa.float64()), *data])
        self._writer = pq.ParquetWriter(path, self._schema, compression="zstd", store_schema=False)
        self.rows = 0

    def write(self, points: Sequence[ModelPoint]) -> None:
        """Some points, as row groups of their own."""
        import pyarrow as pa

        if not points:
            return
        names = ("run", "model", "key", "step", "at_ms", "value", "dataset_name", "dataset_digest")
        columns = [
            pa.array([getattr(one, name) for one in points], type=field.type, from_pandas=False)
            for name, field in zip(names, self._schema, strict=True)
        ]
        self._writer.write_table(pa.Table.from_arrays(columns, schema=self._schema), row_group_size=GROUP)
        self.rows += len(points)

    def close(self) -> None:
        """Write the footer."""
        self._writer.close()


def read_points(file: BinaryIO) -> Iterator[Piece]:
    """The points of metrics.parquet in its order, some at a time. Raises Invalid for what is no such file."""
    for batch in _batches(file, METRICS, {"run": "text", "key": "text", "context": "text", "value": "float64"}):
        runs, keys, contexts = (_words(batch.column(name)) for name in ("run", "key", "context"))
        steps, times, values = (_plain(batch, name) for name in ("step", "timestamp", "value"))
        start = 0
        for end in range(1, len(runs) + 1):
            if end == len(runs) or (runs[end], keys[end], contexts[end]) != (runs[start], keys[start], contexts[start]):
                points = Points(steps[start:end], times[start:end], values[start:end])
                yield Piece(runs[start], keys[start], contexts[start], points)
                start = end


def read_model_points(file: BinaryIO) -> Iterator[ModelPoint]:
    """The points of model_metrics.parquet. Raises Invalid for what is no such file."""
    texts = dict.fromkeys(("run", "model", "key", "dataset_name", "dataset_digest"), "text")
    for batch in _batches(file, MODEL_METRICS, {**texts, "value": "float64"}):
        names = ("run", "model", "key", "step", "timestamp", "value", "dataset_name", "dataset_digest")
        columns = (_words(batch.column(name)) if name in texts else batch.column(name).to_pylist() for name in names)
        for row in zip(*columns, strict=True):
            yield ModelPoint(*row)


def _batches(file: BinaryIO, member: str, kinds: dict[str, str]) -> Iterator[Any]:
    """Texts come as the dictionaries that they are in: a long one that stands there once is never written out."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    wanted = {"step": "int64", "timestamp": "int64", **kinds}
    texts = [name for name, kind in kinds.items() if kind == "text"]
    try:
        _check_footer(file, member)
        opened = pq.ParquetFile(file, read_dictionary=texts, buffer_size=_PIECE)
        if opened.metadata.num_columns > len(wanted):
            raise Invalid(f"'{member}' has columns that it should not have.", field=member)
        _check_schema(opened, member, wanted)
        for group in range(opened.num_row_groups):
            _check_group(opened.metadata.row_group(group), member)
            for batch in opened.iter_batches(_BATCH, row_groups=[group], columns=list(wanted), use_threads=False):
                if any(column.null_count for column in batch.columns):
                    raise Invalid(f"'{member}' has an empty cell.", field=member)
                for name in texts:
                    _check_words(batch.column(name), member, name)
                yield batch
    except (pa.ArrowException, OSError, ValueError) as error:
        raise Invalid(f"'{member}' is no Parquet file that can be read: {str(error)[:200]}", field=member) from None


def _check_footer(file: BinaryIO, member: str) -> None:
    """Raise Invalid for one that is longer than row groups of ours make it: it is parsed whole."""
    size = file.seek(0, 2)
    if size >= 8:
        file.seek(-8, 2)
        if FOOTER_MAX < int.from_bytes(file.read(4), "little") <= size:
            raise Invalid(f"'{member}' says more of its row groups than can be meant.", field=member)
    file.seek(0)


def _check_group(group: Any, member: str) -> None:
    if group.num_rows > ROWS_MAX:
        raise Invalid(f"'{member}' has a row group of more than {ROWS_MAX:,} rows.", field=member)
    unpacked = sum(group.column(place).total_uncompressed_size for place in range(group.num_columns))
    if max(unpacked, group.total_byte_size) > GROUP_MAX:
        raise Invalid(f"'{member}' has a row group of more than {GROUP_MAX:,} bytes.", field=member)


def _check_words(column: Any, member: str, name: str) -> None:
    import pyarrow.compute as pc

    longest = pc.max(pc.utf8_length(column.dictionary)).as_py()
    if longest is not None and longest > WORD_MAX:
        raise Invalid(f"'{member}' has a {name} of {longest:,} characters; at most {WORD_MAX:,} are.", field=member)


def _words(column: Any) -> list[str]:
    """A column of texts, each of them once in memory."""
    used, places = np.unique(column.indices.to_numpy(zero_copy_only=False), return_inverse=True)
    words = column.dictionary.take(used).to_pylist()
    return [words[place] for place in places]


def _check_schema(opened: Any, member: str, wanted: dict[str, str]) -> None:
    import pyarrow as pa

    found = {field.name: field.type for field in opened.schema_arrow}
    for name, kind in wanted.items():
        there = found.pop(name, None)
        if pa.types.is_dictionary(there) if there is not None else False:
            there = there.value_type
        is_it = there is not None and (pa.types.is_string(there) if kind == "text" else str(there).endswith(kind))
        if not is_it and not (kind == "float64" and there == pa.float64()):
            raise Invalid(f"'{member}' has no column '{name}' of type {kind}.", field=member)
    if found:
        raise Invalid(f"'{member}' has a column '{next(iter(found))[:60]}' that it should not have.", field=member)


def _plain(batch: Any, name: str) -> Any:
    return batch.column(name).to_numpy(zero_copy_only=False)
