"""An installation's directory of its own for each test, and a log that is put in order when a test says so."""

from pathlib import Path

import pytest

from tests.stock import a_team_stands_ready as a_team_stands_ready
from tests.stock import django_db_setup as django_db_setup


@pytest.fixture(autouse=True)
def data(settings, tmp_path: Path) -> Path:
    """MLED_DATA of this test: keys, anchors, stored content."""
    settings.MLED_DATA = tmp_path / "data"
    settings.MLED_DATA.mkdir()
    settings.MLED_SIGNING_KEY = ""
    settings.MLED_LEDGER_ORIGIN = "log.example.org"
    return settings.MLED_DATA
