"""Sizes, spans and the words of other programs as a person reads them."""


def said(error: BaseException) -> str:
    """What an error of some library says, in one line and without a full stop."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    first = (str(error).strip().splitlines() or [""])[0][:300].strip().rstrip(".")
    return first or type(error).__name__


def size(count: float) -> str:
    """1.5 GiB."""
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if abs(count) < 1024:
            return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} TiB"


def span(seconds: float) -> str:
    """12 s, 5 min, 3 h, 2 days."""
    for limit, length, unit in ((120, 1, "s"), (7200, 60, "min"), (172_800, 3600, "h")):
        if seconds < limit:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds / 86_400:.0f} days"
