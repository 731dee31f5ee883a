"""Row values as canonical JSON holds them: the same function writes the ledger and checks it."""

import datetime as dt
import math
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from ipaddress import ip_address
from typing import Any
from uuid import UUID

from kernel.digests import sha256_hex

SAFE_INTEGER = 2**53


@dataclass(frozen=True, slots=True)
class Subject:
    """What an event speaks of: 'app.model' and the id that people and protocols use."""

    kind: str
    id: str


def plain(value: Any) -> Any:
    """A value of a column as JSON that says the same on every database.

    Times in UTC with microseconds; integers beyond 53 bits, NaN and infinities as strings; bytes as their SHA-256.
    """
    if isinstance(value, Enum):
        return plain(value.value)
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        return value if -SAFE_INTEGER < value < SAFE_INTEGER else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else repr(value)
    if isinstance(value, UUID):
        return value.hex
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat(timespec="microseconds")
    if isinstance(value, dt.date | Decimal):
        return str(value)
    if isinstance(value, bytes | memoryview | bytearray):
        return "sha256:" + sha256_hex(bytes(value))
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        items = [plain(item) for item in value]
        return sorted(items, key=repr) if isinstance(value, set | frozenset) else items
    raise TypeError(f"The ledger has no form for {type(value).__name__}.")


def secret(value: Any) -> Any:
    """A value that must never be readable in the ledger: only that it changed can be seen."""
    return None if value in (None, "") else "sha256:" + sha256_hex(str(value).encode())


@lru_cache(maxsize=1024)
def address_in(text: str) -> str | None:
    """The IP address that a caller comes from, as both databases keep it: without the zone of a link-local one
    ('fe80::1%eth0'). None where there is none, as at a socket file."""
    try:
        return str(ip_address(text.partition("%")[0]))
    except ValueError:
        return None
