"""Enums of the protocol: clients send the name or the number."""

from collections.abc import Mapping
from typing import Final

from experiments.queries.search import View
from experiments.values import RunStatus
from kernel.errors import Invalid

_RUN_STATUS: Final = {
    1: RunStatus.RUNNING,
    2: RunStatus.SCHEDULED,
    3: RunStatus.FINISHED,
    4: RunStatus.FAILED,
    5: RunStatus.KILLED,
}
_VIEW: Final = {1: View.ACTIVE_ONLY, 2: View.DELETED_ONLY, 3: View.ALL}
_MODEL_STATUS_NUMBERS: Final = {
    1: "LOGGED_MODEL_PENDING",
    2: "LOGGED_MODEL_READY",
    3: "LOGGED_MODEL_UPLOAD_FAILED",
}
_MODEL_STATUS: Final = {
    "LOGGED_MODEL_PENDING": "PENDING",
    "LOGGED_MODEL_READY": "READY",
    "LOGGED_MODEL_UPLOAD_FAILED": "FAILED",
}


def run_status(given: int | str | None) -> RunStatus | None:
    """A run's status, None where none was given. Raises Invalid."""
    return None if given in (None, "") else RunStatus(_word(given, _RUN_STATUS, "status"))


def view(given: int | str | None, field: str) -> View:
    """Which of them, by life: active ones unless something else was asked for. Raises Invalid."""
    return View.ACTIVE_ONLY if given in (None, "", 0, "0") else View(_word(given, _VIEW, field))


def model_status(given: int | str) -> str:
    """A logged model's status in our words. Raises Invalid."""
    return _MODEL_STATUS[_word(given, _MODEL_STATUS_NUMBERS, "status")]


def _word(given: int | str | None, numbers: Mapping[int, str], field: str) -> str:
    if isinstance(given, str) and given.isascii() and given.isdigit() and len(given) < 10:
        given = int(given)
    word = numbers.get(given) if isinstance(given, int) else given
    if word not in numbers.values():
        known = ", ".join(str(name) for name in numbers.values())
        raise Invalid(f"'{str(given)[:40]}' is no {field}.", hint=f"It is one of {known}.", field=field)
    return str(word)
