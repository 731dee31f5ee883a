"""What somebody wants to submit to a board, and everything that is wrong with it, field by field."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from accounts.texts import storable
from boards.models import Board
from experiments.recording.typed import checked_length, result_of
from experiments.recording.wanted import EMAIL_MAX, NAME_MAX, Pair, Problems
from experiments.values import KEY_MAX, checked_key
from kernel.errors import Invalid, InvalidFields, Refused, TooLarge

PARAMS_MAX: Final = 200
RESULTS_MAX: Final = 50
VALUE_MAX: Final = 2000
NOTE_MAX: Final = 5000
CODE_MAX: Final = 1000
SIZE_MAX: Final = 64 * 1024  # bytes of an entry, as JSON
SEED: Final = "seed"


@dataclass(frozen=True, slots=True)
class Wanted:
    """An entry as it was typed or sent. email: a label and no proof; website: a field that no person sees, so that
    whoever fills it in is a machine."""

    email: str = ""
    model: str = ""
    results: Sequence[Pair] = ()
    params: Sequence[Pair] = ()
    seed: str = ""
    code: str = ""
    note: str = ""
    website: str = ""


@dataclass(frozen=True, slots=True)
class Checked:
    """An entry as values. results: finite numbers by key, that of the board first."""

    email: str
    model: str
    results: dict[str, float]
    params: dict[str, str]
    code: str
    note: str


def check(wanted: Wanted, board: Board) -> Checked:
    """The values. Raises InvalidFields with all that is wrong, TooLarge, Refused for what a machine filled in."""
    if wanted.website.strip():
        raise Refused("This looks like a machine filled it in.", hint="Leave the field 'website' empty.")
    _refuse_large(wanted)
    problems = Problems()
    email = problems.of(_address, wanted.email)
    model = problems.of(_model, wanted.model)
    results = _results(wanted, board, problems)
    params = _params(wanted, problems)
    code = problems.of(_code, wanted.code)
    note = problems.of(_text, wanted.note, "note", NOTE_MAX)
    if problems.found:
        raise InvalidFields(problems.found)
    return Checked(email or "", model or "", results, params, code or "", note or "")


def _refuse_large(wanted: Wanted) -> None:
    said = [wanted.email, wanted.model, wanted.seed, wanted.code, wanted.note]
    said += [text for pair in (*wanted.results, *wanted.params) for text in pair]
    size = sum(len(one.encode("utf-8", "backslashreplace")) for one in said)
    if size > SIZE_MAX:
        raise TooLarge(
            f"This entry has {size:,} bytes; at most {SIZE_MAX:,} are kept.",
            hint="Put the rest where the link to your code leads.",
        )


def _address(text: str) -> str:
    text = text.strip().lower()  # as runs are looked for by it
    checked_length(text, "email", EMAIL_MAX)
    if not text:
        raise Invalid("Whose entry is it?", hint="An e-mail address: a label, no mail is sent.", field="email")
    try:
        validate_email(text)
    except ValidationError:
        raise Invalid(
            f"'{text[:80]}' is not an e-mail address.", hint="Write it as ada@example.org.", field="email"
        ) from None
    return storable(text, "This address", field="email")


def _model(text: str) -> str:
    if not text.strip():
        raise Invalid("What was it made with?", hint="Such as: gradient boosting, 300 trees.", field="model")
    return _text(" ".join(text.split()), "model", NAME_MAX)


def _text(text: str, field: str, limit: int) -> str:
    checked_length(text, field, limit)
    return storable(text.replace("\r\n", "\n").strip(), "This text", field=field)


def _code(text: str) -> str:
    text = text.strip()
    checked_length(text, "code", CODE_MAX)
    if not text:
        return ""
    try:
        parts = urlsplit(text)
        is_link = parts.scheme in ("http", "https") and bool(parts.hostname) and not any(map(str.isspace, text))
    except ValueError:
        is_link = False
    if not is_link:
        raise Invalid("This is no link.", hint="Write it as https://example.org/code, or leave it out.", field="code")
    return storable(text, "This link", field="code")


def _results(wanted: Wanted, board: Board, problems: Problems) -> dict[str, float]:
    found: dict[str, float] = {}
    for key, value in _named(wanted.results, "results", RESULTS_MAX, problems):
        number = problems.of(result_of, value, f"results.{key}")
        if number is not None:
            found[key] = number
    if board.result_key not in {key.strip() for key, _ in wanted.results}:
        label = board.result_label or board.result_key
        where = f"results.{board.result_key}"
        problems.add(Invalid(f"The result is missing: {label}.", hint="Write a number.", field=where))
    return {key: found[key] for key in sorted(found, key=lambda key: key != board.result_key)}


def _params(wanted: Wanted, problems: Problems) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in _named(wanted.params, "params", PARAMS_MAX, problems):
        kept = problems.of(_text, value, f"params.{key}", VALUE_MAX)
        if kept:
            found[key] = kept
        elif kept is not None:
            problems.add(Invalid(f"'{key}' has no value.", hint="Write one, or take it out.", field=f"params.{key}"))
    seed = problems.of(_text, wanted.seed, SEED, VALUE_MAX)
    if seed and found.get(SEED, seed) != seed:
        problems.add(Invalid(f"The seed stands among the params as {found[SEED][:40]}.", hint="Keep one.", field=SEED))
    elif seed:
        found[SEED] = seed
    return found


def _named(rows: Sequence[Pair], field: str, limit: int, problems: Problems) -> list[Pair]:
    """Rows with good names, each once; what is wrong with names is told."""
    if len(rows) > limit:
        problems.add(Invalid(f"An entry takes at most {limit} {field}; these are {len(rows):,}.", field=field))
        return []
    found: dict[str, str] = {}
    for key, value in rows:
        key = key.strip()
        if key in found:
            problems.add(Invalid(f"'{key[:80]}' stands twice.", hint="Keep one.", field=field))
        elif problems.of(_key, key, field) is not None:
            found[key] = value
    return list(found.items())


def _key(key: str, field: str) -> str:
    checked_length(key, field, KEY_MAX)
    return checked_key(key, field)
