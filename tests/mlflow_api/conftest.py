"""A team with one of everything, and clients of its people."""

import copy
from collections.abc import Iterator

import pytest
from django.core.cache import cache

from accounts.roles import Role, Scope
from experiments.search import rare
from tests.factories import Everything, Team, a_member, a_project, a_team, a_token, everything
from tests.mlflow_api.speaking import Mlflow


@pytest.fixture(autouse=True)
def nobody_has_guessed_yet() -> None:
    """Wrong tokens of other tests do not count here, nor what this process remembers of what was rolled back."""
    cache.clear()
    rare.forget()


@pytest.fixture(scope="package")
def stock(databases, django_db_setup, django_db_blocker) -> Iterator[tuple[Team, Everything]]:
    """A team with one of everything, in a database of this directory's own; what a test does there is rolled back."""
    place = databases.committed()
    with django_db_blocker.unblock():
        place.__enter__()
        team = a_team()
        made = everything(team.engineer, team.project)
    yield team, made
    with django_db_blocker.unblock():
        place.__exit__(None, None, None)


@pytest.fixture
def team(stock: tuple[Team, Everything], db) -> Team:
    return copy.deepcopy(stock[0])


@pytest.fixture
def things(stock: tuple[Team, Everything], db) -> Everything:
    return copy.deepcopy(stock[1])


@pytest.fixture
def root(team: Team) -> str:
    return f"/mlflow/{team.project.slug}"


@pytest.fixture
def engineer(team: Team, root: str) -> Mlflow:
    """May do everything that this door offers."""
    return Mlflow(a_token(team.engineer)[1], root)


@pytest.fixture
def reader(team: Team, root: str) -> Mlflow:
    """The engineer with a token that only reads."""
    return Mlflow(a_token(team.engineer, scopes=[Scope.READ])[1], root)


@pytest.fixture
def stranger(db) -> Mlflow:
    """An engineer of another team, at home in a project of her own."""
    elsewhere = a_project()
    zoe = a_member(elsewhere, Role.ML_ENGINEER, "Zoe")
    return Mlflow(a_token(zoe, default_project=elsewhere)[1])
