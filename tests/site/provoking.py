"""How a failure is provoked over its real door, and what was told then."""

from __future__ import annotations

import html
import io
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

Provoke = Callable[["Hands"], "Told"]
PROVOKED: dict[str, Provoke] = {}
_COPIED = re.compile(r"request ([A-Za-z0-9._-]{8,64})")


@dataclass(frozen=True)
class Told:
    """What somebody reads. id: of the request; where there is none, the code alone names it."""

    code: str
    what: str
    next_step: str
    id: str = ""
    status: int = 0


class Hands:
    """What provoking takes: any fixture by name, and the doors."""

    def __init__(self, request: pytest.FixtureRequest) -> None:
        self._request = request

    def __call__(self, fixture: str) -> Any:
        return self._request.getfixturevalue(fixture)

    def doctor(self, check: str, code: str) -> Told:
        """What manage.py doctor says of one problem."""
        with pytest.raises(SystemExit) as end:
            call_command("doctor", "--json", "--check", check, stdout=(printed := io.StringIO()))
        return problem_of(printed.getvalue(), code, int(end.value.code or 0))


def provokes(name: str) -> Callable[[Provoke], Provoke]:
    """The function provokes the failure of this name."""

    def register(provoke: Provoke) -> Provoke:
        assert name not in PROVOKED
        PROVOKED[name] = provoke
        return provoke

    return register


def problem_of(printed: str, code: str, exit_code: int) -> Told:
    """One problem of what the doctor printed as JSON, which bears its exit code."""
    report = json.loads(printed)
    assert exit_code == {"ok": 0, "warning": 1, "failed": 2}[report["level"]]
    problems = {problem["code"]: problem for check in report["checks"] for problem in check["problems"]}
    assert code in problems, f"{code} was not told, but {problems}"
    found = problems[code]
    return Told(code, found["what"], found["next"])


def rest(answer: Any) -> Told:
    """What a program reads in problem JSON."""
    assert answer["Content-Type"].startswith("application/problem+json"), answer.content[:300]
    body = json.loads(answer.content)
    assert body["request_id"] == answer["X-Request-ID"]
    assert body["status"] == answer.status_code
    return Told(body["code"], body["title"], body.get("hint", ""), body["request_id"], answer.status_code)


def mlflow(answer: Any) -> Told:
    """What an MLflow client prints: error_code and message, which holds the hint as well."""
    body = json.loads(answer.content)
    assert body["request_id"] == answer["X-Request-ID"]
    return Told(body["error_code"], body["message"], body["message"], body["request_id"], answer.status_code)


def page(answer: Any) -> Told:
    """What a reader of an error page reads: all of it is the words."""
    text = words_of(answer)
    code = re.search(r"\b\d{3} ([A-Z_]+)\b", text)
    copied = _COPIED.search(text)
    assert copied
    assert copied[1] == answer["X-Request-ID"]
    return Told(code[1] if code else "", text, text, copied[1], answer.status_code)


def words_of(answer: Any) -> str:
    """What a page shows, without its tags."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())).split())


def bearer(token: str) -> Client:
    """A program with this token."""
    return Client(headers={"authorization": f"Bearer {token}"}, raise_request_exception=False)


def signed_in(user: Any) -> Client:
    """A browser without scripts."""
    client = Client(raise_request_exception=False)
    client.force_login(user, backend="accounts.backends.EmailBackend")
    return client
