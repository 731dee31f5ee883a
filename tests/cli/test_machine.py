"""The machine, as a worker and as `mled run` tell of it: two packages that know nothing of each other, one record."""

from dataclasses import asdict

import pytest

from mled.capture.machine import this_machine as as_the_command_line_says
from runner.working.facts_machine import this_machine as as_a_worker_says

pytestmark = pytest.mark.once


def test_a_worker_and_the_command_line_say_the_same_of_a_machine():
    of_worker, of_command_line = as_a_worker_says(), as_the_command_line_says()
    assert asdict(of_worker) == asdict(of_command_line)
    assert of_worker.hardware == of_command_line.hardware
    assert of_worker.tags() == of_command_line.tags()
    assert set(of_worker.tags()) == {"mled.host", "mled.os", "mled.hardware"}
