"""Which of a run's files are what it printed, by their names."""

import re
from collections.abc import Iterable

_STREAMS = re.compile(r"(?:.*[._-])?(?:stdout|stderr|console)(?:[._-].*)?", re.IGNORECASE)
_LOGS = re.compile(r".+\.(?:log|out|err)(?:\.\d+)?", re.IGNORECASE)
_ERRORS = re.compile(r"(?:.*[._-])?stderr(?:[._-].*)?|.+\.err(?:\.\d+)?", re.IGNORECASE)
_PACKED = (".gz", ".zip", ".zst", ".bz2", ".xz", ".png", ".jpg", ".json", ".csv", ".parquet", ".html", ".pkl")


def is_log(path: str) -> bool:
    """Whether a file of this path is read as a log: *.log, stdout and stderr, and *.txt in a folder logs/."""
    *folders, name = path.split("/")
    if name.lower().endswith(_PACKED):
        return False
    in_logs = any(folder.lower() in ("log", "logs") for folder in folders)
    return bool(_LOGS.fullmatch(name) or _STREAMS.fullmatch(name)) or (in_logs and name.lower().endswith(".txt"))


def is_stderr(path: str) -> bool:
    """Whether a file of this path holds what went to the standard error."""
    return bool(_ERRORS.fullmatch(path.rpartition("/")[2]))


def logs_first(paths: Iterable[str]) -> list[str]:
    """The logs among the paths: standard output before error, then those nearest to the top."""
    logs = [path for path in paths if is_log(path)]
    return sorted(logs, key=_place)


def _place(path: str) -> tuple[bool, int, bool, str]:
    return (not _STREAMS.fullmatch(path.rpartition("/")[2]), path.count("/"), is_stderr(path), path)
