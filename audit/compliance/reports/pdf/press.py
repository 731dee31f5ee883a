"""Where a volume is typeset: in a process of its own, with bounded time and memory, and without network or secrets.

It reads nothing but the templates; what the report says goes in as JSON, of which typst makes texts and never markup.
"""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Final

from kernel.errors import MledError

SECONDS: Final = 600  # on a machine with much else to do; alone it takes ten
_ROOT: Final = Path(__file__).resolve().parents[4]


class CannotTypeset(MledError):
    """A volume takes more time or memory than one is given, or typst refuses it."""

    code = "CANNOT_TYPESET"
    status = 422


def printed(parts: Iterable[bytes]) -> bytes:
    """The PDF of what is told in lines of JSON: the frame first, then section by section, the end last."""
    command = [sys.executable, "-s", "-B", "-m", "audit.compliance.reports.pdf.typesetting"]
    # No environment of ours, so that no key and no address of a database is at hand where a stranger's text is read.
    environment = {"PATH": os.defpath, "LANG": "C.UTF-8"}
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=_ROOT, env=environment
    )
    with process, _pipes(process) as (told, answer):
        clock = threading.Timer(SECONDS, process.kill)
        try:
            _tell(told, parts)
            clock.start()
            head, body = answer.readline(), answer.read()
            code = process.wait()
        finally:
            clock.cancel()
            process.kill()
    said = json.loads(head) if code == 0 and head else {"why": "It takes more time or memory than a volume is given."}
    if "why" in said:
        raise CannotTypeset(f"The PDF could not be made. {said['why']}", hint="Ask for fewer runs in one report.")
    return body


@contextmanager
def _pipes(process: subprocess.Popen[bytes]) -> Iterator[tuple[IO[bytes], IO[bytes]]]:
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("The process was started without pipes.")
    yield process.stdin, process.stdout


def _tell(told: IO[bytes], parts: Iterable[bytes]) -> None:
    """Hand the parts over as they come. A process that ended meanwhile is noticed by its answer."""
    with suppress(BrokenPipeError), told:
        for part in parts:
            told.write(part)
