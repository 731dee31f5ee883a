"""A zip each byte of which follows from its members: stored, in the order of writing, without times of its own.

The offline verifier makes the headers again from what it reads, and so finds any byte that is not accounted for.
"""

import struct
import zlib
from collections.abc import Iterable
from typing import BinaryIO, Final

from kernel.errors import Conflict

BYTES_MAX: Final = 0xFFFFFFFF
_LOCAL: Final = "<4s5H3L2H"
_DAY: Final = 33  # 1980-01-01, the first that a zip can say


class SealedZip:
    """Writes members one after the other into a file that can seek."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._directory = b""
        self._count = 0

    def add(self, name: str, pieces: Iterable[bytes]) -> None:
        """Write a member while it is made. Raises Conflict where the whole becomes larger than a plain zip can be."""
        at, raw, size, crc = self._out.tell(), name.encode("ascii"), 0, 0
        self._out.write(_local(raw, 0, 0))
        for piece in pieces:
            self._out.write(piece)
            size, crc = size + len(piece), zlib.crc32(piece, crc)
            if at + size + len(self._directory) > BYTES_MAX - (1 << 20):
                raise Conflict("The bundle would be larger than 4 GB.", hint="Ask for fewer runs at once.")
        end = self._out.tell()
        self._out.seek(at)
        self._out.write(_local(raw, size, crc))
        self._out.seek(end)
        fields = (788, 20, 0, 0, 0, _DAY, crc, size, size, len(raw), 0, 0, 0, 0, 0o100644 << 16, at)
        self._directory += struct.pack("<4s6H3L5H2L", b"PK\1\2", *fields) + raw
        self._count += 1

    def close(self) -> None:
        """Write the directory."""
        at, size = self._out.tell(), len(self._directory)
        end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, self._count, self._count, size, at, 0)
        self._out.write(self._directory + end)


def _local(name: bytes, size: int, crc: int) -> bytes:
    return struct.pack(_LOCAL, b"PK\3\4", 20, 0, 0, 0, _DAY, crc, size, size, len(name), 0) + name
