"""An object as a seekable file: what is read is fetched as it is read, from the place that was sought."""

import io
from typing import Any, BinaryIO, Final, cast

from botocore.exceptions import BotoCoreError
from urllib3.exceptions import HTTPError

from artifacts.storage.base import BlobDamaged
from artifacts.storage.s3_client import NothingThere, in_words

_BUFFER: Final = 256 * 1024
_TRIES: Final = 4


def object_reader(client: Any, bucket: str, key: str, size: int) -> BinaryIO:
    """A buffered reader at the object's start."""
    return cast("BinaryIO", io.BufferedReader(ObjectReader(client, bucket, key, size), _BUFFER))


class ObjectReader(io.RawIOBase):
    """One stream at a time, opened again after a seek or where the connection broke."""

    def __init__(self, client: Any, bucket: str, key: str, size: int) -> None:
        self.client, self.bucket, self.key, self.size = client, bucket, key, size
        self.at = 0
        self.stream: Any = None

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self.at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self.at, io.SEEK_END: self.size}[whence]
        if start + offset < 0:
            raise ValueError("A file begins at 0.")
        if start + offset != self.at:
            self._let_go()
            self.at = start + offset
        return self.at

    def readinto(self, into: Any) -> int:
        wanted = min(len(into), self.size - self.at)
        if wanted <= 0:
            return 0
        data = self._fetched(wanted)
        into[: len(data)] = data
        self.at += len(data)
        return len(data)

    def close(self) -> None:
        self._let_go()
        super().close()

    def _fetched(self, wanted: int) -> bytes:
        """The next bytes, at most as many as wanted; a broken stream is opened again where it was."""
        for tries_left in reversed(range(_TRIES)):
            try:
                data: bytes = self._opened().read(wanted)
            except (BotoCoreError, HTTPError, OSError):
                self._let_go()
                if not tries_left:
                    raise
                continue
            if data:
                return data
            self._let_go()
        raise OSError("The object is shorter than its record.")

    def _opened(self) -> Any:
        if self.stream is None:
            span = f"bytes={self.at}-{self.size - 1}"
            try:
                with in_words(expecting_none=True):
                    self.stream = self.client.get_object(Bucket=self.bucket, Key=self.key, Range=span)["Body"]
            except NothingThere:
                what = "This file was taken out of the store meanwhile."
                raise BlobDamaged(what, hint="Tell an administrator.") from None
        return self.stream

    def _let_go(self) -> None:
        if self.stream is not None:
            self.stream.close()
            self.stream = None
