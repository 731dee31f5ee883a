"""A new file of few bytes, as parts of statements that whoever holds its run composes (docs/adr/0056): whether nothing
stands against it, and the rows of its content, its bytes and itself.
"""

from typing import Any, Final
from uuid import UUID

import orjson

from artifacts import hooks
from artifacts.models import ArtifactFile, Blob, ParkedBlob
from artifacts.paths import parents
from artifacts.storage import Carried
from audit.ledger.composing import Places, insertion

_BLOB: Final = {"digest": "digest", "size_bytes": "size_bytes", "created_at": "placed_at"}
_PARKED: Final = {"digest": "digest", "content": "content", "since": "placed_at"}
_FILE: Final = {
    **{name: name for name in ("root_id", "path", "size_bytes", "created_by_id")},
    "blob_id": "digest",
    "created_at": "placed_at",
}


def can_be_asked() -> bool:
    """Whether every room that may refuse a new file says in SQL when it has nothing against one."""
    return all(check in hooks.nothing_against for check in hooks.file_changes)


def is_free(places: Places) -> str:
    """The condition that a new file may lie at a path: nothing is there, above it or beneath it, its content is not
    about to be cleared away nor damaged where it is parked, its project has no quota, and no room has anything against
    it. Asked while the run is held alone; the project is bound beside what `values_of` gives."""
    root, digest = places("root_id", "uuid"), places("digest", "text")
    project = places("project_id", "uuid")
    of_json = "json_array_elements_text({}) AS t (value)" if places.vendor == "postgresql" else "json_each({})"
    here_or_above = f"path IN (SELECT value FROM {of_json.format(places('places', 'json'))})"  # noqa: S608
    beneath = f"path >= {places('beneath', 'text')} AND path < {places('behind', 'text')}"
    conditions = [
        *(_none("artifacts_artifactfile", f"root_id = {root} AND {where}") for where in (here_or_above, beneath)),
        _none("artifacts_unnamedblob", f"blob_id = {digest}"),
        _none("artifacts_parkedblob", f"digest = {digest} AND content <> {places('content', 'bytea')}"),
        _none("artifacts_projectquota", f"project_id = {project}"),
        *(hooks.nothing_against[check].format(root=root) for check in hooks.file_changes),
    ]
    return " AND ".join(conditions)


def _none(table: str, where: str) -> str:
    return f"NOT EXISTS (SELECT 1 FROM {table} WHERE {where})"  # noqa: S608 - words of our own


def insertions(places: Places, *, after: str) -> list[str]:
    """The rows: of the content and its bytes, where they are not there, and of the file."""
    if_new = f"{after} ON CONFLICT DO NOTHING"
    return [
        insertion(Blob, _BLOB, places, after=if_new),
        insertion(ParkedBlob, _PARKED, places, after=if_new),
        insertion(ArtifactFile, _FILE, places, after=after),
    ]


def values_of(path: str, carried: Carried, *, by: UUID | None, at: Any) -> dict[str, Any]:
    """What these statements bind, all but the root."""
    return {
        "path": path,
        "places": orjson.dumps([path, *parents(path)]).decode(),
        "beneath": f"{path}/",
        "behind": f"{path}0",
        "digest": carried.digest,
        "size_bytes": carried.size_bytes,
        "content": carried.content,
        "created_by_id": by,
        "placed_at": at,
    }
