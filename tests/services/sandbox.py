"""Whether jobs can be shut off on the machine of the tests: it takes bubblewrap and user namespaces, which many
containers forbid."""

from __future__ import annotations

from functools import cache

import pytest

from runner.executors import Executor
from runner.executors.plain import Plain
from runner.executors.sandbox import Sandbox


@cache
def lacking() -> str:
    """What the machine lacks, in the words that a worker says; '' where it lacks nothing. Tried once in a process."""
    return Sandbox().lacks()


def skip_without() -> None:
    if words := lacking():
        pytest.skip(f"no sandbox here: {words.split('. ')[0]} (docs/workers.md tells what to do)")


def executor_here() -> Executor:
    """For tests that hold with either executor: the sandbox where there can be one."""
    return Plain() if lacking() else Sandbox()
