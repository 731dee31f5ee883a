"""The straight way of small new files: a script sends them by the hundred, and nothing stands against any of them.

As with points (`experiments.actions.straight`), what could stand against one is compared by the statements that write.
There are two: what lies around the path has to be looked at after the run is held, or two files that are sent at the
same moment might lie in each other. Where nothing was written, the ordinary way follows and says why.
"""

from collections.abc import Callable
from functools import cache
from typing import Any, Final
from uuid import UUID

from django.db import DatabaseError, connection, transaction

from accounts.access import roles_text
from accounts.authentication import Presumed
from accounts.models import Project
from artifacts.models import ArtifactRoot
from artifacts.storage import Carried
from artifacts.straight import can_be_asked, insertions, is_free, values_of
from artifacts.trees import RECORDED_AS, recorded
from audit.ledger.acting import Act, told_of
from audit.ledger.at_once import NeedsMore, event_insertions, event_values, sealed
from audit.ledger.composing import Places, bound, in_order
from audit.ledger.inserting import compiling_cursor
from audit.ledger.together import write_together
from audit.ledger.values import Subject
from experiments.actions.straight import IS_LIKE, may_write
from experiments.locations import FilePlace
from experiments.metrics.heartbeat import EVERY, is_client
from experiments.refs import uid_in
from kernel.clock import now

_VERB: Final = "experiments.put_file"


def put_new_file(presumed: Presumed, project: Project, place: FilePlace, read: Callable[[], Carried | None]) -> bool:
    """Put a new file at a path of a run if all is as presumed; False where it is not, and then nothing was written.

    read: gives the bytes, asked once the caller may send them; None where they are not to be had.
    """
    uid = uid_in(place.owner)
    if uid is None or not is_client(presumed.actor) or not can_be_asked():
        return False
    if not may_write(presumed, project, uid, _VERB):
        return False
    carried = read()
    if carried is None:
        return False
    act = _act(presumed, project, uid, place.path, carried)
    try:
        known = {"uid": uid, "project_id": project.pk, "wire": place.place, "stamp": presumed.stamp}
        placed = values_of(place.path, carried, by=presumed.actor.user_id, at=now())
        told = event_values(act) | sealed({"changes": act.changes})
        values = bound({**known, **placed, **told, "heard": now() - EVERY})
        connection.ensure_connection()
        with connection.wrap_database_errors:
            return _on_postgres(values) if connection.vendor == "postgresql" else _on_sqlite(values)
    except NeedsMore:
        return False
    except DatabaseError as error:
        if told_of(error) is None:
            raise
        return False


def _act(presumed: Presumed, project: Project, uid: UUID, path: str, carried: Carried) -> Act:
    actor = presumed.actor
    act = Act(actor, _VERB, roles=roles_text(actor, project.pk), project_id=project.pk)
    act.subject = Subject("experiments.run", uid.hex)
    content = recorded(carried.digest, carried.size_bytes)
    act.record(RECORDED_AS, f"{ArtifactRoot.Kind.RUN.value}:{uid.hex}", "set", {path: (None, content)})
    return act


def _on_postgres(values: dict[str, Any]) -> bool:
    (hold, holds), (write, writes) = _held_on_postgres(), _written_on_postgres()
    with transaction.atomic(), compiling_cursor() as cursor:
        cursor.execute(hold, in_order(values, holds))
        held = cursor.fetchone()
        if held is None:
            return False
        cursor.execute(write, in_order({**values, "root_id": held[0].hex}, writes))
        return bool(cursor.rowcount)


def _on_sqlite(values: dict[str, Any]) -> bool:
    hold, free, writes = _on_sqlite_texts()

    def write() -> bool:
        execute = connection.connection.execute
        held = execute(hold, values).fetchone()
        if held is None:
            return False
        whole = {**values, "root_id": held[0]}
        if execute(free, whole).fetchone() is None:
            return False
        for statement in writes:
            execute(statement, whole)
        return True

    return write_together(write)


# --- The statements


@cache
def _held_on_postgres() -> tuple[str, list[str]]:
    places = Places("postgresql")
    return f"{_held(places)} FOR NO KEY UPDATE OF r", places.names


@cache
def _written_on_postgres() -> tuple[str, list[str]]:
    places = Places("postgresql")
    free = f"SELECT 1 WHERE {is_free(places)}"
    after = "FROM free"
    *first, last = [*insertions(places, after=after), *event_insertions(places, after=after)]
    parts = ", ".join(f"part_{number} AS ({part})" for number, part in enumerate(first))
    return f"WITH free AS MATERIALIZED ({free}), {parts} {last}", places.names


@cache
def _on_sqlite_texts() -> tuple[str, str, list[str]]:
    places = Places("sqlite")
    writes = [*insertions(places, after="WHERE true"), *event_insertions(places)]
    return _held(places), f"SELECT 1 WHERE {is_free(places)}", writes


def _held(places: Places) -> str:
    """The root of the run's files, where run and rights are as presumed and its files lie where the address says."""
    same = "IS NOT DISTINCT FROM" if places.vendor == "postgresql" else "IS"
    by, stamp = places("created_by_id", "uuid"), places("stamp", "uuid")
    return f"""
        SELECT r.artifact_root_id FROM experiments_run r JOIN experiments_experiment e ON e.id = r.experiment_id
        WHERE r.uid = {places("uid", "uuid")} AND r.project_id {same} {places("project_id", "uuid")}
        AND r.created_by_id {same} {by} AND {IS_LIKE} AND r.heartbeat_at > {places("heard", "timestamptz")}
        AND r.artifact_root_id IS NOT NULL AND e.artifact_location = ''
        AND CASE WHEN e.is_default THEN '0' ELSE CAST(e.id AS text) END = {places("wire", "text")}
        AND EXISTS (SELECT 1 FROM accounts_rightsstamp WHERE id = 1 AND stamp = {stamp})"""  # noqa: S608 - our own words
