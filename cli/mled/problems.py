"""What can go wrong, in words: what, where, what next, and the id under which the server's log knows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar


class Problem(Exception):
    """Something was refused or failed. problems: of a refusal of several fields, one for each.

    exit_code: what a command that ends with it answers to the shell.
    """

    exit_code: ClassVar[int] = 1

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        field: str = "",
        code: str = "",
        status: int = 0,
        request_id: str = "",
        problems: Sequence[Mapping[str, str]] = (),
        body: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.message, self.hint, self.field, self.code = message, hint, field, code
        self.status, self.request_id = status, request_id
        self.problems = list(problems)
        self.body: Mapping[str, Any] = body or {}

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()

    def as_json(self) -> dict[str, Any]:
        """The same for programs."""
        told: dict[str, Any] = {
            "error": self.message,
            "hint": self.hint,
            "field": self.field,
            "code": self.code,
            "status": self.status,
            "request_id": self.request_id,
            "problems": self.problems,
        }
        return {key: value for key, value in told.items() if value}


class Usage(Problem):
    """The command was called in a way that cannot be meant."""

    exit_code = 2


class Told:
    """Notes what is wrong with one option, so that the others are looked at too."""

    def __init__(self) -> None:
        self._problems: list[Usage] = []

    def __enter__(self) -> None:
        """One option more."""

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> bool:
        if isinstance(error, Usage):
            several = [Usage(one["title"], hint=one["hint"], field=one["field"]) for one in error.problems]
            self._problems += several or [error]
        return isinstance(error, Usage)

    def settle(self) -> None:
        """Raise all that was noted: one as it is, several as one with each in `problems`."""
        if not self._problems:
            return
        first = self._problems[0]
        if len(self._problems) == 1:
            raise first
        told = [{"field": one.field, "title": one.message, "hint": one.hint} for one in self._problems]
        words = f"{len(told)} things need another look: {first.message}"
        raise Usage(words, hint=first.hint, field=first.field, problems=told)


class NotFound(Problem):
    """It does not exist, or one may not see it: the answer is the same."""

    exit_code = 3


class NotSignedIn(Problem):
    """No token, or one that is not good."""

    exit_code = 4


class NotAllowed(Problem):
    """One's role or token does not allow this."""

    exit_code = 4


class Away(Problem):
    """The server does not answer, or asks to come back later."""

    exit_code = 5


_BY_STATUS: dict[int, type[Problem]] = {401: NotSignedIn, 403: NotAllowed, 404: NotFound, 429: Away}


def kind_of(status: int) -> type[Problem]:
    """The kind of problem that an HTTP status tells of."""
    if status in (502, 503, 504):
        return Away
    return _BY_STATUS.get(status, Problem)
