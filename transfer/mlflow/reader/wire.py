"""What goes between the reading process and ours: messages with their length before them."""

import struct
from collections.abc import Mapping
from typing import Any, BinaryIO, Final, NamedTuple

import msgspec
import numpy as np

from experiments.metrics.batch import Points
from transfer.mlflow.records import (
    NotReadable,
    SourceBroken,
    SourceExperiment,
    SourceModel,
    SourceRegistered,
    SourceRun,
)

MESSAGE_MAX: Final = 1024**3
_LENGTH = struct.Struct("<I")


class Series(NamedTuple):
    """Points of one metric as packed little-endian arrays."""

    key: str
    steps: bytes
    times: bytes
    values: bytes

    @classmethod
    def of(cls, key: str, points: Points) -> "Series":
        arrays = points.steps.astype("<i8"), points.times.astype("<i8"), points.values.astype("<f8")
        return cls(key, *(array.tobytes() for array in arrays))

    def points(self) -> Points:
        return Points(
            np.frombuffer(self.steps, "<i8"), np.frombuffer(self.times, "<i8"), np.frombuffer(self.values, "<f8")
        )


# What each call answers with, one or many.
ANSWERS: Final[Mapping[str, Any]] = {
    "origin": str,
    "told": str,
    "notes": str,
    "experiments": SourceExperiment,
    "count_runs": int | None,
    "runs_behind": SourceRun,
    "run": SourceRun,
    "history": Series,
    "models": SourceModel,
    "registered": SourceRegistered,
}
ERRORS: Final[Mapping[str, type[NotReadable] | type[SourceBroken]]] = {
    "NotReadable": NotReadable,
    "SourceBroken": SourceBroken,
}


def send(to: BinaryIO, kind: bytes, message: Any) -> None:
    """kind: one letter. A message of msgpack follows."""
    body = msgspec.msgpack.encode(message)
    to.write(kind + _LENGTH.pack(len(body)) + body)


def receive(come: BinaryIO) -> tuple[bytes, bytes]:
    """The kind of the next message and its body; an empty kind at the end. Raises NotReadable for one too long."""
    head = come.read(1 + _LENGTH.size)
    if len(head) < 1 + _LENGTH.size:
        return b"", b""
    (length,) = _LENGTH.unpack(head[1:])
    if length > MESSAGE_MAX:
        raise NotReadable("One metric of the store is longer than can be read.")
    return head[:1], come.read(length)
