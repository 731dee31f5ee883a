"""python -m experiments.sheets.decoding < request: takes a descriptor, writes what is in it as one JSON document.

It has no database and no secrets; what a hostile file does to it, it does to it alone.
"""

import json
import os
import resource
import sys
from collections.abc import Mapping
from typing import IO, Any

from experiments.sheets.decoding import delimited, workbook
from experiments.sheets.decoding.words import Unreadable
from experiments.sheets.limits import Limits

_PACKED = b"PK\x03\x04"
_OLD = b"\xd0\xcf\x11\xe0"
_OTHERS = (
    (b"%PDF-", "a PDF"), (b"\x89PNG", "a picture"), (b"GIF8", "a picture"), (b"\xff\xd8\xff", "a picture"),
    (b"{\\rtf", "a text document"), (b"\x1f\x8b", "a packed file"), (b"<html", "a web page"),
    (b"<!doctype html", "a web page"), (b"SQLite format 3", "a database"), (b"PAR1", "a Parquet file"),
)  # fmt: skip


def main() -> None:
    """Read what is asked for."""
    asked = json.load(sys.stdin)
    limits = Limits(**asked["limits"])
    _confine(limits)
    json.dump(_told(asked, limits), sys.stdout)
    sys.stdout.flush()
    os._exit(0)


def _confine(limits: Limits) -> None:
    """Little memory, little time, no file of its own, no core dump."""
    resource.setrlimit(resource.RLIMIT_AS, (limits.memory, limits.memory))
    resource.setrlimit(resource.RLIMIT_CPU, (limits.seconds, limits.seconds))
    for unwanted in (resource.RLIMIT_CORE, resource.RLIMIT_FSIZE):
        resource.setrlimit(unwanted, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))


def _told(asked: Mapping[str, Any], limits: Limits) -> Mapping[str, Any]:
    try:
        with open(asked["descriptor"], "rb", closefd=False) as file:
            table = _read(file, asked["worksheet"], limits)
    except Unreadable as error:
        return {"why": str(error), "hint": error.hint, "worksheets": error.worksheets}
    except MemoryError:
        most = f"{limits.memory // 1024**2:,} MiB"
        return {"why": f"Reading it needs more than {most} of memory, which is the most.", "hint": "Save it as CSV."}
    return {
        "form": table.form, "worksheets": table.worksheets, "worksheet": table.worksheet, "header": table.header,
        "header_row": table.header_row, "notes": table.notes, "facts": table.facts, "rows": table.rows,
    }  # fmt: skip


def _read(file: IO[bytes], worksheet: str, limits: Limits) -> Any:
    begins = file.read(64)
    file.seek(0)
    if begins.startswith(_PACKED):
        return workbook.read(file, worksheet, limits)
    if begins.startswith(_OLD):
        raise Unreadable("This is an old XLS workbook, or one with a password.", "Save it as XLSX without a password.")
    text = begins.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    for sign, words in _OTHERS:
        if begins.startswith(sign) or text.startswith(sign.lower()):
            raise Unreadable(f"This is {words}, not a sheet.", "Save the table as XLSX or CSV.")
    return delimited.read(file, worksheet, limits)


if __name__ == "__main__":
    main()
