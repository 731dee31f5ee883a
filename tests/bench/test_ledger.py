"""The bench of the ledger measures what it says, on a log that is sound afterwards."""

import subprocess
import sys

import pytest

from tests.services.processes import ROOT

pytestmark = pytest.mark.once  # it makes a database of its own


def test_every_figure_of_the_ledger_is_measured() -> None:
    command = [sys.executable, "bench/ledger.py", "--events", "1200", "--seconds", "0.3", "--acts", "50"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    lines = [line for line in ended.stdout.splitlines() if line.startswith("| ") and "---" not in line]
    assert len(lines) == 10
    assert all("ms |" in line or "/s |" in line or "%" in line or " s" in line for line in lines[1:])
