"""Fixtures for every test. Databases, live servers and the browser: see tests/services/__init__.py."""

pytest_plugins = ["tests.services.fixtures", "tests.services.browser"]
