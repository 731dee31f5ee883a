"""Where a volume is typeset: in a process of its own, with bounded time and memory, and without network or secrets.

It reads nothing but the templates; what the report says goes in as JSON, of which typst makes texts and never markup.
"""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from kernel.errors import MledError

SECONDS: Final = 180
_ROOT: Final = Path(__file__).resolve().parents[4]


class CannotTypeset(MledError):
    """A volume takes more time or memory than one is given, or typst refuses it."""

    code = "CANNOT_TYPESET"
    status = 422


def printed(parts: Iterable[dict[str, Any]]) -> bytes:
    """The PDF of what is told part by part: the frame first, then section by section, the end last."""
    command = [sys.executable, "-s", "-B", "-m", "audit.compliance.reports.pdf.typesetting"]
    # No environment of ours, so that no key and no address of a database is at hand where a stranger's text is read.
    environment = {"PATH": os.defpath, "LANG": "C.UTF-8"}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=_ROOT, env=environment
    ) as process:
        assert process.stdin
        assert process.stdout
        clock = threading.Timer(SECONDS, process.kill)
        try:
            _tell(process, parts)
            clock.start()
            head = process.stdout.readline()
            body = process.stdout.read()
            code = process.wait()
        finally:
            clock.cancel()
            process.kill()
    said = json.loads(head) if code == 0 and head else {"why": "It takes more time or memory than a volume is given."}
    if "why" in said:
        raise CannotTypeset(f"The PDF could not be made. {said['why']}", hint="Ask for fewer runs in one report.")
    return body


def _tell(process: subprocess.Popen[bytes], parts: Iterable[dict[str, Any]]) -> None:
    """Hand the parts over as they come. A process that ended meanwhile is noticed by its answer."""
    assert process.stdin
    try:
        for part in parts:
            process.stdin.write(json.dumps(part, ensure_ascii=False, separators=(",", ":")).encode() + b"\n")
        process.stdin.close()
    except BrokenPipeError:
        process.wait()
