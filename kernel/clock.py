"""What time it is. Tests replace `_now` and nothing else."""

import datetime as dt
import time


def _now() -> float:
    return time.time()


def now() -> dt.datetime:
    """The aware UTC time: for our own `*_at` columns."""
    return dt.datetime.fromtimestamp(_now(), tz=dt.UTC)


def now_ms() -> int:
    """Milliseconds since 1970 in UTC: for client times, as on the MLflow wire."""
    return int(_now() * 1000)


def from_ms(ms: int) -> dt.datetime | None:
    """The aware time of a client's milliseconds; None where no calendar holds it (clients may send anything)."""
    try:
        return dt.datetime.fromtimestamp(ms / 1000, tz=dt.UTC)
    except (OverflowError, ValueError, OSError):
        return None
