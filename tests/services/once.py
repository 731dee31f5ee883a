"""Tests that have nothing to do with a database, found by themselves: they are `once`, for the SQLite pass only.

Such a test takes no fixture that leads to a database. What could reach one all the same stays in both passes: files
that start processes, choose fixtures or leave out tests while they run, or ask which database it is. And whoever of
the others so much as asks for a connection fails: it takes `db`, or is marked `once` by whoever knows better.
"""

from __future__ import annotations

import functools
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db.utils import ConnectionHandler

PLACES = (
    "tests/compare/", "tests/console/", "tests/exporting/", "tests/kernel/", "tests/search/",
    "tests/architecture/test_doors", "tests/mlflow_api/test_coverage_page", "tests/mlflow_api/test_messages",
    "tests/registry/test_layout", "tests/rest/test_door", "tests/rest/test_schema",
)  # fmt: skip
DATABASES = {"databases", "db", "django_db_setup", "committed_db", "live_mled", "live_mled_on_s3", "own_live_mled"}
STAYS = re.compile(r"\b(vendor|is_postgres|subprocess|Popen|multiprocessing|getfixturevalue|skipif|pytest\.skip)\b")
ALONE = pytest.StashKey[bool]()


def mark_if_without_database(item: pytest.Item) -> None:
    names = set(getattr(item, "fixturenames", ()))
    known = item.get_closest_marker("django_db") or item.get_closest_marker("once") or names & DATABASES
    if item.nodeid.startswith(PLACES) and not known and not stays(item.path):
        item.add_marker(pytest.mark.once)
        item.stash[ALONE] = True


@functools.cache
def stays(path: Path) -> bool:
    return bool(STAYS.search(path.read_text()))


@pytest.fixture(autouse=True)
def no_connection_without_asking(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Only for tests that were marked above."""
    asked: list[str] = []
    own = threading.current_thread()
    if request.node.stash.get(ALONE, False):
        given = ConnectionHandler.__getitem__

        def noted(handler: ConnectionHandler, alias: str) -> Any:
            if threading.current_thread() is own:  # another test's threads may still be ending
                asked.append(alias)
            return given(handler, alias)

        monkeypatch.setattr(ConnectionHandler, "__getitem__", noted, raising=False)
    yield
    assert asked == [], (
        "It asks for a connection: take `db`, so that it runs on both databases (tests/services/once.py)."
    )
