"""Fixtures for every test. Databases, live servers and the browser: see tests/services/__init__.py."""

from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.services.fixtures", "tests.services.browser"]

# How long an example takes says how busy the machine is.
settings.register_profile("mled", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("mled")
