"""Starts the reading process on a file, and takes its answer, whatever becomes of it."""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from django.conf import settings

from experiments.sheets.cells import Cell
from experiments.sheets.limits import Limits
from kernel.errors import MledError

_PIECE = 1024**2


class CannotRead(MledError):
    """The file is no sheet that can be read; the message says why. worksheets: of which another may be chosen."""

    code = "CANNOT_READ"
    status = 422
    worksheets: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Sheet:
    """What was read: the header, and rows by the number that people see. facts: encoding, separator."""

    form: str
    worksheets: Sequence[str] = ()
    worksheet: str = ""
    header: Sequence[str] = ()
    header_row: int = 1
    notes: Sequence[str] = ()
    facts: Mapping[str, str] = field(default_factory=dict)
    rows: Sequence[tuple[int, Sequence[Cell]]] = ()


def read_sheet(reader: BinaryIO, worksheet: str = "", limits: Limits | None = None) -> Sheet:
    """Read a CSV, or a sheet of a workbook; '' is its first. Takes up to two minutes. Raises CannotRead."""
    limits = limits or Limits()
    with _descriptor(reader) as descriptor:
        told = _told({"descriptor": descriptor, "worksheet": worksheet, "limits": limits.as_json()}, limits)
    if "why" in told:
        refused = CannotRead(told["why"], hint=told.get("hint", ""), field="upload")
        refused.worksheets = told.get("worksheets", ())
        raise refused
    return Sheet(**{**told, "rows": [(number, cells) for number, cells in told["rows"]]})


@contextlib.contextmanager
def _descriptor(reader: BinaryIO) -> Iterator[int]:
    """A descriptor of the stored file, or of a copy of it where the storage is elsewhere."""
    try:
        own = reader.fileno()
        os.lseek(own, 0, os.SEEK_SET)
    except (OSError, AttributeError):
        with tempfile.TemporaryFile() as copy:
            while piece := reader.read(_PIECE):
                copy.write(piece)
            copy.flush()
            copy.seek(0)
            yield copy.fileno()
    else:
        yield own


def _told(asked: Mapping[str, Any], limits: Limits) -> dict[str, Any]:
    try:
        done = subprocess.run(  # our own module, with arguments that are all constants
            [sys.executable, "-s", "-B", "-m", "experiments.sheets.decoding"],
            input=json.dumps(asked).encode(),
            capture_output=True,
            timeout=limits.seconds + 15,
            cwd=settings.BASE_DIR,
            env=_environment(),
            pass_fds=[asked["descriptor"]],
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise _gave_up(limits) from None
    if done.returncode != 0:
        raise _gave_up(limits)
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def _gave_up(limits: Limits) -> CannotRead:
    words = f"Reading this sheet took more than {limits.seconds} seconds or more memory than it is given."
    return CannotRead(words, hint="Save the one sheet as CSV, or split it.", field="upload")


def _environment() -> dict[str, str]:
    """No environment of ours: a reader that was taken over finds no key and no database in it."""
    single = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"}
    return {"PATH": os.defpath, "LANG": "C.UTF-8", "PYTHONUTF8": "1", "OPENPYXL_LXML": "False", **single}
