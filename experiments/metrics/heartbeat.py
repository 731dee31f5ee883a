"""Signs of life of a run: when its client last wrote to it, to half a minute."""

import datetime as dt

from django.db import connection

from kernel.actor import Actor
from kernel.clock import now

EVERY = dt.timedelta(seconds=30)
# One statement that mostly is not sent and else mostly finds nothing to do; no other column of the row is touched.
_BEAT = "UPDATE experiments_run SET heartbeat_at = %s WHERE id = %s AND (heartbeat_at IS NULL OR heartbeat_at < %s)"


def is_client(actor: Actor) -> bool:
    """Whether a program speaks, by a token, and not a person on a page or MLED itself."""
    return actor.token is not None


def beat(run_id: int, last: dt.datetime | None) -> dt.datetime:
    """Note that something came, and tell when. last: the sign that the caller read.

    A batch calls it before its run is held: two that share the row would wait for one another if both wrote to it then.
    """
    at = now()
    if last is not None and at - last < EVERY:
        return last
    with connection.cursor() as cursor:
        bound = [_bound(at), run_id, _bound(at - EVERY)]
        cursor.execute(_BEAT, bound)
    return at


def _bound(at: dt.datetime) -> str | dt.datetime | None:
    bound: str | dt.datetime | None = connection.ops.adapt_datetimefield_value(at)
    return bound
