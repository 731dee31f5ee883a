"""The straight way of new runs: a script begins one with a name, a few tags and nothing that stands against it.

As with points (`experiments.actions.straight`), what could stand against it is compared by the statement that writes:
that rights are as they were known, and that the experiment is as it was read before. On PostgreSQL the number is drawn
by one statement and everything else, the event with it, written by another; on SQLite a turn holds nothing but the
writing. Where nothing was written, the ordinary way follows and says why.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final
from uuid import UUID

import orjson
from django.db import DatabaseError, connection

from accounts.access import roles_text
from accounts.authentication import Presumed
from accounts.models import Project
from audit.ledger.acting import Act, told_of
from audit.ledger.at_once import NeedsMore, event_insertions, event_values, sealed
from audit.ledger.composing import Places, bound, default_of, in_order, insertion, place
from audit.ledger.inserting import compiling_cursor
from audit.ledger.together import write_together
from audit.ledger.values import Subject, plain
from experiments.actions.runs import PARENT, TAG_KIND, columns_of_new
from experiments.actions.straight import may, presumed_row
from experiments.metrics.heartbeat import is_client
from experiments.models import Experiment, Run, RunTag
from experiments.values import Lifecycle
from kernel.ids import uuid7

_VERB: Final = "experiments.create_run"
_KIND: Final = "experiments.run"
_KEPT_AT_MOST: Final = 1_000
# What is known of an experiment that was read before, and compared by the statement that writes.
_KNOWN: Final = ("id", "project_id", "lifecycle", "is_default", "artifact_location", "created_by_id")
_GIVEN: Final = (
    *("id", "uid", "number", "name", "started_ms", "created_at", "created_by_id", "claimed_user", "heartbeat_at"),
    *("project_id", "experiment_id", "source_name", "source_type", "git_commit"),
)
_PAST: Final = {
    "history_user_id": "event_actor_id",
    "history_change_reason": "why",
    "history_date": "created_at",
    "history_type": "how",
}

_known: dict[tuple[UUID, str], Experiment] = {}


@dataclass(frozen=True, slots=True)
class Begun:
    """A run that has begun: what its answer says."""

    uid: UUID
    name: str
    claimed_user: str
    started_ms: int | None
    tags: Mapping[str, str]
    experiment: Experiment
    status: str
    lifecycle: str
    ended_ms: int | None = None


def keep_experiment(wire: str, project: Project, experiment: Experiment) -> None:
    """Remember how an experiment was read, by its id on the wire. Nobody goes by it without a comparison."""
    if len(_known) >= _KEPT_AT_MOST:
        _known.clear()
    known = presumed_row(Experiment, {name: getattr(experiment, name) for name in _KNOWN})
    known.project = project
    _known[project.pk, wire] = known


def begin_run(
    presumed: Presumed, project: Project, wire: str, *, name: str, started_ms: int | None, tags: Mapping[str, str],
    claimed_user: str,
) -> Begun | None:  # fmt: skip
    """Begin a run if all is as presumed; None where it is not, and then nothing was written.

    Raises Invalid for bad values.
    """
    experiment, actor = _known.get((project.pk, wire)), presumed.actor
    if experiment is None or PARENT in tags or not is_client(actor) or actor.is_job:
        return None
    if experiment.lifecycle != Lifecycle.ACTIVE or not may(presumed, experiment, _VERB):
        return None
    columns, tags = columns_of_new(
        actor, experiment, name=name, started_ms=started_ms, tags=tags, claimed_user=claimed_user
    )
    columns["uid"] = uuid7()
    try:
        written = _write(presumed, experiment, columns, tags)
    except NeedsMore:
        return None
    except DatabaseError as error:
        if told_of(error) is None:
            raise
        return None
    if not written:
        return None
    spoken = {one: columns[one] for one in ("uid", "name", "claimed_user", "started_ms")}
    return Begun(**spoken, tags=tags, experiment=experiment, status=_unsaid()["status"], lifecycle=Lifecycle.ACTIVE)


def _write(presumed: Presumed, experiment: Experiment, columns: dict[str, Any], tags: Mapping[str, str]) -> bool:
    act = _act(presumed, experiment, columns, tags)
    besides = {f"experiment_{name}": getattr(experiment, name) for name in _KNOWN} | {"stamp": presumed.stamp}
    besides |= {"how": "+", "why": str(act.event_id), "tags": orjson.dumps(tags).decode()}
    values = bound({**columns, **besides, **event_values(act)})
    connection.ensure_connection()
    with connection.wrap_database_errors:
        return (_on_postgres if connection.vendor == "postgresql" else _on_sqlite)(act, values)


def _act(presumed: Presumed, experiment: Experiment, columns: Mapping[str, Any], tags: Mapping[str, str]) -> Act:
    actor, project_id, uid = presumed.actor, experiment.project_id, columns["uid"].hex
    act = Act(actor, _VERB, roles=roles_text(actor, project_id), project_id=project_id)
    act.subject, act.client_ms = Subject(_KIND, uid), columns["started_ms"]
    loud = {name: [None, plain(value)] for name, value in columns.items() if name not in Run.quiet_fields}
    act.changes.append({"type": _KIND, "id": uid, "op": "create", "fields": _unsaid_in_event() | loud})
    act.record(TAG_KIND, uid, "set", {key: (None, value) for key, value in tags.items()})
    return act


def _numbered(act: Act, number: int, key: int) -> dict[str, Any]:
    """What is bound once the number and the key of the run are known."""
    act.changes[0]["fields"] |= {"number": [None, number], "id": [None, key]}
    return bound({"number": number, "id": key, **sealed({"changes": act.changes})})


@cache
def _unsaid() -> dict[str, Any]:
    """The columns of a new run of which nothing is said."""
    columns = [one for one in Run._meta.concrete_fields if one.attname not in _GIVEN]
    return {one.attname: default_of(one) for one in columns}


@cache
def _unsaid_in_event() -> dict[str, Any]:
    return {name: [None, plain(value)] for name, value in _unsaid().items()}


def _on_postgres(act: Act, values: dict[str, Any]) -> bool:
    draw, draws = _draw_on_postgres(is_alone=not connection.in_atomic_block)
    write, writes = _write_on_postgres()
    with compiling_cursor() as cursor:
        cursor.execute(draw, in_order(values, draws))
        drawn = cursor.fetchone()
        if drawn is None:
            return False
        values |= _numbered(act, drawn[0], drawn[1])
        cursor.execute(write, in_order(values, writes))
        return bool(cursor.rowcount)


def _on_sqlite(act: Act, values: dict[str, Any]) -> bool:
    draw, writes = _on_sqlite_texts()

    def write() -> bool:
        execute = connection.connection.execute
        drawn = execute(draw, values).fetchall()
        if not drawn:
            return False
        bound_now = values | _numbered(act, *drawn[0])
        for statement in writes:
            execute(statement, bound_now)
        return True

    return write_together(write)


# --- The statements


@cache
def _draw_on_postgres(*, is_alone: bool) -> tuple[str, list[str]]:
    """The number and the key of a run that may begin. Alone, it does not wait for the disk (docs/adr/0051)."""
    places = Places("postgresql")
    text = _draw(places, "nextval(pg_get_serial_sequence('experiments_run', 'id'))")
    return (f"{text}, set_config('synchronous_commit', 'off', true)" if is_alone else text), places.names


@cache
def _write_on_postgres() -> tuple[str, list[str]]:
    places = Places("postgresql")
    held = f"SELECT 1 {_as_known(places)} FOR SHARE OF e"
    tags = "held, json_each_text({}) AS t (key, value)".format(places("tags", "json"))
    *first, last = _insertions(places, "FROM held", f"FROM {tags}")
    parts = ", ".join(f"part_{number} AS ({part})" for number, part in enumerate(first))
    return f"WITH held AS ({held}), {parts} {last}", places.names


@cache
def _on_sqlite_texts() -> tuple[str, list[str]]:
    places = Places("sqlite")
    key = "coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'experiments_run'), 0) + 1"
    return _draw(places, key), _insertions(places, "", "FROM json_each(:tags) AS t")


def _draw(places: Places, key: str) -> str:
    return f"""
        UPDATE accounts_projectcounter SET last_run = last_run + 1
        WHERE project_id = {places("project_id", "uuid")} AND EXISTS (SELECT 1 {_as_known(places)})
        RETURNING last_run, {key}"""  # noqa: S608 - words of our own


def _as_known(places: Places) -> str:
    """The experiment, where it is still as it was read, and so are everybody's rights."""
    same = "IS NOT DISTINCT FROM" if places.vendor == "postgresql" else "IS"
    fields = {one.attname: one for one in Experiment._meta.concrete_fields}
    alike = " AND ".join(
        f"e.{name} {'=' if name == 'id' else same} {place(fields[name], f'experiment_{name}', places)}"
        for name in _KNOWN
    )
    stamp = places("stamp", "uuid")
    return f"""FROM experiments_experiment e WHERE {alike}
        AND EXISTS (SELECT 1 FROM accounts_rightsstamp WHERE id = 1 AND stamp = {stamp})"""  # noqa: S608 - names of our own


def _insertions(places: Places, held: str, each_tag: str) -> list[str]:
    given = {name: name for name in _GIVEN}
    past: Any = Run.history.model
    kept = {name: name for name in _GIVEN if name not in Run.quiet_fields}
    run, key = places("id", "bigint"), places("experiment_id", "bigint")
    return [
        insertion(Run, given, places, after=held),
        insertion(past, kept | _PAST, places, after=held),
        f"""INSERT INTO {RunTag._meta.db_table} (run_id, experiment_id, key, value)
            SELECT {run}, {key}, t.key, t.value {each_tag}""",
        *event_insertions(places, after=held),
    ]
