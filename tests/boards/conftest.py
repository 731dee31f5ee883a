"""A team whose project is a public board, and people who come to it without an account."""

import pytest

from boards.models import Board
from tests.boards.making import a_board
from tests.factories import Team, a_team
from tests.stock import a_team_stands_ready as a_team_stands_ready
from tests.stock import django_db_setup as django_db_setup


@pytest.fixture
def team(db) -> Team:
    return a_team()


@pytest.fixture
def board(team) -> Board:
    return a_board(team)
