"""The step before the sandbox: into its control groups, and as root out of what root may do. Then it is bubblewrap.

Only the standard library, and nothing of MLED: it is started by its path. Root could read folders on the way to what
the command shall see, which the user it becomes cannot; so root binds them to one place first, in a mount namespace
that nobody else sees, and then gives up everything for good.
"""

import ctypes
import json
import os
import sys
from pathlib import Path
from typing import Any, Final

CLONE_NEWNS: Final = 0x00020000
MS_NOSUID: Final = 2
MS_NODEV: Final = 4
MS_BIND: Final = 4096
MS_REC: Final = 16384
MS_PRIVATE: Final = 1 << 18
STAGE: Final = "/tmp"  # noqa: S108 - covered by a file system of its own first, which nobody else sees


def main(order_fd: int) -> None:
    """Never returns. A step that fails says why on the standard error and ends with 126."""
    with open(order_fd, "rb") as opened:
        order: dict[str, Any] = json.load(opened)
    for tasks in order["groups"]:
        Path(tasks).write_text("0")
    _be_the_first_to_go()
    if order["cpus"]:
        os.sched_setaffinity(0, order["cpus"])
    if order["user"]:
        _stage([str(path) for path in order["stage"]])
        os.chdir("/")
        os.setgroups([])
        os.setresgid(order["user"], order["user"], order["user"])
        os.setresuid(order["user"], order["user"], order["user"])
    words = order["words"]
    os.execve(words[0], words, {})


def _be_the_first_to_go() -> None:
    """Where the machine's memory runs out, the system ends this rather than the server."""
    Path("/proc/self/oom_score_adj").write_text("1000")


def _stage(paths: list[str]) -> None:
    """Have each of them at /tmp/<its number>, open to everybody who gets here, and that is only this process."""
    libc = ctypes.CDLL(None, use_errno=True)

    def mount(source: str, target: str, kind: str | None, flags: int, data: str | None = None) -> None:
        words = [word.encode() if word is not None else None for word in (source, target, kind, data)]
        if libc.mount(words[0], words[1], words[2], ctypes.c_ulong(flags), words[3]) != 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), source)

    if libc.unshare(CLONE_NEWNS) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), "a mount namespace")
    mount("none", "/", None, MS_REC | MS_PRIVATE)
    held = [os.open(path, os.O_PATH | os.O_CLOEXEC) for path in paths]
    mount("mled", STAGE, "tmpfs", MS_NOSUID | MS_NODEV, "mode=755,size=1m")
    for number, descriptor in enumerate(held):
        target = Path(STAGE, str(number))
        if os.path.isdir(f"/proc/self/fd/{descriptor}"):
            target.mkdir()
        else:
            target.touch()
        mount(f"/proc/self/fd/{descriptor}", str(target), None, MS_BIND | MS_REC)
        os.close(descriptor)


if __name__ == "__main__":
    try:
        main(int(sys.argv[1]))
    except OSError as error:
        sys.stderr.write(f"{error.filename}: {error.strerror}\n")
        sys.exit(126)
