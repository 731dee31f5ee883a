"""A team, a run of its scientist, and a model that the run logged."""

import pytest

from experiments.models import Run
from kernel.actor import Actor
from registry.actions.logged_models import create_logged_model
from registry.models import LoggedModel
from tests.factories import Team, a_member, a_project, a_run, a_team
from tests.stock import a_team_stands_ready as a_team_stands_ready
from tests.stock import django_db_setup as django_db_setup


@pytest.fixture
def team(db: None) -> Team:
    return a_team()


@pytest.fixture
def ada(team: Team) -> Actor:
    return team.scientist


@pytest.fixture
def outsider(db: None) -> Actor:
    """A scientist of another team."""
    return a_member(a_project(), name="Zoe")


@pytest.fixture
def run(ada: Actor) -> Run:
    return a_run(ada)


@pytest.fixture
def model(ada: Actor, run: Run) -> LoggedModel:
    return create_logged_model(ada, run.experiment, name="net", source_run=run, params={"depth": "3"})
