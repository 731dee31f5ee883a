"""A team, its scientist Ada with a running run, and somebody who has no part in it."""

import pytest

from experiments.models import Run
from kernel.actor import Actor
from tests.factories import Team, a_person, a_run, a_team
from tests.stock import a_team_stands_ready as a_team_stands_ready
from tests.stock import django_db_setup as django_db_setup


@pytest.fixture
def team(db) -> Team:
    return a_team()


@pytest.fixture
def ada(team) -> Actor:
    return team.scientist


@pytest.fixture
def run(ada) -> Run:
    return a_run(ada, name="first try")


@pytest.fixture
def outsider(db) -> Actor:
    return a_person("Zoe")
