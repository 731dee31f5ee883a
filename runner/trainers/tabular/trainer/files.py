"""Which of the files of a dataset are read: told by their names alone, so that MLED can say it before a job is made."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatch
from pathlib import PurePath

from .problems import Problem

DELIMITERS = {".csv": ",", ".tsv": "\t", ".tab": "\t"}
PARQUET = (".parquet", ".pq")
NAMES_TOLD = 300  # characters of the names of files that are there


def suffix_of(file: PurePath) -> str:
    """What kind of table it is: '.csv', also of one that is compressed."""
    return PurePath(file.name.lower().removesuffix(".gz")).suffix


def tables_among(files: Sequence[PurePath], which: str = "", but: str = "") -> list[PurePath]:
    """Those that are read, in their order. Raises Problem where none is.

    files: paths below the folder of the data; which, but: patterns of the files to read and to leave out, as in
    train*.csv; '' for all and for none.
    """
    tables = [file for file in files if suffix_of(file) in (*DELIMITERS, *PARQUET)]
    taken = [one for one in tables if (not which or _fits(one, which)) and not (but and _fits(one, but))]
    if not taken:
        names = ", ".join(file.name for file in files)[:NAMES_TOLD] or "nothing"
        asked = f" by the name {which}" if which else ""
        left = f" beside {but}, which is judged by" if but else ""
        raise Problem(
            f"There is no table{asked}{left} among the data: {names}. It takes .csv, .tsv, .parquet, also .csv.gz."
        )
    return taken


def _fits(file: PurePath, pattern: str) -> bool:
    return any(fnmatch(name, pattern) for name in (file.name, file.as_posix()))
