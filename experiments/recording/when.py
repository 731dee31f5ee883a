"""When something ran, as people write it: a moment, and how long it took."""

import datetime as dt
import re
from typing import Final

from experiments.recording.typed import checked_length
from kernel.clock import now
from kernel.errors import Invalid

CLOCKS_DIFFER: Final = dt.timedelta(minutes=5)
_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_UNITS: Final = {"d": 86_400, "h": 3600, "m": 60, "s": 1}
_WORDS: Final = {
    *("d", "day", "days", "h", "hr", "hrs", "hour", "hours", "m", "min", "mins", "minute", "minutes"),
    *("s", "sec", "secs", "second", "seconds"),
}
_PIECE = re.compile(r"[0-9.]+|[^0-9.\s]+")
_AMOUNT = re.compile(r"[0-9]+(\.[0-9]+)?")
_CLOCK = re.compile(r"(\d{1,4}):([0-5]\d)(?::([0-5]\d))?")
_EXAMPLES = "Write it as 1h 20m, 90 min or 1:20:00."


def moment_ms(text: str, field: str) -> int:
    """Milliseconds since 1970 of a moment such as 2026-11-20 14:00 or …T14:00+01:00; without an offset it is UTC.

    Raises Invalid, also for one in the future.
    """
    checked_length(text, field)
    try:
        at = dt.datetime.fromisoformat(text.strip())
    except ValueError:
        raise Invalid(
            f"'{text[:60]}' is no date and time.", hint="Write it as 2026-11-20 14:00.", field=field
        ) from None
    try:
        at = (at if at.tzinfo else at.replace(tzinfo=dt.UTC)).astimezone(dt.UTC)
    except OverflowError:
        raise Invalid("No calendar holds this moment.", field=field) from None
    if at < _EPOCH:
        raise Invalid("This is before 1970.", hint="Check the year.", field=field)
    ahead = at - now()
    if ahead > CLOCKS_DIFFER:
        raise Invalid(
            f"This is {_rough(ahead)} in the future; it is {now():%Y-%m-%d %H:%M} UTC now.",
            hint="Say when it ran.",
            field=field,
        )
    return round(at.timestamp() * 1000)


def _rough(span: dt.timedelta) -> str:
    for size, word in ((86_400, "day"), (3600, "hour"), (60, "minute")):
        count = int(span.total_seconds() // size)
        if count:
            return f"{count:,} {word}{'' if count == 1 else 's'}"
    return "some seconds"


def duration_ms(text: str, field: str) -> int:
    """Milliseconds of '1h 20m', '90 min', '1:20:00' (hours first) or '2 days 4 h'. Raises Invalid."""
    checked_length(text, field)
    said = text.strip().lower().replace(",", " ")
    clock = _CLOCK.fullmatch(said)
    if clock:
        hours, minutes, seconds = (int(part or 0) for part in clock.groups())
        return 1000 * (3600 * hours + 60 * minutes + seconds)
    pieces = _PIECE.findall(said)
    amounts, words = pieces[::2], pieces[1::2]
    if len(pieces) == 1 and _AMOUNT.fullmatch(said):
        raise Invalid(f"'{text[:40]}' has no unit.", hint=_EXAMPLES, field=field)
    if (
        not words
        or len(amounts) != len(words)
        or not all(map(_AMOUNT.fullmatch, amounts))
        or not _WORDS.issuperset(words)
    ):
        raise Invalid(f"'{text[:40]}' is no length of time.", hint=_EXAMPLES, field=field)
    seconds_in_all = sum(float(amount) * _UNITS[word[0]] for amount, word in zip(amounts, words, strict=True))
    if seconds_in_all > 100 * 366 * 86_400:
        raise Invalid("Nothing runs for a hundred years.", hint=_EXAMPLES, field=field)
    return round(1000 * seconds_in_all)
