"""What a run prints goes where it always goes, and is kept besides."""

from __future__ import annotations

import codecs
import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Protocol, TextIO

from mled.capture.secrecy import Hiding

KEPT_MAX = 100 * 1024 * 1024  # bytes of each stream: the first half of it, and the last
PIECE = 64 * 1024


class Sink(Protocol):
    """Where bytes go on to."""

    def write(self, piece: bytes, /) -> object: ...

    def flush(self) -> object: ...


class _AsText:
    """For streams that take text only, as those of notebooks do."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def write(self, piece: bytes, /) -> object:
        return self._stream.write(self._decoder.decode(piece))

    def flush(self) -> object:
        return self._stream.flush()


def bytes_to(stream: TextIO) -> Sink:
    """A stream of this process as a place for bytes."""
    return getattr(stream, "buffer", None) or _AsText(stream)


class Tee:
    """Reads one stream to its end, hands it on at once, and keeps it in a file.

    Of a stream that is longer than KEPT_MAX the middle is left out, and the file says how much. hidden: words that the
    file must not have, such as one's token.
    """

    def __init__(
        self,
        source: IO[bytes],
        onward: Sink,
        kept: Path,
        *,
        kept_max: int = KEPT_MAX,
        hidden: Sequence[bytes] = (),
    ) -> None:
        self._source, self._onward, self.kept = source, onward, kept
        self._half = kept_max // 2
        self._hiding = Hiding(hidden)
        self._first = kept.open("wb")
        self._first_size, self._size = 0, 0
        self._last = bytearray()
        self._thread = threading.Thread(target=self._read, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def finish(self, seconds: float = 10.0) -> Path:
        """Wait for the end of the stream, which a grandchild may hold open; gives the file."""
        self._thread.join(seconds)
        with self._first as file:
            gap = self._size - self._first_size - len(self._last)
            if gap > 0:
                file.write(f"\n[{gap:,} bytes left out here]\n".encode())
            file.write(self._last)
        return self.kept

    def _read(self) -> None:
        while piece := self._source.read1(PIECE):  # type: ignore[attr-defined]  # of a pipe's buffered reader
            try:
                self._onward.write(piece)
                self._onward.flush()
            except (OSError, ValueError):
                self._onward = open(os.devnull, "wb")  # noqa: SIM115  # whoever listened is gone
            self._keep(self._hiding.pass_on(piece))
        self._keep(self._hiding.rest())

    def _keep(self, piece: bytes) -> None:
        self._size += len(piece)
        room = self._half - self._first_size
        if room > 0:
            self._first.write(piece[:room])
            self._first_size += len(piece[:room])
            piece = piece[room:]
        self._last += piece
        if len(self._last) > 2 * self._half:
            del self._last[: len(self._last) - self._half]
