"""Moves parked content in processes that die at a certain step: each line "number moment" on stdin forks one.

A step is a statement, or a moment at which a file is synced or gets its name. moment is "before" or "after" it. What is
answered: "killed" or "over".
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import django

from tests.services.processes import die_with_parent


class Death:
    """Ends the process by SIGKILL at one of its steps."""

    def __init__(self, number: int, moment: str) -> None:
        self.left, self.moment = number, moment

    def step(self, do: Callable[..., Any], *args: Any) -> Any:
        self.left -= 1
        if self.left == 0 and self.moment == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        answer = do(*args)
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer

    def within(self, do: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *args: self.step(do, *args)


def move(number: int, moment: str) -> None:
    """Move what there is, as the task by the clock does, as far as the process lives."""
    from django.db import connection

    from artifacts.parking import move_parked

    die_with_parent()
    death = Death(number, moment)
    os.fsync = death.within(os.fsync)
    Path.replace = death.within(Path.replace)  # type: ignore[method-assign]
    with connection.execute_wrapper(lambda execute, *statement: death.step(execute, *statement)):
        move_parked()


def main() -> None:
    django.setup()
    from artifacts import parking

    parking._AT_ONCE = 3  # type: ignore[misc]
    for line in sys.stdin:
        number, moment = line.split()
        pid = os.fork()
        if pid == 0:
            move(int(number), moment)
            os._exit(0)
        _, status = os.waitpid(pid, 0)
        print("killed" if os.WIFSIGNALED(status) else f"over {os.waitstatus_to_exitcode(status)}", flush=True)


if __name__ == "__main__":
    main()
