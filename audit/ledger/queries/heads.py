"""Earlier heads of the log: what people may have kept of it."""

import datetime as dt

from audit.ledger.models import Checkpoint

DAYS = 31
MONTHS = 24


def earlier_heads(size: int, at: dt.datetime) -> list[Checkpoint]:
    """Heads before the one of this size, signed at that moment: many lately and fewer long ago, so that whoever kept
    the heads up to some day has one of them. The same ones whenever it is asked.

    The last ones 1, 2, 4, 8, … events before, before each midnight (UTC) of a month, each first of two years.
    """
    today = at.date()
    days = {today - dt.timedelta(days=ago) for ago in range(DAYS)}
    days |= {_first_of_month(today, ago) for ago in range(MONTHS)}
    found = [head_before(dt.datetime.combine(day, dt.time.min, dt.UTC)) for day in days]
    found += [_head_within(size - (1 << step)) for step in range(size.bit_length())]
    by_size = {head.size: head for head in found if head is not None and 0 < head.size < size}
    return [by_size[one] for one in sorted(by_size)]


def _head_within(size: int) -> Checkpoint | None:
    """The first head of the greatest size that is not over this one."""
    last = Checkpoint.objects.filter(size__lte=size).order_by("-size").values_list("size", flat=True).first()
    return None if last is None else Checkpoint.objects.filter(size=last).order_by("id").first()


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
