"""Why a job failed, told from what it printed: the end of its traceback, and what to do next. Plain text in and out."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from runner.models import Job

HEAD: Final = "Traceback (most recent call last):"
FRAMES_SHOWN: Final = 6  # lines of the traceback, the last ones
LINES_SHOWN: Final = 8  # where there is no traceback
LINE_MAX: Final = 400
_ERROR = re.compile(r"^(?P<name>[A-Za-z_][\w.]*)(?::\s?(?P<words>.*))?$")
_MISSING = re.compile(r"No module named '([^'.]+)")
# Where a worker lays out what a job sees, long and another one for each job; what follows says enough.
_PLACES: Final = re.compile(
    r"/[^\s\"'<>]*/jobs/[0-9a-f]{32}-[0-9a-f]{8}/home/(?:code/)?|/[^\s\"'<>]*/(?=site-packages/)"
)
_CALLS_OUT: Final = ("gaierror", "ConnectionError", "URLError", "ConnectTimeout", "NewConnectionError", "MaxRetryError")


@dataclass(frozen=True, slots=True)
class Printed:
    """The end of what a job printed. error: the line that names what went wrong ("" where none does); lines: what led
    there, oldest first; first: the number of the first of them in its stream."""

    error: str
    lines: tuple[str, ...]
    first: int

    @property
    def name(self) -> str:
        """The exception's own name, without its module."""
        found = _ERROR.match(self.error)
        return found["name"].rpartition(".")[2] if found else ""


def end_of(lines: Sequence[str], first: int = 1) -> Printed | None:
    """The last traceback in these lines with the error that it ends in, else the last lines; None for no line.

    first: the number of the first line in its stream.
    """
    kept = [without_places(line)[:LINE_MAX].rstrip() for line in lines]
    while kept and not kept[-1]:
        kept.pop()
    if not kept:
        return None
    starts = [place for place, line in enumerate(kept) if line.strip() == HEAD]
    if not starts:
        shown = kept[-LINES_SHOWN:]
        return Printed("", tuple(shown), first + len(kept) - len(shown))
    start = starts[-1]
    end = next((place for place in range(start + 1, len(kept)) if _is_error(kept[place])), len(kept) - 1)
    frames = kept[start + 1 : end]
    shown = frames[-FRAMES_SHOWN:]
    return Printed(kept[end].strip(), tuple(shown), first + end - len(shown))


def without_places(line: str) -> str:
    """Paths below the folder of a job's code told from there on: train.py instead of /var/…/home/code/train.py."""
    return _PLACES.sub("", line)


def _is_error(line: str) -> bool:
    """Frames are set in; the error that they end in is not."""
    return bool(line) and not line[0].isspace() and _ERROR.match(line) is not None


# What can be done about each way to end, where the command's own words do not tell more.
NEXT_STEPS: Final = {
    Job.Cause.EXIT: "Read the log, mend the code or the parameters, and run it with changes.",
    Job.Cause.STOP: "Run it again if it was stopped by mistake.",
    Job.Cause.TIME: "Give it more time, fewer steps or less data, and run it with changes.",
    Job.Cause.MEMORY: "Give it more memory, smaller batches or less data, and run it with changes.",
    Job.Cause.DISK: "Give it more disk, or have it keep less, and run it with changes.",
    Job.Cause.PROCESSES: "Let it start fewer processes, or allow more of them, and run it with changes.",
    Job.Cause.WORKER: "The worker is to blame, not the code: try it again.",
    Job.Cause.PREPARING: "Mend what is named above, and run it with changes.",
    Job.Cause.REFUSED: "Ask a manager of the project for the right, or have somebody who holds it run it.",
}


def next_step(cause: str, printed: Printed | None, *, is_tried_again: bool = False) -> str:
    """What to do now, in a sentence. is_tried_again: by MLED itself, or by somebody."""
    if cause == Job.Cause.WORKER and is_tried_again:
        return "The worker is to blame, not the code: look at the run that tries it again."
    if cause == Job.Cause.EXIT and printed is not None and printed.error:
        told = _by_error(printed)
        if told:
            return told
    return NEXT_STEPS.get(Job.Cause(cause), "")


def _by_error(printed: Printed) -> str:
    missing = _MISSING.search(printed.error)
    if missing:
        return f"Add the package that holds '{missing[1]}' to the environment, and run it with changes."
    if printed.name in _CALLS_OUT:
        return (
            "Jobs have no network unless the project allows it: put what it fetches into the catalogue, or ask a "
            "manager to allow network."
        )
    if printed.name in ("FileNotFoundError", "NotADirectoryError"):
        return (
            "Data lies at /inputs/<name>, code in the folder that it starts in: mend the path, and run it with changes."
        )
    if printed.name in ("PermissionError", "OSError") and "Read-only" in printed.error:
        return "Data and packages are read-only for a job: have it write to MLED_OUTPUT, and run it with changes."
    if printed.name == "MemoryError":
        return NEXT_STEPS[Job.Cause.MEMORY]
    return ""
