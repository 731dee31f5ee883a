"""Fixtures for every test. Databases, live servers and the browser: see tests/services/__init__.py."""

from pathlib import Path

import pytest
from django.conf import settings as installed
from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.services.fixtures", "tests.services.browser"]


@pytest.fixture(autouse=True)
def no_anchors_of_earlier_tests() -> None:
    """Anchors are outside of the database, so that no roll-back takes away what a test of this process anchored."""
    (Path(installed.MLED_DATA) / "anchors" / "checkpoints.log").unlink(missing_ok=True)


# How long an example takes says how busy the machine is.
settings.register_profile("mled", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("mled")
