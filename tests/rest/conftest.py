import copy
import json

import pytest
from django.test import Client

from accounts.actions.tokens import create_token, new_secret
from accounts.roles import Role, Scope
from kernel.actor import operator
from tests import world
from tests.mlflow_api.conftest import nobody_has_guessed_yet as nobody_has_guessed_yet


class Api:
    """Somebody's programs: JSON in, JSON out."""

    def __init__(self, token):
        self.client = Client(headers={"authorization": f"Bearer {token}", "accept": "application/json"})

    def get(self, path, expecting=200, **query):
        return self._answer(self.client.get(f"/api/v1/{path}", query), expecting)

    def send(self, method, path, body=None, expecting=200):
        text = json.dumps({} if body is None else body)
        sent = self.client.generic(method, f"/api/v1/{path}", text, content_type="application/json")
        return self._answer(sent, expecting)

    def post(self, path, body=None, expecting=200):
        return self.send("POST", path, body, expecting)

    def _answer(self, answer, status):
        assert answer.status_code == status, answer.getvalue().decode()
        if status == 204:
            return None
        kind = "application/json" if status < 400 else "application/problem+json"
        assert answer["Content-Type"].startswith(kind)
        return json.loads(answer.getvalue())


class Signed(Api):
    """Somebody who is signed in, asking the API from their browser's session."""

    def __init__(self, user):
        self.client = Client(headers={"accept": "application/json"})
        self.client.force_login(user, backend="accounts.backends.EmailBackend")


def token_of(user, *, scopes=tuple(Scope), days=300, **options):
    secret = new_secret()
    create_token(operator(), owner=user, name="tests", secret=secret, scopes=scopes, days=days, **options)
    return secret


@pytest.fixture(scope="package")
def django_db_setup(django_db_setup, databases, django_db_blocker):
    """This directory's own clone, with a project and its people; what a test does to them is rolled back."""
    clone = databases.committed()
    with django_db_blocker.unblock():
        clone.__enter__()
        vision = world.project("vision")
        people = {
            "ada": world.person("ada", Role.DATA_SCIENTIST, vision),
            "bob": world.person("bob", Role.ML_ENGINEER, vision),
            "mia": world.person("mia", Role.PROJECT_MANAGER, vision),
            "ann": world.person("ann", Role.AUDITOR, vision),
            "eve": world.person("eve", Role.DATA_SCIENTIST, world.project("other")),
            "kim": world.person("kim", Role.ADMINISTRATOR),
        }
    yield vision, people
    with django_db_blocker.unblock():
        clone.__exit__(None, None, None)


@pytest.fixture
def vision(db, django_db_setup):
    """A project with somebody in each role."""
    return copy.deepcopy(django_db_setup[0])


@pytest.fixture
def people(vision, django_db_setup):
    """One person for each role in the project, one of another team, and an administrator."""
    return copy.deepcopy(django_db_setup[1])


@pytest.fixture
def api(people):
    """`api("ada")`: Ada's programs, with a token for everything."""
    made = {}

    def of(name):
        made[name] = made.get(name) or Api(token_of(people[name]))
        return made[name]

    return of


@pytest.fixture
def signed_in(people):
    """`signed_in("kim")`: Kim in person, which is more than a token of hers may."""
    return lambda name: Signed(people[name])


@pytest.fixture
def ada(people):
    return world.at(people["ada"])


@pytest.fixture
def run(ada, vision):
    return world.run(ada, world.default_experiment(vision), name="first try", started_ms=1000)
