"""The bytes of a file, unpacked where it is packed, and never more of them than the limits allow."""

import gzip
import io
import zlib
from typing import BinaryIO

from artifacts.profiling.limits import MEBIBYTE, Limits
from artifacts.profiling.words import Unreadable

_SUSPICIOUS = 64 * MEBIBYTE  # a file that unpacks to less is no bomb, whatever its ratio


class BytesSpent(Exception):
    """The bytes that may be read of all files are used up."""


class Budget:
    """How many bytes may still be read, over all files of a version."""

    def __init__(self, limits: Limits) -> None:
        self.limits, self.left = limits, limits.bytes

    def spend(self, count: int) -> None:
        """Raise BytesSpent where there are no more."""
        self.left -= count
        if self.left < 0:
            raise BytesSpent


class Metered(io.RawIOBase):
    """A stream that counts what is read of it against the budget."""

    def __init__(self, source: BinaryIO, budget: Budget) -> None:
        self.source, self.budget = source, budget

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        chunk = self.source.read(size)
        self.budget.spend(len(chunk))
        return chunk


class Unpacked(io.RawIOBase):
    """What a gzip file holds. Raises Unreadable for a damaged one, and for one that expands beyond measure."""

    def __init__(self, packed: BinaryIO, limits: Limits) -> None:
        self.packed, self.limits, self.given = packed, limits, 0
        self.inner = gzip.GzipFile(fileobj=packed, mode="rb")

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        try:
            chunk = self.inner.read(MEBIBYTE if size < 0 else min(size, 4 * MEBIBYTE))
        except (EOFError, zlib.error, OSError) as error:
            raise Unreadable(f"it is packed by gzip, and damaged: {error}") from None
        self.given += len(chunk)
        taken = max(self.packed.tell(), 1)
        if self.given > _SUSPICIOUS and self.given > taken * self.limits.expansion:
            raise Unreadable(
                f"it expands to more than {self.limits.expansion} times its size: reading stopped at "
                f"{self.given // MEBIBYTE:,} MiB"
            )
        return chunk


def opened(descriptor: int, *, is_packed: bool, budget: Budget) -> BinaryIO:
    """The file from its beginning. Its descriptor stays open."""
    plain = open(descriptor, "rb", closefd=False)  # noqa: SIM115  # it lives as long as the process
    plain.seek(0)
    return Metered(Unpacked(plain, budget.limits) if is_packed else plain, budget)  # type: ignore[return-value, arg-type]
