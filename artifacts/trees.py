"""The files below one root, by path. Who may see or change them is asked before, on the run or model they belong to."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from django.db import connection, models
from django.db.models.functions import StrIndex, Substr

from artifacts import hooks, quotas
from artifacts.blobs import know, require_kept
from artifacts.models import ArtifactFile, ArtifactRoot
from artifacts.paths import checked_path, parents
from artifacts.placing import look, park, write
from artifacts.sizes import size_words
from artifacts.storage import Carried, StoredBlob
from audit.ledger.acting import current_act
from kernel.actor import Actor
from kernel.clock import now
from kernel.errors import Conflict

Files = models.QuerySet[ArtifactFile]
RECORDED_AS = "artifacts.artifactfile"


@dataclass(frozen=True, slots=True)
class Entry:
    """A file or folder in a listing. path: from the root. size_bytes: None for a folder."""

    path: str
    is_folder: bool
    size_bytes: int | None = None

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("/")[2]


def root_of(kind: ArtifactRoot.Kind, owner_uid: str, project_id: UUID) -> ArtifactRoot:
    """The root of a run or model, made if it is missing."""
    root, _ = ArtifactRoot.objects.get_or_create(kind=kind, owner_uid=owner_uid, defaults={"project_id": project_id})
    return root  # type: ignore[no-any-return]


def find_root(kind: ArtifactRoot.Kind, owner_uid: str) -> ArtifactRoot | None:
    """The root of a run or model, if it has one."""
    return ArtifactRoot.objects.filter(kind=kind, owner_uid=owner_uid).first()  # type: ignore[no-any-return]


def root_from(pk: UUID, kind: ArtifactRoot.Kind, owner_uid: str, project_id: UUID) -> ArtifactRoot:
    """A root that is there, as its owner's row tells of it: without reading its own."""
    values = [pk, project_id, kind.value, owner_uid]
    return ArtifactRoot.from_db(connection.alias, ("id", "project_id", "kind", "owner_uid"), values)


def recorded_id(root: ArtifactRoot) -> str:
    """What the ledger calls this root: 'run:<id>' or 'model:<id>'."""
    return f"{root.kind}:{root.owner_uid}"


def recorded(digest: str, size_bytes: int) -> dict[str, Any]:
    """What the ledger holds of a file's content."""
    return {"digest": digest, "size_bytes": size_bytes}


def place(actor: Actor, root: ArtifactRoot, *, path: str, stored: StoredBlob) -> ArtifactFile:
    """Put a stored blob at a path, over what was there. Raises Invalid, Conflict, QuotaReached.

    Part of an action that holds the row of the run or model alone: one change of a tree at a time.
    """
    act = current_act()
    _require_changeable(root)
    seen = look(root, checked_path(path), stored.digest)
    _refuse_in_the_way(path, seen.others)
    if seen.is_going:
        know(stored)
    elif not seen.is_known:
        require_kept(stored)
    carried = stored if isinstance(stored, Carried) else None
    file = seen.here or ArtifactFile(root=root, path=path)
    before = recorded(file.blob_id, file.size_bytes) if seen.here else None
    after = recorded(stored.digest, stored.size_bytes)
    if before != after:
        _ask_above(root, path, is_loss=seen.here is not None)
        if seen.has_quota:
            more = stored.size_bytes - (seen.here.size_bytes if seen.here else 0)
            quotas.take(actor, root.project_id, more, of=f"this file has {size_words(stored.size_bytes)}")
        file.blob_id, file.size_bytes = stored.digest, stored.size_bytes
        file.created_by_id, file.created_at = actor.user_id, now()
        write(file, with_blob=not seen.is_known, carried=carried)
        act.record(RECORDED_AS, recorded_id(root), "set", {path: (before, after)})
    elif carried:
        park(carried)  # heals what was damaged in the store
    return file


def _refuse_in_the_way(path: str, others: Sequence[str]) -> None:
    """Raise Conflict where a file lies above the path, or one beneath it makes it a folder."""
    above = parents(path)
    for other in others:
        if other in above:
            raise Conflict(f"'{other}' is a file, so '{path}' cannot lie in it.", hint="Choose another path.")
        raise Conflict(f"'{path}' is a folder, so no file can have that path.", hint="Choose another path.")


def remove(root: ArtifactRoot, path: str) -> int:
    """Take away a file, or all files of a folder ('' for everything); returns how many went.

    Part of an action that holds the row of the run or model alone.
    """
    act = current_act()
    _require_changeable(root)
    doomed = _file_or_folder(root, path)
    if doomed:
        _ask_above(root, path, is_loss=True)
        gone = {file.path: (recorded(file.blob_id, file.size_bytes), None) for file in doomed}
        act.record(RECORDED_AS, recorded_id(root), "set", gone)
        # Recorded just above, all in one: the plain queryset deletes them in one statement.
        models.QuerySet(ArtifactFile).filter(pk__in=[file.pk for file in doomed]).delete()
        quotas.give_back(root.project_id, sum(file.size_bytes for file in doomed))
    return len(doomed)


def _require_changeable(root: ArtifactRoot) -> None:
    """Raise Conflict for the files of a dataset version: they are what its digest says, for good."""
    if root.kind == ArtifactRoot.Kind.DATASET:
        raise Conflict("The files of a dataset version never change.", hint="Add a new version.")


def _ask_above(root: ArtifactRoot, path: str, *, is_loss: bool) -> None:
    """Let rooms above refuse a change of what they rely on. is_loss: something that is there goes."""
    for check in [*hooks.file_changes, *(hooks.file_losses if is_loss else ())]:
        check(root, path)


def _file_or_folder(root: ArtifactRoot, path: str) -> list[ArtifactFile]:
    files = _files(root)
    return list(files.filter(path=path) or within(files, path)) if path else list(files)


def level_of(files: Files, path: str) -> list[Entry]:
    """What lies directly in a folder ('' for the top), by name: two queries, whatever lies deeper. Empty for a file.

    files: all of one root.
    """
    rows = within(files, path) if path else files
    skip = len(path) + 1 if path else 0
    level = rows.annotate(rest=Substr("path", skip + 1)).annotate(cut=StrIndex("rest", models.Value("/")))
    here = [Entry(name, False, size) for name, size in level.filter(cut=0).values_list("path", "size_bytes")]
    names = level.filter(cut__gt=0).annotate(part=Substr("rest", 1, models.F("cut") - 1))
    folders = [Entry(path + "/" * bool(path) + part, True) for part in names.values_list("part", flat=True).distinct()]
    return sorted(here + folders, key=lambda entry: entry.path)


def within(files: Files, path: str) -> Files:
    """The files of a folder, at any depth."""
    return files.filter(**_range_of(path))


def _range_of(folder: str) -> dict[str, str]:
    """Its files as a range of paths, since LIKE forgets case on SQLite: '0' follows '/', by code point on both."""
    return {"path__gte": f"{folder}/", "path__lt": f"{folder}0"}


def _files(root: ArtifactRoot) -> Files:
    return cast("Files", ArtifactFile.objects.filter(root=root))
