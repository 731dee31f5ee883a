"""What can go wrong in words that a user can act on. Doors turn these into their own protocol.

Every error says what (`message`), may say what next (`hint`) and where (`field`).
"""

from collections.abc import Sequence


class MledError(Exception):
    """A mistake or a refusal, never a bug: doors answer it with `status` and `code`."""

    code = "ERROR"
    status = 400

    def __init__(self, message: str, *, hint: str = "", field: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.field = field

    def __str__(self) -> str:
        """Both as sentences: the message may end in what somebody typed, or in what another program said."""
        stop = "." if self.hint and self.message and self.message[-1] not in ".!?:…" else ""
        return f"{self.message}{stop} {self.hint}".strip()


class Invalid(MledError):
    """The input is wrong; nothing was written."""

    code = "INVALID"


class InvalidFields(Invalid):
    """Several fields are wrong; nothing was written. problems: one for each, with its field, in their order."""

    def __init__(self, problems: Sequence[MledError]) -> None:
        several = len(problems) > 1
        first = problems[0]
        words = f"{len(problems)} fields need another look: {first.message}" if several else first.message
        super().__init__(words, hint=first.hint, field=first.field)
        self.problems = list(problems)


class AlreadyExists(MledError):
    """The name is taken."""

    code = "ALREADY_EXISTS"
    status = 409


class Unauthenticated(MledError):
    """No credential, or one that is not good."""

    code = "UNAUTHENTICATED"
    status = 401


class Refused(MledError):
    """The actor may see the thing but not do this to it."""

    code = "PERMISSION_DENIED"
    status = 403


class NotFound(MledError):
    """It does not exist, or the viewer may not see it: the answer is the same."""

    code = "NOT_FOUND"
    status = 404


class Conflict(MledError):
    """The thing is in a state that does not allow this (locked, deleted, changed meanwhile)."""

    code = "CONFLICT"
    status = 409


class Locked(Refused):
    """The run is locked: a refusal about the thing, whoever asks."""

    code = "LOCKED"


class Stale(MledError):
    """The thing is another by now than the one that the caller speaks of; nothing was written."""

    code = "PRECONDITION_FAILED"
    status = 412


class TooLarge(MledError):
    """More than a documented limit."""

    code = "TOO_LARGE"
    status = 413


class TooMany(MledError):
    """Too many attempts in a while. retry_after: seconds after which it goes on."""

    code = "TOO_MANY_REQUESTS"
    status = 429
    retry_after = 60


class NotServed(MledError):
    """A part of a protocol that MLED does not speak."""

    code = "NOT_IMPLEMENTED"
    status = 501


class Unavailable(MledError):
    """A part of the system is down or busy; trying again later is right."""

    code = "UNAVAILABLE"
    status = 503
    retry_after = 2
