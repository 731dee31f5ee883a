"""Signs of life of a run: when it was last written to, to half a minute."""

import datetime as dt

from django.db import connection

from kernel.clock import now

EVERY = dt.timedelta(seconds=30)
# One statement that mostly is not sent and else mostly finds nothing to do; no other column of the row is touched.
_BEAT = "UPDATE experiments_run SET heartbeat_at = %s WHERE id = %s AND (heartbeat_at IS NULL OR heartbeat_at < %s)"


def beat(run_id: int, last: dt.datetime | None) -> None:
    """Part of a batch, before its run is held: note that it came. last: the sign that the caller read.

    Before, since two batches that share the row would wait for one another if both wrote to it.
    """
    at = now()
    if last is not None and at - last < EVERY:
        return
    with connection.cursor() as cursor:
        bound = [_bound(at), run_id, _bound(at - EVERY)]
        cursor.execute(_BEAT, bound)


def _bound(at: dt.datetime) -> str | dt.datetime | None:
    bound: str | dt.datetime | None = connection.ops.adapt_datetimefield_value(at)
    return bound
