"""Asking git: with what the operator configured or alone, never with what a repository says, and never for ever."""

import os
import resource
import select
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from django.conf import settings

from kernel.errors import Unavailable
from runner.working.git_keys import GitKey

SECONDS: Final = 15 * 60.0
MEMORY_MAX: Final = 6 * 1024**3  # bytes of addresses that git may have
LAST_LINES: Final = 4
_LOOK: Final = 0.25  # seconds
AT_ONCE: Final = 1024 * 1024
# What a repository asks for is not done.
_CAREFUL: Final = (
    *("-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "core.symlinks=true"),
    *("-c", "protocol.ext.allow=never", "-c", "gc.auto=0", "-c", "pack.threads=2", "-c", "core.bigFileThreshold=64m"),
    *("-c", "core.packedGitWindowSize=128m", "-c", "core.packedGitLimit=1g"),
    *("-c", "fetch.recurseSubmodules=false", "-c", "submodule.recurse=false", "-c", "maintenance.auto=false"),
    *("-c", "fetch.unpackLimit=1"),  # what comes lies in one folder, where it is measured
)
ALONE: Final = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null"}
_QUIET: Final = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "/bin/false",
    "SSH_ASKPASS": "/bin/false",
    "GIT_LFS_SKIP_SMUDGE": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_ALLOW_PROTOCOL": "",
    "LC_ALL": "C.UTF-8",
}
_PASSED_ON: Final = ("PATH", "HOME", "SSH_AUTH_SOCK", "HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy")
_PASSED_ON_TOO: Final = ("NO_PROXY", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR", "GIT_SSL_CAINFO", "GIT_SSH_COMMAND")

Told = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Said:
    """What git answered."""

    code: int
    text: str

    @property
    def last(self) -> str:
        """Its last lines, in which it says what went wrong."""
        lines = [line.strip() for line in self.text.splitlines() if line.strip()]
        return " ".join(lines[-LAST_LINES:])[-600:] or f"git ended with {self.code}"


def pieces(process: "subprocess.Popen[bytes]", told: Told) -> Iterator[bytes]:
    """What it says, until it has ended."""
    end = time.monotonic() + SECONDS
    while (answer := process.stdout) is not None and time.monotonic() < end:
        if not select.select([answer], [], [], _LOOK)[0]:
            told("")
        elif piece := os.read(answer.fileno(), AT_ONCE):
            yield piece
        else:
            process.wait()
            return
    raise _too_long()


def ask_git(
    words: Sequence[str],
    repository: Path | None,
    told: Told,
    *,
    more: Mapping[str, str] | None = None,
    at: Path | None = None,
    key: GitKey | None = None,
    given: bytes = b"",
) -> Said:
    """Ask git. given: what it reads; told: asked every now and then, so that whoever waits may give up. Raises
    Unavailable."""
    more = {**(more or {}), **(key.variables() if key else {})}
    with tempfile.TemporaryFile() as answer, tempfile.TemporaryFile() as question:
        question.write(given)
        question.seek(0)
        code = _waited(started(words, repository, answer, more=more, at=at, given=question), told)
        answer.seek(max(0, answer.seek(0, os.SEEK_END) - 4096))
        text = answer.read().decode("utf-8", "replace")
    return Said(code, key.hidden(text) if key else text)


def started(
    words: Sequence[str],
    repository: Path | None,
    answer: IO[bytes] | int,
    *,
    more: Mapping[str, str] | None = None,
    at: Path | None = None,
    given: IO[bytes] | int = subprocess.DEVNULL,
) -> "subprocess.Popen[bytes]":
    """git at work. answer: where it writes; given: what it reads. Raises Unavailable where there is none."""
    kept = {name: os.environ[name] for name in (*_PASSED_ON, *_PASSED_ON_TOO) if name in os.environ}
    variables = {**kept, **_QUIET, "GIT_ALLOW_PROTOCOL": ":".join(settings.MLED_GIT_WAYS), **(more or {})}
    variables.setdefault("GIT_SSH_COMMAND", "ssh -o BatchMode=yes")
    if repository is not None:
        variables["GIT_DIR"] = str(repository)
    try:
        process = subprocess.Popen(
            ["git", *_CAREFUL, *words], cwd=at, env=variables, stdin=given,
            stdout=answer, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    except FileNotFoundError:
        raise Unavailable(
            "There is no git on the worker's machine.", hint="Install git there, or upload the code as a zip."
        ) from None
    with suppress(OSError, ValueError):  # it has ended already, or may have less anyway
        resource.prlimit(process.pid, resource.RLIMIT_AS, (MEMORY_MAX, MEMORY_MAX))
    return process


def _waited(process: "subprocess.Popen[bytes]", told: Told) -> int:
    """Its exit code. Whatever ends the waiting ends git and what it started."""
    end = time.monotonic() + SECONDS
    try:
        while time.monotonic() < end:
            try:
                return process.wait(_LOOK)
            except subprocess.TimeoutExpired:
                told("")
    finally:
        end_git(process)
    raise _too_long()


def end_git(process: "subprocess.Popen[bytes]") -> None:
    """It is not needed any more."""
    if process.poll() is None:
        os.killpg(process.pid, 9)
        process.wait()
    if process.stdout is not None:
        process.stdout.close()


def _too_long() -> Unavailable:
    return Unavailable("Fetching the code took longer than a quarter of an hour.", hint="Upload a bundle of it.")
