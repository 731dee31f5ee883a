"""Amounts as people write them: 16 GB, 90 minutes. What is stored stays in MB, seconds and minutes."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from kernel.errors import Invalid

GB: Final = 1024
HOUR: Final = 3600
_WRITTEN: Final = re.compile(r"(\d[\d,]*(?:\.\d+)?|\.\d+)\s*([a-z]*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Measure:
    """A kind of amount. units: of each word, how many of the stored unit it is; say: a stored amount in words; plain:
    the word of the stored unit; hint: how it is written."""

    units: Mapping[str, float]
    say: Callable[[float], str]
    plain: str
    hint: str

    def read(self, text: str) -> int:
        """What somebody wrote, as it is stored. Raises Invalid."""
        written = _WRITTEN.fullmatch(text.strip())
        times = self.units.get(written[2].lower()) if written else None
        if written is None or times is None:
            raise Invalid(f"'{text.strip()[:40]}' is no such amount.", hint=self.hint)
        return round(float(written[1].replace(",", "")) * times)

    def written(self, stored: int) -> str:
        """A stored amount so that `read` gives it again."""
        short = self.say(stored)
        return short if self.read(short) == stored else f"{stored} {self.plain}"


def memory_words(megabytes: float) -> str:
    """ "512 MB", "1.5 GB"."""
    return f"{megabytes / GB:,.6g} GB" if megabytes >= GB else f"{megabytes:g} MB"


def time_words(seconds: float) -> str:
    """ "90 seconds", "10 minutes", "24 hours"."""
    whole = int(seconds)
    if whole and whole % HOUR == 0:
        return _counted(whole // HOUR, "hour")
    return _counted(whole // 60, "minute") if whole and whole % 60 == 0 else _counted(whole, "second")


def minutes_words(minutes: float) -> str:
    """The same of minutes."""
    return time_words(60 * minutes) if minutes else "0 minutes"


def _counted(number: int, unit: str) -> str:
    return f"{number:,} {unit}{'' if number == 1 else 's'}"


def _times(second: float) -> dict[str, float]:
    """The words for spans of time. second: how much of the stored unit one is."""
    words = {("s", "sec", "second"): 1, ("min", "minute"): 60, ("h", "hour"): HOUR, ("d", "day"): 24 * HOUR}
    return {form: times * second for forms, times in words.items() for one in forms for form in (one, f"{one}s")}


MEMORY: Final = Measure(
    {"": 1, "mb": 1, "mib": 1, "gb": GB, "gib": GB, "tb": GB * GB, "tib": GB * GB},
    memory_words,
    "MB",
    "Write it as 16 GB or 512 MB; a number alone is MB.",
)
TIME: Final = Measure(
    {"": 1, **_times(1)}, time_words, "seconds", "Write it as 2 hours or 90 minutes; a number alone is seconds."
)
SILENCE: Final = Measure(
    {"": 1, **_times(1 / 60)},
    minutes_words,
    "minutes",
    "Write it as 24 hours or 30 minutes; a number alone is minutes.",
)
