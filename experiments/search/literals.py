"""Value tokens -> values of the type that the left side wants, or an error that says what it wants."""

import datetime as dt
import re
from collections.abc import Sequence

from experiments.search.columns import Column, Dialect, Kind
from experiments.search.errors import QueryError, Span, nearest
from experiments.search.limits import MAX_PATTERN
from experiments.search.tokens import Kind as TokenKind
from experiments.search.tokens import Token
from experiments.search.tree import Ago, Day, Entity, Instant, Op, Scalar

_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
_WHOLE = re.compile(r"[+-]?[0-9]{1,18}")
_INFINITE = re.compile(r"[+-]?inf(inity)?", re.IGNORECASE)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT = re.compile(_DAY.pattern + r"[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}:[0-9]{2})?")
_SPAN_OF_TIME = re.compile(r"([0-9]{1,6}) ?(s|second|m|minute|h|hour|d|day|w|week)s?", re.IGNORECASE)
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MILLISECOND = dt.timedelta(milliseconds=1)
_INT64 = 2**63
_DATE_HINT = "Write '2026-01-31', '2026-01-31T09:00Z', or '7d' for seven days ago."


def is_number(text: str) -> bool:
    """Whether a filter takes the text for a number."""
    return bool(_NUMBER.fullmatch(text))


def number(token: Token) -> int | float | None:
    """The number that a bare word stands for; None if it is none. Beyond 64 bits it is a float."""
    if token.kind is not TokenKind.WORD or not is_number(token.text):
        return None
    if token.text.lstrip("+-").isdigit() and len(token.text) < 20 and abs(int(token.text)) < _INT64:
        return int(token.text)
    return float(token.text)


def quoted(token: Token) -> str | None:
    """The text of a value in single or double quotes; None for anything else."""
    if token.kind is TokenKind.STRING or (token.kind is TokenKind.NAME and token.quote == '"'):
        return token.text
    return None


def metric_value(token: Token, dialect: Dialect) -> int | float:
    """What a metric is compared with."""
    value = number(token)
    if value is None and dialect is Dialect.FULL and token.kind is TokenKind.WORD and _INFINITE.fullmatch(token.text):
        value = float(token.text)
    if value is None:
        raise _wanted("a metric is compared with a number", token, suggestion=_unquoted_number(token))
    return value


def param_value(token: Token, op: Op, dialect: Dialect) -> str | int | float:
    """What a param is compared with: text; in FULL also a number, then as numbers."""
    if dialect is Dialect.FULL and op not in (Op.LIKE, Op.ILIKE):
        value = number(token)
        if value is not None:
            return value
        if op in (Op.LT, Op.LE, Op.GT, Op.GE):
            raise _wanted(f"{op.value} compares a param as a number", token, suggestion=_unquoted_number(token))
    return text_value(token, "a param")


def text_value(token: Token, what: str) -> str:
    """A text in quotes."""
    value = quoted(token)
    if value is None:
        meant = f"'{token.shown()}'" if token.kind is TokenKind.WORD else ""
        raise _wanted(f"{what} is compared with a text in quotes", token, suggestion=meant)
    return value


def column_value(token: Token, column: Column, op: Op, dialect: Dialect) -> Scalar:
    """What a named column is compared with."""
    match column.kind:
        case Kind.NUMBER if dialect is Dialect.MLFLOW and _WHOLE.fullmatch(quoted(token) or ""):
            return int(token.text)  # as MLflow reads it
        case Kind.NUMBER:
            return _number_of(token, column)
        case Kind.TIME:
            return _number_of(token, column) if dialect is Dialect.MLFLOW else _time_of(token, column, op)
        case Kind.DURATION:
            return _duration_of(token, column)
        case Kind.FLAG:
            return _flag_of(token, column)
        case Kind.CHOICE if dialect is Dialect.FULL and op not in (Op.LIKE, Op.ILIKE):
            return _choice_of(token, column)
        case _:
            return text_value(token, column.name)


def check_pattern(pattern: str, span: Span) -> None:
    """LIKE patterns are short: a long one costs its length at every row."""
    if len(pattern) > MAX_PATTERN:
        raise QueryError(f"the pattern has {len(pattern):,} characters; {MAX_PATTERN} are allowed.", span)


def _number_of(token: Token, column: Column) -> int | float:
    value = number(token)
    if value is None:
        raise _wanted(f"{column.name} is compared with a number", token, suggestion=_unquoted_number(token))
    return value


def _time_of(token: Token, column: Column, op: Op) -> Scalar:
    value = number(token)
    if value is not None:
        return value
    text = _bare_or_quoted(token)
    value_of_time = _ago(text) or _day(text) or _instant(text)
    if value_of_time is None:
        raise _wanted(f"{column.name} is compared with a date or a time", token, hint=_DATE_HINT)
    if isinstance(value_of_time, Ago) and op in (Op.EQ, Op.NE):
        raise QueryError("a time from now is no exact time.", token.span, hint="Use > for later, < for earlier.")
    return value_of_time


def _duration_of(token: Token, column: Column) -> Ago:
    value = _ago(_bare_or_quoted(token))
    if value is None:
        raise _wanted(f"{column.name} is compared with a duration", token, hint="Write '90s', '15m', '2h' or '3d'.")
    return value


def _flag_of(token: Token, column: Column) -> bool:
    text = _bare_or_quoted(token).lower()
    if text not in ("true", "false"):
        raise _wanted(f"{column.name} is true or false", token, suggestion=nearest(text, ("true", "false")))
    return text == "true"


def _choice_of(token: Token, column: Column) -> str:
    text = text_value(token, column.name)
    known = {word.lower(): stored for word, stored in column.choices.items()}
    known |= {stored.lower(): stored for stored in column.choices.values()}
    if text.lower() not in known:
        said = nearest(text, column.choices)
        raise QueryError(
            f"{column.name} is never “{token.shown()}”.",
            token.span,
            suggestion=f"'{said}'" if said else "",
            hint=f"It is one of {', '.join(column.choices)}.",
        )
    return known[text.lower()]


def _bare_or_quoted(token: Token) -> str:
    text = quoted(token)
    return text if text is not None else token.text if token.kind is TokenKind.WORD else ""


def _ago(text: str) -> Ago | None:
    found = _SPAN_OF_TIME.fullmatch(text.removeprefix("-").strip())
    return Ago(int(found.group(1)), found.group(2)[0].lower()) if found else None


def _day(text: str) -> Day | None:
    try:
        return Day(dt.date.fromisoformat(text)) if _DAY.fullmatch(text) else None
    except ValueError:
        return None


def _instant(text: str) -> Instant | None:
    if not _MOMENT.fullmatch(text):
        return None
    try:
        moment = dt.datetime.fromisoformat(text)
        aware = moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
        aware.astimezone(dt.UTC)
    except (ValueError, OverflowError):
        return None
    return Instant((aware - _EPOCH) // _MILLISECOND)


def _unquoted_number(token: Token) -> str:
    text = quoted(token)
    return text if text is not None and is_number(text) else ""


def _wanted(rule: str, token: Token, *, suggestion: str = "", hint: str = "") -> QueryError:
    found = f"found “{token.shown()}”" if token.kind is not TokenKind.END else "the filter ends here"
    return QueryError(f"{rule}; {found}.", token.span, suggestion=suggestion, hint=hint)


def same_kind(values: Sequence[Scalar]) -> bool:
    """True if a list holds only texts or only numbers."""
    return len({isinstance(value, str) for value in values}) <= 1


KEYED_NOUN = {Entity.PARAM: "a param", Entity.TAG: "a tag", Entity.DATASET: "a dataset's key"}
