"""What a typed value is: for the reader's eye, and for results, which are numbers."""

import json
import math
import re
from typing import Final

from kernel.errors import Invalid

LINE_MAX: Final = 200  # characters of a number, a moment or a length of time
NUMBER: Final = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
_WHOLE = re.compile(r"[+-]?\d+")
_COMMA = re.compile(r"[+-]?\d+,\d+")
_PERCENT = re.compile(r"([+-]?\d+(?:\.\d+)?)\s*%")
_WORDS = {"true": "yes or no", "false": "yes or no", "null": "nothing", "none": "nothing"}


def kind_of(text: str) -> str:
    """The kind that a value is taken for: whole number, number, yes or no, nothing, list, text; '' for no value."""
    text = text.strip()
    if not text:
        return ""
    if _WHOLE.fullmatch(text):
        return "whole number"
    if NUMBER.fullmatch(text):
        return "number"
    if text[0] in "[{" and text[-1] in "]}":
        return "list"
    return _WORDS.get(text.lower(), "text")


def checked_length(text: str, field: str, limit: int = LINE_MAX) -> None:
    """Raises Invalid for a text that is longer than anything of its kind: before any pattern reads it."""
    if len(text) > limit:
        raise Invalid(
            f"This text has {len(text):,} characters; at most {limit:,} are read.", hint="Write less.", field=field
        )


def result_of(text: str, field: str) -> float:
    """The finite number that a result is. Raises Invalid with the way to write it."""
    checked_length(text, field)
    text = text.strip()
    if not text:
        raise Invalid("This result has no value.", hint="Write a number, or take the row out.", field=field)
    if not NUMBER.fullmatch(text):
        raise _no_number(text, field)
    value = float(text)
    if not math.isfinite(value):
        raise Invalid("This number is larger than can be kept.", hint="Check its exponent.", field=field)
    return value


def _no_number(text: str, field: str) -> Invalid:
    if _COMMA.fullmatch(text):
        return Invalid("Not a number.", hint=f"Write {text.replace(',', '.')} with a point.", field=field)
    percent = _PERCENT.fullmatch(text)
    if percent:
        part = f"{float(percent[1]) / 100:.12g}"
        return Invalid("Not a number.", hint=f"Write {part}, or {percent[1]} without the sign.", field=field)
    if text.lower().lstrip("+-") in ("nan", "inf", "infinity"):
        return Invalid(
            f"{text} is no result.", hint="Take the row out and say in the notes what happened.", field=field
        )
    return Invalid(f"'{text[:60]}' is not a number.", hint="A result is one number, such as 0.8127.", field=field)


def as_typed(value: object) -> str:
    """A JSON value as the text that a form would hold: true, 0.001, [1, 2]."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
