"""Earlier heads of the log: what people may have kept of it."""

import datetime as dt

from audit.ledger.models import Checkpoint
from kernel.clock import now

DAYS = 31
MONTHS = 24


def daily_heads() -> list[Checkpoint]:
    """The last head before each midnight (UTC) of the last month, and before each first of the month of two years."""
    today = now().date()
    days = {today - dt.timedelta(days=ago) for ago in range(DAYS)}
    days |= {_first_of_month(today, ago) for ago in range(MONTHS)}
    found: dict[int, Checkpoint] = {}
    for day in sorted(days):
        head = head_before(dt.datetime.combine(day, dt.time.min, dt.UTC))
        if head is not None:
            found[head.pk] = head
    return list(found.values())


def head_before(moment: dt.datetime) -> Checkpoint | None:
    """The last head that was signed before a moment: by halves, since heads are many and only their ids are ordered."""
    rows = Checkpoint.objects.order_by("-pk")
    low = Checkpoint.objects.order_by("pk").values_list("pk", "at").first()
    if low is None or low[1] >= moment:
        return None
    first, last = low[0], rows.values_list("pk", flat=True)[0]
    while first < last:
        middle = (first + last + 1) // 2
        found, at = rows.filter(pk__lte=middle).values_list("pk", "at")[0]
        if at < moment:
            first = middle
        else:
            last = found - 1
    return rows.filter(pk__lte=first).first()


def _first_of_month(day: dt.date, ago: int) -> dt.date:
    months = day.year * 12 + day.month - 1 - ago
    return dt.date(months // 12, months % 12 + 1, 1)
