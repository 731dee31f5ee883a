"""Why a job failed, told from what it printed. No database."""

from __future__ import annotations

import pytest

from runner.failures import FRAMES_SHOWN, LINES_SHOWN, NEXT_STEPS, end_of, next_step, without_places
from runner.models import Job
from runner.pages.jobs_words import in_words, waits_words

pytestmark = pytest.mark.once

TRACEBACK = [
    "reading",
    "Traceback (most recent call last):",
    '  File "a.py", line 1, in <module>',
    "    import torch",
    "ModuleNotFoundError: No module named 'torch.nn'",
    "left over",
]


def test_the_last_traceback_is_told_by_its_error_and_the_lines_that_led_there():
    told = end_of([*TRACEBACK, *TRACEBACK[:-1], ""], first=11)
    assert told is not None
    assert (told.error, told.name) == ("ModuleNotFoundError: No module named 'torch.nn'", "ModuleNotFoundError")
    assert (told.lines, told.first) == (tuple(TRACEBACK[2:4]), 19)
    deep = end_of([TRACEBACK[1], *(f"  frame {number}" for number in range(50)), "pkg.errors.Odd"])
    assert deep is not None
    assert (deep.name, len(deep.lines), deep.lines[-1], deep.first) == ("Odd", FRAMES_SHOWN, "  frame 49", 46)


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        (
            '  File "/var/mled/jobs/b15b000000000000000000000000abcd-d44e0000/home/code/deep/raise.py", line 3',
            '  File "deep/raise.py", line 3',
        ),
        (
            '  File "/x/environments/ab12/lib/python3.11/site-packages/torch/nn.py"',
            '  File "site-packages/torch/nn.py"',
        ),
        ("OSError: '/x/jobs/b15b000000000000000000000000abcd-d44e0000/home/out/a.csv'", "OSError: 'out/a.csv'"),
        ("FileNotFoundError: '/inputs/train/home/code/a.csv'", "FileNotFoundError: '/inputs/train/home/code/a.csv'"),
    ],
)
def test_paths_of_the_worker_are_told_from_the_code_on(line: str, shown: str):
    assert without_places(line) == shown
    told = end_of([TRACEBACK[1], f"  {line}", "ValueError: no"])
    assert told is not None
    assert told.lines == (f"  {shown}",)


def test_without_a_traceback_the_last_lines_stand_for_it():
    told = end_of([f"line {number}" for number in range(1, 41)])
    assert told is not None
    assert (told.error, told.lines[0], told.first, len(told.lines)) == ("", "line 33", 33, LINES_SHOWN)
    assert end_of(["", "  "]) is None
    cut = end_of(["Traceback (most recent call last):", "  File"])
    assert cut is not None
    assert cut.error == "File"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ("ModuleNotFoundError: No module named 'torch.nn'", "the package that holds 'torch'"),
        ("socket.gaierror: [Errno -3] Temporary failure in name resolution", "no network"),
        ("FileNotFoundError: [Errno 2] No such file: 'x'", "/inputs/<name>"),
        ("OSError: [Errno 30] Read-only file system: '/inputs/train/x'", "MLED_OUTPUT"),
        ("MemoryError", "more memory"),
        ("ValueError: bad", NEXT_STEPS[Job.Cause.EXIT]),
    ],
)
def test_what_to_do_next_follows_from_the_error(error: str, words: str):
    assert words in next_step(Job.Cause.EXIT, end_of(["Traceback (most recent call last):", "  x", error]))


def test_what_is_tried_again_already_is_not_asked_for():
    assert "try it again" in next_step(Job.Cause.WORKER, None)
    assert "look at the run that tries it again" in next_step(Job.Cause.WORKER, None, is_tried_again=True)


def test_every_way_to_end_has_a_next_step():
    assert {cause for cause in Job.Cause if not next_step(cause, None)} <= {Job.Cause.NONE}


def test_spans_and_places_are_said_in_words():
    spans = [in_words(seconds) for seconds in (0, 34, 200, 9600, 36_000)]
    assert spans == ["a few seconds", "about 30 s", "about 3 min", "about 2 h 40 m", "about 10 h"]
    assert waits_words(1, 0, None) == "Next in line"
    assert waits_words(1_201, 1_200, 60.0) == "Number 1,201 in line, behind 1,200 others; starts in about 1 min"
