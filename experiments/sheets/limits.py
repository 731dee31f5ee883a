"""How large a sheet may be that is read, and with how much time and memory."""

from dataclasses import asdict, dataclass
from typing import Any, Final

MEBIBYTE: Final = 1024**2
FILE_BYTES: Final = 20 * MEBIBYTE
ROWS: Final = 10_000
COLUMNS: Final = 500
CELLS: Final = 1_000_000
CELL_CHARACTERS: Final = 65_536  # as long as a value of a record may be
TEXT_CHARACTERS: Final = 64 * MEBIBYTE  # of all cells
HEADER_CHARACTERS: Final = 500  # of one name in the header


@dataclass(frozen=True, slots=True)
class Limits:
    """unpacked: bytes of all that a workbook holds; scanned: rows that are looked at, empty ones too;
    memory: of the reading process."""

    rows: int = ROWS
    columns: int = COLUMNS
    cells: int = CELLS
    cell_characters: int = CELL_CHARACTERS
    text_characters: int = TEXT_CHARACTERS
    unpacked: int = 256 * MEBIBYTE
    scanned: int = 1_100_000
    seconds: int = 120
    memory: int = 1024 * MEBIBYTE

    def as_json(self) -> dict[str, Any]:
        """For the reading process."""
        return asdict(self)
