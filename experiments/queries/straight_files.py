"""A run's file in one round trip: rights, run and file are asked by one statement.

What this process knows of the caller is presumed, and the statement finds nothing where the stamp of rights is another
by now. Where it finds nothing, whatever the reason, the ordinary way follows and says why.
"""

from typing import Any, BinaryIO, Final
from uuid import UUID

from django.db import connection

from accounts.access import can_see, require
from accounts.models import Project
from artifacts.models import ArtifactFile
from artifacts.placing import FILES, OF_FILE, found_in
from artifacts.queries.files import open_found
from audit.ledger.inserting import compiling_cursor
from experiments.locations import FilePlace
from experiments.models import Run
from experiments.refs import uid_in
from experiments.values import Lifecycle
from kernel.actor import Actor

_RUN: Final = ("id", "uid", "project_id", "experiment_id", "lifecycle", "created_by_id", "locked_at")
_STATEMENT: Final = f"""
    SELECT r.id, r.project_id, r.experiment_id, r.created_by_id, {OF_FILE}
    FROM experiments_run r JOIN experiments_experiment e ON e.id = r.experiment_id
    JOIN {FILES} ON f.root_id = r.artifact_root_id
    WHERE r.uid = %s AND f.path = %s AND r.lifecycle = '{Lifecycle.ACTIVE.value}' AND r.locked_at IS NULL
    AND e.artifact_location = '' AND CASE WHEN e.is_default THEN '0' ELSE CAST(e.id AS text) END = %s
    AND EXISTS (SELECT 1 FROM accounts_rightsstamp WHERE id = 1 AND stamp = %s)
"""  # noqa: S608 - names and words of our own


def open_file_straight(
    viewer: Actor, stamp: UUID, project: Project, place: FilePlace
) -> tuple[ArtifactFile, BinaryIO] | None:
    """A file of an ordinary run of this project with a seekable reader over its bytes; None where all is not as
    presumed. stamp: of the rights by which the viewer is presumed. Raises what the ordinary way raises, too."""
    uid = uid_in(place.owner)
    if uid is None:
        return None
    with compiling_cursor() as cursor:
        cursor.execute(_STATEMENT, [_key(uid), place.path, place.place, _key(stamp)])
        row = cursor.fetchone()
    if row is None or _uuid(row[1]) != project.pk:
        return None
    run = _run(uid, row, project)
    if not (can_see(viewer, project) and can_see(viewer, run)):  # a guest of one experiment sees no project
        return None
    require(viewer, "experiments.download", run)
    found = found_in(row[4:])
    return found.file, open_found(viewer, found.file, parked=found.parked)


def _run(uid: UUID, row: Any, project: Project) -> Run:
    """As much of the run as its rights are judged by; the rest follows when it is asked for."""
    pk, _, experiment_id, creator = row[:4]
    known = dict(zip(_RUN, (pk, uid, project.pk, experiment_id, Lifecycle.ACTIVE, _uuid(creator), None), strict=True))
    names = [one.attname for one in Run._meta.concrete_fields if one.attname in known]
    run: Run = Run.from_db(connection.alias, names, [known[name] for name in names])
    run.project = project
    return run


def _key(value: UUID) -> UUID | str:
    return value if connection.features.has_native_uuid_field else value.hex


def _uuid(value: UUID | str | None) -> UUID | None:
    return UUID(value) if isinstance(value, str) else value
