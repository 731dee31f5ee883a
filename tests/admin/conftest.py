import re

import pytest
from django.test import Client

from accounts.roles import Role
from tests import world


class Console:
    """Somebody at the admin console."""

    def __init__(self, user):
        self.client = Client()
        self.client.force_login(user)

    def open(self, path="", expecting=200):
        answer = self.client.get(f"/admin/{path}")
        assert answer.status_code == expecting, (path, answer.status_code)
        return answer.content.decode()

    def send(self, path, expecting=302, **fields):
        """Fill in a form; gives the errors that it shows, or nothing when it went through."""
        answer = self.client.post(f"/admin/{path}", {name: str(value) for name, value in fields.items()})
        assert answer.status_code == expecting, re.sub(r"<[^>]+>|\s+", " ", answer.content.decode())[:2000]
        if answer.status_code != 200:
            return ""
        lists = re.findall(r'<ul class="errorlist[^"]*"[^>]*>(.*?)</ul>', answer.content.decode(), re.DOTALL)
        return " ".join(lists)


@pytest.fixture
def kim(db):
    return world.person("kim", Role.ADMINISTRATOR)


@pytest.fixture
def console(kim):
    return Console(kim)
