"""How much of a version is read, and with how much time and memory. What is cut is said in the profile's notes."""

from dataclasses import asdict, dataclass
from typing import Any

MEBIBYTE = 1024**2


@dataclass(frozen=True, slots=True)
class Limits:
    """bytes: of all tables, unpacked; expansion: how many times its size a packed file may become;
    memory: of the reading process."""

    files: int = 200
    bytes: int = 8192 * MEBIBYTE
    rows: int = 50_000_000
    columns: int = 500
    seconds: float = 300
    memory: int = 2048 * MEBIBYTE
    row_bytes: int = 4 * MEBIBYTE
    expansion: int = 300

    def as_json(self) -> dict[str, Any]:
        """For the reading process."""
        return asdict(self)
