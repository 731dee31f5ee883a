"""A member of a zip as a file of its own, where it lies: stored members are read from any place at once."""

import io
import zipfile
from typing import Any, BinaryIO, Final

LOCAL_HEADER: Final = b"PK\x03\x04"
_HEADER_BYTES: Final = 30


def begin_of(file: BinaryIO, info: zipfile.ZipInfo) -> int | None:
    """Where the bytes of a member begin: behind its own header, whose name and extra fields vary. None: no header."""
    file.seek(info.header_offset)
    header = file.read(_HEADER_BYTES)
    if len(header) < _HEADER_BYTES or not header.startswith(LOCAL_HEADER):
        return None
    names = int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
    return info.header_offset + _HEADER_BYTES + names


class Window(io.RawIOBase):
    """So many bytes of a file from a place on. Several may be open over one file, in one thread."""

    def __init__(self, file: BinaryIO, begin: int, size_bytes: int) -> None:
        self._file, self._begin, self._size, self._at = file, begin, size_bytes, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        if start + offset < 0:
            raise ValueError("A member begins at 0.")
        self._at = start + offset
        return self._at

    def readinto(self, into: Any) -> int:
        wanted = min(len(into), self._size - self._at)
        if wanted <= 0:
            return 0
        self._file.seek(self._begin + self._at)
        data = self._file.read(wanted)
        into[: len(data)] = data
        self._at += len(data)
        return len(data)
