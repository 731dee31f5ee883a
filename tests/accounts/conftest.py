"""A team with everybody in it, and somebody who has no part in it."""

import pytest

from kernel.actor import Actor
from tests.factories import Team, a_person, a_team


@pytest.fixture
def team(db) -> Team:
    return a_team()


@pytest.fixture
def outsider(db) -> Actor:
    return a_person("Zoe")
