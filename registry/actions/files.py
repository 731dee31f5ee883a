"""Putting files below a logged model, and taking them away."""

from accounts.access import require
from accounts.decorators import action
from artifacts import quotas, trees
from artifacts.models import ArtifactFile, ArtifactRoot
from artifacts.paths import checked_folder, checked_path
from artifacts.storage import StoredBlob
from kernel.actor import Actor
from kernel.errors import NotFound
from registry.models import LoggedModel
from registry.state import writable_model

UPLOAD = "experiments.upload"


def expect_file(actor: Actor, model: LoggedModel, path: str, *, size_bytes: int | None = None) -> None:
    """Refuse an upload that `put_model_file` would refuse anyway, before its bytes are taken in.

    size_bytes: as it was announced. Raises Invalid, Conflict, QuotaReached.
    """
    checked_path(path)
    require(actor, UPLOAD, model)
    quotas.expect(actor, model.project_id, size_bytes or 0, root_id=model.artifact_root_id, path=path)


@action(UPLOAD, on="model")
def put_model_file(actor: Actor, model: LoggedModel, *, path: str, stored: StoredBlob) -> ArtifactFile:
    """Put a stored blob at a path of the model, over what was there; the same content again changes nothing.

    Raises Invalid for a path that leads out, Conflict where a folder is in the way, Locked.
    """
    checked_path(path)
    model = writable_model(model)
    if model.artifact_root is None:
        model.artifact_root = trees.root_of(ArtifactRoot.Kind.MODEL, model.model_id, model.project_id)
        model.save()
    return trees.place(actor, model.artifact_root, path=path, stored=stored)


@action(UPLOAD, on="model")
def delete_model_files(actor: Actor, model: LoggedModel, *, path: str) -> int:
    """Take away a file, or a folder with all in it ('' for every file); the ledger keeps their digests.

    Returns how many went. Raises NotFound where nothing is, Invalid, Locked.
    """
    folder = checked_folder(path)
    model = writable_model(model)
    gone = trees.remove(model.artifact_root, folder) if model.artifact_root else 0
    if not gone:
        raise NotFound(f"There is no file or folder '{path[:200]}' here.", field="path")
    return gone
