"""The straight way of points: one statement that asks, holds and writes, for calls that scripts make by the thousand.

The ordinary way of `log_batch` asks whether rights still stand as they were read, reads the run, holds it, and then
writes: six round trips on PostgreSQL, of which the points need one. Here everything that could stand against the write
is a condition of the write itself. What was known before is presumed: who the token is and which roles they have
(`Presumed`), and that the run is an ordinary one, its caller's own, active, neither locked nor sealed nor lost. The
same `can()` judges that presumed run, and the statement writes only where the row is like it and the stamp of rights
is still the one that was presumed.

Where nothing was written, whatever the reason, the ordinary way follows and finds the error, the event or the lock.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeVar
from uuid import UUID

from django.db import DatabaseError, connection, models

from accounts.access import can, can_see, facts_for
from accounts.authentication import Presumed
from accounts.decorators import ACTIONS
from accounts.models import Project
from accounts.scoping import ProjectScoped
from audit.ledger.acting import told_of
from audit.ledger.together import write_together
from experiments.metrics.batch import Batch, MetricPoint, by_series
from experiments.metrics.heartbeat import EVERY, is_client
from experiments.metrics.segments import Held, append_to, packed
from experiments.models import Run
from experiments.refs import uid_in
from experiments.values import Lifecycle
from kernel.clock import now

# What an ordinary run is like, besides its id, project and creator. A state check that looks at anything else meets
# `NotPresumed`, and the call goes the ordinary way.
_LIKE: Final[dict[str, Any]] = {
    "lifecycle": Lifecycle.ACTIVE.value,
    "locked_at": None,
    "sealed_at": None,
    "lost_at": None,
}
IS_LIKE: Final = " AND ".join(
    f"r.{name} IS NULL" if value is None else f"r.{name} = '{value}'" for name, value in _LIKE.items()
)
# The heartbeat: whoever was not heard of for so long is noted down first, by the ordinary way.
_HELD: Final = f"""
    SELECT r.id, r.experiment_id FROM experiments_run r
    WHERE r.uid = %s AND r.project_id {{same}} %s AND r.created_by_id {{same}} %s AND {IS_LIKE} AND r.heartbeat_at > %s
    AND EXISTS (SELECT 1 FROM accounts_rightsstamp WHERE id = 1 AND stamp = %s) {{hold}}
"""  # noqa: S608 - names and words of our own
# A comparison that no index answers: a plan that was made while there were few runs must not go by their project.
_ON_POSTGRES: Final = _HELD.format(same="IS NOT DISTINCT FROM", hold="FOR SHARE OF r")
_ON_SQLITE: Final = _HELD.format(same="=", hold="")


M = TypeVar("M", bound=models.Model)
VERB: Final = "experiments.log_batch"
_NO_MODEL: Final = frozenset({None, ""})


class NotPresumed(Exception):
    """Somebody asked of the presumed run what only the row can tell."""


def not_presumed(*args: Any, **kwargs: Any) -> Any:
    """In the place of whatever would read the row."""
    raise NotPresumed


class _Untold:
    """The presumed run's primary key: whatever is done with it wants the row."""

    __getattr__ = __int__ = __index__ = __str__ = __hash__ = __eq__ = not_presumed


def log_points(presumed: Presumed, project: Project, run_id: str, points: Sequence[MetricPoint]) -> bool:
    """Write the points if all is as presumed; False where it is not, and then nothing was written.

    Raises Invalid for a bad point.
    """
    uid = uid_in(run_id)
    if uid is None or not points or not {point.model_id for point in points} <= _NO_MODEL:
        return False
    Batch(points).checked()
    if not is_client(presumed.actor) or not may_write(presumed, project, uid, VERB):
        return False
    rows, held = packed(by_series(points)), _held(presumed, project, uid)
    try:
        if connection.vendor == "postgresql":  # one statement, which is a transaction of its own
            return append_to(held, rows)
        return write_together(lambda: append_to(held, rows))
    except DatabaseError as error:
        if told_of(error) is None:
            raise
        return False


def may_write(presumed: Presumed, project: Project, uid: UUID, verb: str) -> bool:
    """Whether the actor may do that to the presumed run, as far as nothing else has to be known of it.

    What holds for every run like it is judged once for as long as rights stand as they were read.
    """
    actor = presumed.actor
    verdicts, key = facts_for(actor).verdicts, (actor.user_id, actor.token, project.pk, verb)
    if key not in verdicts:
        with connection.execute_wrapper(not_presumed):
            verdicts[key] = may(presumed, presumed_run(presumed, project), verb)
    return verdicts[key] or may(presumed, presumed_run(presumed, project, uid), verb)


def may(presumed: Presumed, row: ProjectScoped, verb: str) -> bool:
    """Whether the actor may do that to a presumed row; False, too, where more has to be known of it."""
    try:
        allowed = can_see(presumed.actor, row) and can(presumed.actor, ACTIONS[verb].permission, row)
    except NotPresumed:
        return False
    return bool(allowed) and not getattr(allowed, "needs_reason", False)


def presumed_run(presumed: Presumed, project: Project, uid: UUID | None = None) -> Run:
    """The run as the statement will find it, or write nothing. Other columns raise NotPresumed when they are read; so
    does its id, where the answer is to hold for any."""
    known = {"id": _Untold(), "project_id": project.pk, "created_by_id": presumed.actor.user_id, **_LIKE}
    run = presumed_row(Run, known if uid is None else {**known, "uid": uid})
    run.project = project
    return run


def presumed_row(model: type[M], known: Mapping[str, Any]) -> M:
    """A row of which only these columns are known: any other raises NotPresumed when it is read."""
    names = [one.attname for one in model._meta.concrete_fields if one.attname in known]  # in their order, as from_db
    row = model.from_db(None, names, [known[name] for name in names])
    row.refresh_from_db = not_presumed  # type: ignore[method-assign]
    return row


def _held(presumed: Presumed, project: Project, uid: UUID) -> Held:
    ids = [uid, project.pk, presumed.actor.user_id]
    heard = now() - EVERY
    if connection.vendor == "postgresql":
        return Held(_ON_POSTGRES, [*ids, heard, presumed.stamp])
    return Held(_ON_SQLITE, [*(one.hex for one in ids if one), _text(heard), presumed.stamp.hex])


def _text(moment: dt.datetime) -> str:
    """A moment as Django keeps it in SQLite."""
    return moment.replace(tzinfo=None).isoformat(" ")
