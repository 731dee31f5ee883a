import pytest

from accounts.roles import Role
from tests import world
from tests.stock import a_team_stands_ready as a_team_stands_ready
from tests.stock import django_db_setup as django_db_setup


@pytest.fixture
def vision(db):
    return world.project("vision")


@pytest.fixture
def ada(vision):
    """A data scientist of the project."""
    return world.at(world.person("ada", Role.DATA_SCIENTIST, vision))


@pytest.fixture
def mia(vision):
    """The project's manager: reads, does not upload."""
    return world.at(world.person("mia", Role.PROJECT_MANAGER, vision))


@pytest.fixture
def eve(db):
    """Of another team."""
    return world.at(world.person("eve", Role.DATA_SCIENTIST, world.project("other")))


@pytest.fixture
def run(ada, vision):
    return world.run(ada, world.default_experiment(vision), name="first try")


@pytest.fixture
def put(ada, run):
    """Ada puts text at a path of the run."""
    from experiments.actions.files import put_file

    return lambda path, text="hello", *, by=ada, into=run: put_file(
        by, into, path=path, stored=world.stored(text.encode())
    )
