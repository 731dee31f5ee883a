"""A team that stands ready in the database where the tests of a directory roll back: made once, not for each test.

A directory whose tests mostly begin with a team takes both fixtures into its conftest:

    from tests.stock import a_team_stands_ready as a_team_stands_ready
    from tests.stock import django_db_setup as django_db_setup

The first plain `a_team()` of each of its tests then is this team; what a test does to it is rolled back, and any other
team is made as ever. A test of `committed_db` has a database of its own, where nothing stands ready. Where tests count
what the log or the site holds from its beginning, a directory leaves this out.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from django.core.cache import cache

from experiments.search import rare

if TYPE_CHECKING:
    from tests.factories import Team

_ready: list[Team] = []


def taken() -> Team | None:
    """The team that stands ready, to the first who asks."""
    return _ready.pop() if _ready else None


@pytest.fixture(scope="package")
def django_db_setup(django_db_setup: None, databases, django_db_blocker) -> Iterator[Team]:
    """The directory's own clone with a team in it; the ORM speaks to it while the directory's tests run."""
    from tests.factories import a_team

    clone = databases.committed()
    with django_db_blocker.unblock():
        clone.__enter__()
        team = a_team()
    yield team
    with django_db_blocker.unblock():
        clone.__exit__(None, None, None)


@pytest.fixture(autouse=True)
def a_team_stands_ready(request: pytest.FixtureRequest) -> Iterator[None]:
    """What this process remembers outlives the roll-back, and would answer the same people with what is gone."""
    cache.clear()
    rare.forget()
    names = request.fixturenames
    if "committed_db" not in names and ("db" in names or request.node.get_closest_marker("django_db")):
        _ready.append(copy.deepcopy(request.getfixturevalue("django_db_setup")))
    yield
    _ready.clear()
