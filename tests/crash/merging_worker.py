"""Merges segments in processes that die at a certain statement: each line "series number moment" on stdin forks one.

moment is "before" the so many-th statement is sent, or "after" it was answered. What is answered: "killed" or "over".
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

import django

from tests.services.processes import die_with_parent


class Death:
    """Wraps the statements of a connection and ends the process by SIGKILL at one of them."""

    def __init__(self, number: int, moment: str) -> None:
        self.left, self.moment = number, moment

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        self.left -= 1
        if self.left == 0 and self.moment == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        answer = execute(sql, params, many, context)
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer


def merge(series: int, number: int, moment: str) -> None:
    """Merge what there is, as the task by the clock does, as far as the process lives."""
    from django.db import connection

    from experiments.metrics.compaction import compact

    die_with_parent()
    with connection.execute_wrapper(Death(number, moment)):
        compact(series)


def main() -> None:
    django.setup()
    from experiments.metrics import compaction

    compaction.TIERS = (compaction.Tier(0, 3, 3, 10), compaction.Tier(3, 9, 3, 3))  # type: ignore[misc]
    for line in sys.stdin:
        series, number, moment = line.split()
        pid = os.fork()
        if pid == 0:
            merge(int(series), int(number), moment)
            os._exit(0)
        _, status = os.waitpid(pid, 0)
        print("killed" if os.WIFSIGNALED(status) else f"over {os.waitstatus_to_exitcode(status)}", flush=True)


if __name__ == "__main__":
    main()
