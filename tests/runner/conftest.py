"""A team stands ready: most tests here begin with one."""

from tests.stock import a_team_stands_ready as a_team_stands_ready
from tests.stock import django_db_setup as django_db_setup
