"""The straight way of params: a script that logs new ones to a run of its own (see `experiments.actions.straight`).

One statement on PostgreSQL finds the run as it is presumed, holds it, sees that it has none of these params, and writes
them with their event. Whatever stands against it, a param of another value too, is found by the ordinary way.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any, Final

import orjson
from django.db import DatabaseError, connection

from accounts.access import roles_text
from accounts.authentication import Presumed
from accounts.models import Project
from audit.ledger.acting import Act, told_of
from audit.ledger.at_once import NeedsMore, event_insertions, event_values, sealed
from audit.ledger.composing import Places, bound, in_order
from audit.ledger.inserting import compiling_cursor
from audit.ledger.together import write_together
from audit.ledger.values import Subject
from experiments.actions.batches import PARAM_KIND
from experiments.actions.straight import IS_LIKE, VERB, may_write
from experiments.metrics.batch import Batch, finite_number
from experiments.metrics.heartbeat import EVERY, is_client
from experiments.refs import uid_in
from experiments.values import VALUE_MAX
from kernel.clock import now

_COLUMNS: Final = "experiments_param (run_id, experiment_id, key, value, number)"
_ONE: Final = f"INSERT INTO {_COLUMNS} VALUES (?, ?, ?, ?, ?)"  # noqa: S608 - names of our own

Pairs = Sequence[tuple[str, str]]


def log_params(presumed: Presumed, project: Project, run_id: str, params: Pairs) -> bool:
    """Write params that are new, if all is as presumed; False where it is not, and then nothing was written.

    Raises Invalid for a bad one.
    """
    uid, actor = uid_in(run_id), presumed.actor
    if uid is None or not params or any(len(value) >= VALUE_MAX for _, value in params):
        return False
    Batch(params=params).checked()
    if not is_client(actor) or not may_write(presumed, project, uid, VERB):
        return False
    act = Act(actor, VERB, roles=roles_text(actor, project.pk), project_id=project.pk)
    act.subject = Subject("experiments.run", uid.hex)
    act.record(PARAM_KIND, uid.hex, "set", {key: (None, value) for key, value in params})
    known = {"uid": uid, "project_id": project.pk, "created_by_id": actor.user_id, "stamp": presumed.stamp}
    try:
        told = event_values(act) | sealed({"changes": act.changes})
        return _write(bound({**known, "heard": now() - EVERY, **told}), params)
    except NeedsMore:
        return False
    except DatabaseError as error:
        if told_of(error) is None:
            raise
        return False


def _write(values: dict[str, Any], params: Pairs) -> bool:
    connection.ensure_connection()
    with connection.wrap_database_errors:
        return (_on_postgres if connection.vendor == "postgresql" else _on_sqlite)(values, params)


def _on_postgres(values: dict[str, Any], params: Pairs) -> bool:
    rows = [{"key": key, "value": value, "number": finite_number(value)} for key, value in params]
    statement, names = _postgres()
    with compiling_cursor() as cursor:
        cursor.execute(statement, in_order(values | {"params": orjson.dumps(rows).decode()}, names))
        return bool(cursor.rowcount)


def _on_sqlite(values: dict[str, Any], params: Pairs) -> bool:
    find, event = _sqlite()
    named = values | {"keys": orjson.dumps([key for key, _ in params]).decode()}
    rows = [(key, value, finite_number(value)) for key, value in params]

    def write() -> bool:
        execute = connection.connection.execute
        found = execute(find, named).fetchall()
        if not found:
            return False
        for row in rows:
            execute(_ONE, (*found[0], *row))
        for statement in event:
            execute(statement, named)
        return True

    return write_together(write)


@cache
def _postgres() -> tuple[str, list[str]]:
    places = Places("postgresql")
    given = f"json_to_recordset({places('params', 'json')}) AS t (key text, value text, number float8)"
    *first, last = event_insertions(places, after="FROM free")
    parts = ", ".join(f"part_{number} AS ({part})" for number, part in enumerate(first))
    text = f"""
        WITH held AS ({_held(places)} FOR NO KEY UPDATE OF r),
        free AS (SELECT id, experiment_id FROM held WHERE NOT EXISTS (
            SELECT 1 FROM experiments_param p, {given} WHERE p.run_id = held.id AND p.key = t.key)),
        params AS (INSERT INTO {_COLUMNS} SELECT free.id, experiment_id, key, value, number FROM free, {given}),
        {parts} {last}"""  # noqa: S608 - names of our own
    return text, places.names


@cache
def _sqlite() -> tuple[str, list[str]]:
    places = Places("sqlite")
    text = f"""{_held(places)} AND NOT EXISTS (SELECT 1 FROM experiments_param p WHERE p.run_id = r.id
        AND p.key IN (SELECT value FROM json_each(:keys)))"""  # noqa: S608 - names of our own
    return text, event_insertions(places)


def _held(places: Places) -> str:
    """The run, as it is presumed. Its project is compared by what no index answers, as for points."""
    same = "IS NOT DISTINCT FROM" if places.vendor == "postgresql" else "IS"
    uid, heard, stamp = places("uid", "uuid"), places("heard", "timestamp with time zone"), places("stamp", "uuid")
    return f"""SELECT r.id, r.experiment_id FROM experiments_run r WHERE r.uid = {uid}
        AND r.project_id {same} {places("project_id", "uuid")}
        AND r.created_by_id {same} {places("created_by_id", "uuid")} AND {IS_LIKE} AND r.heartbeat_at > {heard}
        AND EXISTS (SELECT 1 FROM accounts_rightsstamp WHERE id = 1 AND stamp = {stamp})"""  # noqa: S608 - our own names
