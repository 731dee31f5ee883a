"""Putting files below a run, and taking them away."""

from accounts.access import require
from accounts.decorators import action
from artifacts import quotas, trees
from artifacts.models import ArtifactFile, ArtifactRoot
from artifacts.paths import checked_folder, checked_path
from artifacts.storage import StoredBlob
from experiments.actions.writable import writable_run
from experiments.models import Run
from kernel.actor import Actor
from kernel.errors import Conflict, NotFound

UPLOAD = "experiments.upload"


def expect_file(actor: Actor, run: Run, path: str, *, size_bytes: int | None = None) -> None:
    """Refuse an upload that `put_file` would refuse anyway, before its bytes are taken in.

    size_bytes: as it was announced. Raises Invalid, Conflict, QuotaReached.
    """
    checked_path(path)
    require(actor, UPLOAD, run)
    if run.is_deleted:
        raise Conflict(f"Run {run.uid.hex} is deleted.", hint="Restore it first.", field="run_id")
    quotas.expect(actor, run.project_id, size_bytes or 0, root_id=run.artifact_root_id, path=path)


@action(UPLOAD, on="run")
def put_file(actor: Actor, run: Run, *, path: str, stored: StoredBlob) -> ArtifactFile:
    """Put a stored blob at a path of the run, over what was there; the same content again changes nothing.

    Raises Invalid for a path that leads out, Conflict where a folder is in the way or the run is deleted, Locked.
    """
    checked_path(path)
    run = writable_run(run)
    kind = ArtifactRoot.Kind.RUN
    if run.artifact_root_id is None:
        root = run.artifact_root = trees.root_of(kind, run.ledger_id, run.project_id)
        run.save()
    else:
        root = trees.root_from(run.artifact_root_id, kind, run.ledger_id, run.project_id)
    return trees.place(actor, root, path=path, stored=stored)


@action(UPLOAD, on="run")
def delete_files(actor: Actor, run: Run, *, path: str) -> int:
    """Take away a file, or a folder with all in it ('' for every file); the ledger keeps their digests.

    Returns how many went. Raises NotFound where nothing is, Invalid, Conflict, Locked.
    """
    folder = checked_folder(path)
    run = writable_run(run)
    gone = trees.remove(run.artifact_root, folder) if run.artifact_root else 0
    if not gone:
        raise NotFound(f"There is no file or folder '{path[:200]}' here.", field="path")
    return gone
