"""Who carries sweeps on and is killed at one of its statements: each line on stdin forks one.

{"at": 17} is killed before its seventeenth statement, {"at": 0} is not; the answer is how it ended, as a number.
"""

from __future__ import annotations

import itertools
import json
import os
import signal
import sys
from typing import Any

import django

from tests.services.processes import die_with_parent


def carry(at: int) -> None:
    """Be that process until the end."""
    from django.db import connection, connections

    from runner.working.sweeps import carry_sweeps

    die_with_parent()
    connections.close_all()
    numbers = itertools.count(1)

    def counted(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if next(numbers) == at:
            os.kill(os.getpid(), signal.SIGKILL)
        return execute(sql, params, many, context)

    code = 1
    try:
        with connection.execute_wrapper(counted):
            carry_sweeps()
        code = 0
    finally:
        os._exit(code)


def main() -> None:
    django.setup()
    from runner.working import sweeps

    del sweeps  # imported once for all that are forked
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            carry(json.loads(line)["at"])
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)


if __name__ == "__main__":
    main()
