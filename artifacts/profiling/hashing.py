"""One 64-bit hash for each value of a column: the same value has the same one in every batch and file."""

from hashlib import blake2b

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from artifacts.profiling.sketches import Hashes

_SHORT = 64  # bytes: longer texts are hashed one by one
_EXACT = 2**53


def hashes_of(values: pa.Array) -> Hashes:
    """A hash for each value; there are no nulls. A whole number and the same one with a point have the same hash."""
    kind = values.type
    if pa.types.is_dictionary(kind):
        return hashes_of(values.dictionary)[values.indices.to_numpy(zero_copy_only=False)]
    if pa.types.is_boolean(kind):
        return _mixed(pc.cast(values, pa.int64()).to_numpy(zero_copy_only=False).astype(np.float64).view(np.uint64))
    if pa.types.is_integer(kind):
        return _whole(values.to_numpy(zero_copy_only=False))
    if pa.types.is_floating(kind):
        numbers = values.to_numpy(zero_copy_only=False).astype(np.float64) + 0.0  # -0.0 is 0.0
        return _mixed(numbers.view(np.uint64))
    if pa.types.is_timestamp(kind) or pa.types.is_date64(kind):
        return _mixed(pc.cast(values, pa.int64()).to_numpy(zero_copy_only=False).view(np.uint64))
    return _texts(_as_bytes(values))


def _as_bytes(values: pa.Array) -> pa.Array:
    kind = values.type
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_large_binary(kind)):
        values = values if pa.types.is_binary(kind) else pc.cast(values, pa.string())
    return pc.cast(values, pa.large_binary())


def _whole(numbers: npt.NDArray[np.signedinteger | np.unsignedinteger]) -> Hashes:
    floats = numbers.astype(np.float64)
    exact = np.abs(floats) < _EXACT
    return _mixed(np.where(exact, floats.view(np.uint64), numbers.astype(np.uint64)))


def _texts(values: pa.Array) -> Hashes:
    lengths = pc.binary_length(values).to_numpy(zero_copy_only=False).astype(np.int64)
    is_long = lengths > _SHORT
    hashes = np.empty(len(values), dtype=np.uint64)
    if is_long.any():
        long = values.filter(pa.array(is_long))
        digests = (blake2b(value.as_buffer(), digest_size=8).digest() for value in long)
        hashes[is_long] = np.fromiter((int.from_bytes(digest, "little") for digest in digests), np.uint64, len(long))
        values, lengths = values.filter(pa.array(~is_long)), lengths[~is_long]
    hashes[~is_long] = _short_texts(values, lengths)
    return hashes


def _short_texts(values: pa.Array, lengths: npt.NDArray[np.int64]) -> Hashes:
    """A sum of bytes with a random weight for each place, then mixed: all texts of a batch in a few steps."""
    offset_buffer, data = values.buffers()[1:]
    offsets = np.frombuffer(offset_buffer, dtype=np.int64)[values.offset : values.offset + len(values) + 1]
    sums = np.zeros(len(values), dtype=np.uint64)
    filled = lengths > 0
    if filled.any():
        content = np.frombuffer(data, dtype=np.uint8)[offsets[0] : offsets[-1]].astype(np.uint64)
        starts = (offsets[:-1] - offsets[0])[filled]
        place = np.arange(len(content)) - np.repeat(starts, lengths[filled])
        sums[filled] = np.add.reduceat((content + np.uint64(1)) * _WEIGHTS[place], starts)
    return _mixed(sums ^ (lengths.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)))


def _mixed(bits: Hashes) -> Hashes:
    """Every bit of the result depends on every bit (the finaliser of SplitMix64)."""
    mixed = bits + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


_WEIGHTS = _mixed(np.arange(1, _SHORT + 1, dtype=np.uint64)) | np.uint64(1)
