"""Sizes as people write them: 10 GB, 500 MB. Powers of 1000, as disks are sold."""

import re
from typing import Final

from kernel.errors import Invalid

_UNITS: Final = {"b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12, "pb": 10**15}
_SAID: Final = ("B", "kB", "MB", "GB", "TB", "PB")
_WRITTEN: Final = re.compile(r"(\d[\d,]*(?:\.\d+)?|\.\d+)\s*([a-z]+)", re.IGNORECASE)


def size_words(size_bytes: int) -> str:
    """ "812 B", "9.8 GB", "400 MB": rounded for reading."""
    amount, unit = float(max(0, size_bytes)), 0
    while amount >= 999.5 and unit < len(_SAID) - 1:
        amount, unit = amount / 1000, unit + 1
    number = f"{amount:.0f}" if unit == 0 or amount >= 99.95 else f"{amount:.1f}".removesuffix(".0")
    return f"{number} {_SAID[unit]}"


def exact_size(size_bytes: int) -> str:
    """A size so that `read_size` gives it again: in the largest unit that takes at most three decimals."""
    for unit in reversed(_SAID):
        times = _UNITS[unit.lower()]
        if size_bytes >= times and size_bytes * 1000 % times == 0:
            return f"{size_bytes / times:.3f}".rstrip("0").rstrip(".") + f" {unit}"
    return f"{size_bytes} B"


def read_size(text: str, *, field: str = "") -> int:
    """What somebody wrote, in bytes. Raises Invalid."""
    written = _WRITTEN.fullmatch(text.strip())
    times = _UNITS.get(written[2].lower()) if written else None
    if written is None or times is None:
        raise Invalid(f"'{text.strip()[:40]}' is no size.", hint="Write it as 10 GB or 500 MB.", field=field)
    return round(float(written[1].replace(",", "")) * times)
