"""How cells are written: decimal commas, days before months, lengths of time without a unit, words for an end."""

import datetime as dt
import re
from typing import Final
from zoneinfo import ZoneInfo

from experiments.sheets.cells import Cell, Kind, kind_of, text_of
from experiments.values import RunStatus

ISO, DAY_FIRST, MONTH_FIRST = "iso", "dmy", "mdy"
DATES: Final = {ISO: "2026-03-31 14:00", DAY_FIRST: "31.03.2026 14:00", MONTH_FIRST: "03/31/2026 2:00 PM"}
_COMMA: Final = re.compile(r"\s*[+-]?\d{1,300},\d{1,300}(?:[eE][+-]?\d{1,4})?\s*")
_POINT: Final = re.compile(r"\s*[+-]?\d{1,300}\.\d{1,300}(?:[eE][+-]?\d{1,4})?\s*")
_NUMBER: Final = re.compile(r"\d{1,300}(?:\.\d{1,300})?(?:[eE][+-]?\d{1,3})?")
_DAY: Final = re.compile(
    r"(\d{1,2})[./-](\d{1,2})[./-](\d{4}|\d{2})(?:[ T,]+(\d{1,2}):(\d{2})(?::(\d{2}))?\s*([AaPp][Mm])?)?"
)
_LONGEST: Final = 40  # characters of a day and a time
_ENDS: Final = {
    RunStatus.FINISHED: ("finished", "done", "success", "successful", "succeeded", "completed", "complete", "ok",
                         "passed", "finish"),
    RunStatus.FAILED: ("failed", "fail", "failure", "error", "crashed"),
    RunStatus.KILLED: ("killed", "stopped", "cancelled", "canceled", "aborted", "interrupted"),
}  # fmt: skip
_END_OF: Final = {word: status.value for status, words in _ENDS.items() for word in words}
_SECONDS: Final = {"ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0}


def has_comma(text: str) -> bool:
    """Whether a number is written with a decimal comma."""
    return len(text) < 700 and _COMMA.fullmatch(text) is not None


def has_point(text: str) -> bool:
    """Whether a number is written with a decimal point."""
    return len(text) < 700 and _POINT.fullmatch(text) is not None


def number_text(cell: Cell, *, decimal_comma: bool) -> str:
    """The cell, and where it is a number with a decimal comma, that number with a point."""
    text = text_of(cell)
    is_text = isinstance(cell, str)
    return text.strip().replace(",", ".") if decimal_comma and is_text and has_comma(text) else text


def day_parts(text: str) -> tuple[int, int, bool] | None:
    """The first two numbers of a day such as 31.3.2026, and whether points stand between them."""
    found = _DAY.fullmatch(text.strip()) if len(text) < _LONGEST else None
    return (int(found[1]), int(found[2]), "." in found[0].partition(" ")[0]) if found else None


def is_day(text: str) -> bool:
    """Whether a day stands there, with or without a time: 31.3.2026, 2026-03-31 14:00."""
    if day_parts(text):
        return True
    try:
        return 8 < len(text.strip()) < _LONGEST and bool(dt.datetime.fromisoformat(text.strip()))
    except ValueError:
        return False


def ways_of(text: str) -> list[str]:
    """The ways of writing days in which this is one."""
    return [way for way in DATES if way != ISO and _iso(text.strip(), month_first=way == MONTH_FIRST) != text.strip()]


def moment_text(cell: Cell, *, dates: str, zone: str) -> str:
    """The moment in ISO 8601, of that zone where it names none; what is no moment stays as it is."""
    text = text_of(cell).strip()
    if len(text) >= _LONGEST:
        return text
    if dates != ISO and kind_of(cell) is not Kind.DATE:
        text = _iso(text, month_first=dates == MONTH_FIRST)
    try:
        at = dt.datetime.fromisoformat(text)
    except ValueError:
        return text
    if at.tzinfo is not None or zone in ("", "UTC"):
        return text
    try:
        return at.replace(tzinfo=ZoneInfo(zone)).isoformat()
    except OverflowError:
        return text


def _iso(text: str, *, month_first: bool) -> str:
    found = _DAY.fullmatch(text)
    if not found:
        return text
    first, second, year, hours, minutes, seconds, half = found.groups()
    day, month = (second, first) if month_first else (first, second)
    year = year if len(year) == 4 else f"20{year}"
    hour = int(hours or 0)
    if not (1 <= int(month) <= 12 and 1 <= int(day) <= 31 and hour < 24):
        return text  # and is told as it was typed
    if half:
        if not 1 <= hour <= 12:
            return text
        hour = hour % 12 + (12 if half.lower() == "pm" else 0)
    return f"{year}-{int(month):02}-{int(day):02}T{hour:02}:{minutes or '00'}:{seconds or '00'}"


def duration_text(cell: Cell, unit: str, *, decimal_comma: bool) -> str:
    """A length of time as a record has it; unit: of bare numbers, '' where the cell says it itself."""
    text = number_text(cell, decimal_comma=decimal_comma).strip()
    if not unit or len(text) > 200 or not _NUMBER.fullmatch(text):
        return text
    seconds = float(text) * _SECONDS[unit]
    return f"{seconds:.3f} s" if seconds < 1e12 else f"{text} {unit}"


def status_text(cell: Cell) -> str:
    """How it ended in the word of a record, where the word is a known one."""
    text = text_of(cell).strip()
    return _END_OF.get(text.lower(), text)
