"""From a request to a typed message: lenient where real clients are loose, an Invalid that names the field elsewhere.

Lenient: whole numbers may be strings, null is unset, unknown fields are ignored, names may be in camelCase. Strict:
types, 64 bits, one value per key, no NUL, no lone surrogate, no endless nesting. Whatever comes in, the answer is a
message or an Invalid.
"""

import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, NoReturn, TypeVar, cast

import msgspec

from kernel.errors import Invalid
from mlflow_api.messages.camel import in_snake_case, may_be_camel

T = TypeVar("T")

_MISSING = re.compile(r"missing required field `([^`]+)`")
_PLACE = re.compile(r" - at `(?:key in )?\$\.?([^`]*)`$")
_SPACED_COLONS = (b" :", b"\t:", b"\n:", b"\r:")
_NOT_JSON = "The body is not JSON that can be read"


def from_json(kind: type[T], body: bytes) -> T:
    """The message in a JSON body; an empty body is an empty object. Raises Invalid."""
    body = body or b"{}"
    try:
        return _decoded(kind, body)
    except msgspec.ValidationError as error:
        raise _explained(str(error)) from None
    except RecursionError:
        raise Invalid(f"{_NOT_JSON}: it is nested too deeply.") from None
    except (msgspec.DecodeError, ValueError) as error:
        raise Invalid(f"{_NOT_JSON}: {error}.", hint="Send one JSON object in UTF-8.") from None


def _decoded(kind: type[T], body: bytes) -> T:
    try:
        message: T = _decoder(cast("Any", kind)).decode(body)
    except msgspec.ValidationError:
        if not may_be_camel(kind, body):
            raise
        return _from_camel(kind, body)
    if _is_as_it_says(message, body):
        return message
    if not _is_plain(body):
        _look_closely(body)
    return _from_camel(kind, body) if may_be_camel(kind, body) else message


def _from_camel(kind: type[T], body: bytes) -> T:
    _look_closely(body)
    message: T = _decoder(cast("Any", kind)).decode(in_snake_case(kind, body))
    return message


def from_query(kind: type[T], query: Mapping[str, Sequence[str]]) -> T:
    """The message in a query string, where a list is a repeated key. Raises Invalid."""
    lists = _list_fields(cast("Any", kind))
    given: dict[str, Any] = {}
    for name, values in query.items():
        if any("\x00" in value for value in values) or "\x00" in name:
            raise Invalid(f"'{_shown(name)}' holds a NUL character.", field=_shown(name))
        if name in lists:
            given[name] = list(values)
        elif len(values) == 1:
            given[name] = values[0]
        elif name in _field_names(cast("Any", kind)):
            raise Invalid(f"'{name}' stands {len(values)} times in the query; send it once.", field=name)
    try:
        return msgspec.convert(given, kind, strict=False)
    except msgspec.ValidationError as error:
        raise _explained(str(error)) from None


@cache
def _decoder(kind: Any) -> "msgspec.json.Decoder[Any]":
    return msgspec.json.Decoder(kind, strict=False)


@cache
def _field_names(kind: Any) -> frozenset[str]:
    return frozenset(field.encode_name for field in msgspec.structs.fields(kind))


@cache
def _list_fields(kind: Any) -> frozenset[str]:
    return frozenset(
        field.encode_name
        for field in msgspec.structs.fields(kind)
        if str(field.type).startswith(("list[", "typing.Union[list["))
    )


def _explained(said: str) -> Invalid:
    """msgspec's words in those of the protocol: which field, and whether it is missing or wrong."""
    found = _PLACE.search(said)
    place = found.group(1) if found else ""
    reason = said[: found.start()] if found else said
    missing = _MISSING.search(reason)
    if missing:
        place = f"{place}.{missing.group(1)}" if place else missing.group(1)
    if missing or "got `null`" in reason or "of length >= 1" in reason:
        return Invalid(f"Missing value for required parameter '{place}'.", field=place)
    reason = reason.replace("`", "'").replace(" | null", "")
    return Invalid(f"Invalid value for parameter '{place or 'request'}': {reason}.", field=place)


def _is_as_it_says(message: Any, body: bytes) -> bool:
    """`_is_plain` for the largest messages, told without a parse: they count what is set in them themselves."""
    members = getattr(message, "members", None)
    return members is not None and _has_no_nul(body) and _has_colons(body, members())


def _is_plain(body: bytes) -> bool:
    """True if the body certainly repeats no key and holds no NUL: most bodies, told by one more parse.

    Every member of an object has a colon. If there are as many colons as members in the parsed value, which holds each
    key of an object once, no key was repeated. Where texts hold colons, only those right behind a quote are counted.
    """
    return _has_no_nul(body) and _has_colons(body, _members(msgspec.json.decode(body)))


def _has_no_nul(body: bytes) -> bool:
    return not (b"\\" in body and b"\\u0000" in body)


def _has_colons(body: bytes, members: int) -> bool:
    if members == body.count(b":"):
        return True
    return members == body.count(b'":') and not any(spaced in body for spaced in _SPACED_COLONS)


def _members(value: dict[str, Any]) -> int:
    """How many members an object has, and the objects that are listed right under it; deeper ones do not count."""
    lists = (item for item in value.values() if type(item) is list and set(map(type, item)) == {dict})
    return len(value) + sum(sum(map(len, items)) for items in lists)


def _look_closely(body: bytes) -> None:
    """Raise Invalid for a repeated key or a NUL, ValueError or RecursionError for what is no JSON."""
    json.loads(body, object_pairs_hook=_once_each, parse_int=float, parse_constant=_refuse_constant)


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise Invalid(f"The key '{_shown(twice)}' stands twice in one object.", field=_shown(twice))
    for key, value in pairs:
        for text in (key, *(value if isinstance(value, list) else (value,))):
            if isinstance(text, str) and "\x00" in text:
                raise Invalid(f"'{_shown(key)}' holds a NUL character, which cannot be stored.", field=_shown(key))
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _shown(name: str) -> str:
    return name[:80].replace("\x00", "�")
