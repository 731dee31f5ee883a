"""The rows that every upload and download asks for, in statements of their own: one look before a file is placed, one
write, one read before it is given out.

By hand, since the ORM composes each anew: 330 us for a look of which the database needs 10.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.db import connection

from artifacts.models import ArtifactFile, ArtifactRoot
from artifacts.paths import parents
from artifacts.storage import Carried
from artifacts.storage.parked import sound
from audit.ledger.acting import current_act
from audit.ledger.inserting import compiling_cursor
from kernel.clock import now

_FILE: Final = ("id", "root_id", "path", "blob_id", "size_bytes")
_ROOT: Final = ("id", "project_id", "kind", "owner_uid")
# A file with its root and, where its bytes are on their way to the store, those: what `found_in` takes apart.
OF_FILE: Final = """
    f.id, f.root_id, f.path, f.blob_id, f.size_bytes, o.id, o.project_id, o.kind, o.owner_uid, p.content"""
FILES: Final = """(
    artifacts_artifactfile f JOIN artifacts_artifactroot o ON o.id = f.root_id
    LEFT JOIN artifacts_parkedblob p ON p.digest = f.blob_id)"""
_READ: Final = f"SELECT {OF_FILE} FROM {FILES} WHERE f.root_id = %s AND f.path = %s"  # noqa: S608 - our own words
# Rows of five kinds in one answer, told apart by the first column: files at the path or above it, one file beneath it,
# the blob where it is known, whether it is about to be cleared away, and whether the project has a quota.
_LOOK: Final = """
    SELECT 'file', id, path, blob_id, size_bytes FROM artifacts_artifactfile WHERE root_id = %s AND path IN ({places})
    UNION ALL
    SELECT * FROM (
        SELECT 'file', id, path, blob_id, size_bytes FROM artifacts_artifactfile
        WHERE root_id = %s AND path >= %s AND path < %s LIMIT 1
    ) AS beneath
    UNION ALL SELECT 'known', 0, '', digest, size_bytes FROM artifacts_blob WHERE digest = %s
    UNION ALL SELECT 'going', 0, '', blob_id, 0 FROM artifacts_unnamedblob WHERE blob_id = %s
    UNION ALL SELECT 'quota', 0, '', '', 0 FROM artifacts_projectquota WHERE project_id = %s
"""
_BLOB: Final = """
    INSERT INTO artifacts_blob (digest, size_bytes, created_at) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING
"""
_PLACE: Final = """
    INSERT INTO artifacts_artifactfile (root_id, path, blob_id, size_bytes, created_by_id, created_at)
    VALUES (%s, %s, %s, %s, %s, %s) RETURNING id
"""
_PARK: Final = """
    INSERT INTO artifacts_parkedblob (digest, content, since) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING
"""
# Of what waits there already, only what was damaged meanwhile: an upload that is answered can be read.
_HEAL: Final = "UPDATE artifacts_parkedblob SET content = %s WHERE digest = %s AND content <> %s"


@dataclass(frozen=True, slots=True)
class Seen:
    """What lies around a path. others: files above and one beneath it; is_going: about to be cleared away; has_quota:
    of its project."""

    here: ArtifactFile | None
    others: Sequence[str]
    is_known: bool
    is_going: bool
    has_quota: bool


def look(root: ArtifactRoot, path: str, digest: str) -> Seen:
    """What is in the way of a file at this path, and whether its content is known."""
    key, places = _key(root.pk), [path, *parents(path)]
    statement = _LOOK.format(places=", ".join(["%s"] * len(places)))
    rows = _rows(statement, [key, *places, key, f"{path}/", f"{path}0", digest, digest, _key(root.project_id)])
    files = {row[2]: row for row in rows if row[0] == "file"}
    here, kinds = files.pop(path, None), {row[0] for row in rows}
    file = None if here is None else _file(root, (here[1], root.pk, *here[2:]))
    return Seen(file, list(files), "known" in kinds, "going" in kinds, "quota" in kinds)


def write(file: ArtifactFile, *, with_blob: bool, carried: Carried | None) -> None:
    """Part of an act that records it: write a file's row, and before it that of its content where it may have none,
    and its bytes where they are carried. One statement on PostgreSQL."""
    current_act()
    moment = connection.ops.adapt_datetimefield_value(file.created_at)
    before = [(_BLOB, [file.blob_id, file.size_bytes, moment])] if with_blob else []
    if carried:
        before += _parking(carried, moment)
    if not file._state.adding:
        for statement, values in before:
            _rows(statement, values)
        file.save()
        return
    row = [_key(file.root_id), file.path, file.blob_id, file.size_bytes, _key(file.created_by_id), moment]
    ((file.pk,),) = _together([*before, (_PLACE, row)])
    file._state.adding, file._state.db = False, connection.alias


def park(carried: Carried) -> None:
    """Part of an act: keep bytes until they are moved to the store, if they are not kept already."""
    _together(_parking(carried, connection.ops.adapt_datetimefield_value(now())))


def _parking(carried: Carried, moment: Any) -> list[tuple[str, list[Any]]]:
    digest, content = carried.digest, carried.content
    return [(_PARK, [digest, content, moment]), (_HEAL, [content, digest, content])]


def _together(parts: Sequence[tuple[str, list[Any]]]) -> list[tuple[Any, ...]]:
    """What the last of these statements gives, each after the one before; on PostgreSQL they are one."""
    *first, (last, values) = parts
    if connection.vendor != "postgresql":
        for statement, given in first:
            _rows(statement, given)
        return _rows(last, values)
    named = ", ".join(f"part_{number} AS ({statement})" for number, (statement, _) in enumerate(first))
    given = [value for _, some in parts for value in some]
    return _rows(f"WITH {named} {last}" if named else last, given)


@dataclass(frozen=True, slots=True)
class Found:
    """A file, and its bytes where they are on their way to the store."""

    file: ArtifactFile
    parked: bytes | None


def read(root_id: UUID, path: str) -> Found | None:
    """The file at a path, with its root. Who may see it is asked by whoever gives it out."""
    row = next(iter(_rows(_READ, [_key(root_id), path])), None)
    return None if row is None else found_in(row)


def found_in(row: Sequence[Any]) -> Found:
    """The file of an answer to OF_FILE."""
    pk, project_id, kind, owner_uid, content = row[5:]
    root: ArtifactRoot = ArtifactRoot.from_db(connection.alias, _ROOT, [_uuid(pk), _uuid(project_id), kind, owner_uid])
    file = _file(root, row[:5])
    return Found(file, None if content is None else sound(file.blob_id, content))


def _file(root: ArtifactRoot, values: Sequence[Any]) -> ArtifactFile:
    """A row as the ORM would have read it: who placed it and when follow when they are asked for."""
    file: ArtifactFile = ArtifactFile.from_db(connection.alias, _FILE, [values[0], root.pk, *values[2:]])
    file.root = root
    return file


def _rows(statement: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    with compiling_cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall()) if cursor.description else []


def _key(value: UUID | None) -> UUID | str | None:
    return value if value is None or connection.features.has_native_uuid_field else value.hex


def _uuid(value: UUID | str) -> UUID:
    return value if isinstance(value, UUID) else UUID(value)
