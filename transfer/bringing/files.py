"""Files of runs and logged models: taken in by their content, in portions, those left out that are here already."""

from collections.abc import Iterator

from artifacts.blobs import receive
from artifacts.models import ArtifactFile, ArtifactRoot
from artifacts.paths import checked_path
from artifacts.storage import StoredBlob, UploadBroken
from kernel.errors import Invalid, TooLarge
from transfer.actions.mlflow import file_key
from transfer.bringing.under_way import FILE, UnderWay
from transfer.mlflow.records import FilesAway, SourceFile, SourceModel, SourceRun

FILES_AT_ONCE = 100
BYTES_AT_ONCE = 256 * 1024**2
_TRIES = 3

Taken = tuple[str, StoredBlob]


def portions(way: UnderWay, owner: SourceRun | SourceModel, root: ArtifactRoot | None) -> Iterator[list[Taken]]:
    """The files that are not here yet, stored, some at a time. No row speaks of them before they are placed."""
    gathered: list[Taken] = []
    size = 0
    for file in _new_files(way, owner, root):
        stored = _taken(way, owner, file)
        if stored is None:
            continue
        gathered.append((file.path, stored))
        size += stored.size_bytes
        if len(gathered) >= FILES_AT_ONCE or size >= BYTES_AT_ONCE:
            yield gathered
            gathered, size = [], 0
    if gathered:
        yield gathered


def _new_files(way: UnderWay, owner: SourceRun | SourceModel, root: ArtifactRoot | None) -> Iterator[SourceFile]:
    if not way.with_files:
        return
    here = dict(ArtifactFile.objects.filter(root=root).values_list("path", "size_bytes")) if root is not None else {}
    try:
        for file in way.source.files(owner):
            way.tally.counts["files_held"] += 1
            if here.get(file.path, -1) == file.size_bytes and way.moved(FILE, file_key(owner.id, file.path)):
                way.tally.counts["files_there"] += 1
                continue
            yield file
    except FilesAway as error:
        way.tally.tell("files", str(error))
        way.tally.counts["without_files"] += 1


def _taken(way: UnderWay, owner: SourceRun | SourceModel, file: SourceFile) -> StoredBlob | None:
    """One file in the store; None where it cannot be had, which is told."""
    where = f"file {file.path[:120]} of {owner.id}"
    try:
        checked_path(file.path)
        if file.size_bytes is None:
            raise FilesAway("It is no plain file, or leads out of its folder.")
        for attempt in range(1, _TRIES + 1):
            try:
                with way.source.open(owner, file) as incoming:
                    return receive(incoming, expected=file.size_bytes)
            except UploadBroken:
                if attempt == _TRIES:
                    raise
    except (Invalid, TooLarge) as error:
        way.tally.tell(where, str(error))
    return None
