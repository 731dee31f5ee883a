"""Uploads that are under way or done, for those who began them."""

from collections.abc import Sequence
from uuid import UUID

from accounts.models import Project
from accounts.scoping import ScopedQuerySet
from artifacts.models import Upload
from artifacts.storage import StoredBlob
from kernel.actor import Actor
from kernel.errors import Conflict, NotFound


def get_upload(viewer: Actor, upload_id: UUID | str) -> Upload:
    """One's own upload. Raises NotFound, the same for another person's."""
    found: Upload | None = _own(viewer).filter(pk=_as_uuid(upload_id)).select_related("project").first()
    if found is None:
        raise _absent(upload_id)
    return found


def finished_blobs(viewer: Actor, project: Project, upload_ids: Sequence[UUID | str]) -> list[StoredBlob]:
    """What one's own uploads to this project became, in this order. Raises NotFound, Conflict for an unfinished one."""
    wanted = [_as_uuid(one) for one in upload_ids]
    held = {one.pk: one for one in _own(viewer).filter(pk__in=wanted, project=project).select_related("blob")}
    found = []
    for upload_id in wanted:
        upload = held.get(upload_id)
        if upload is None:
            raise _absent(upload_id)
        if upload.blob is None:
            raise Conflict(f"The upload {upload_id} is not finished.", hint="Send the rest, then finish it.")
        found.append(StoredBlob(upload.blob.digest, upload.blob.size_bytes))
    return found


def _own(viewer: Actor) -> ScopedQuerySet:
    """Only who began an upload knows of it, and only while the project is in sight."""
    return Upload.objects.visible_to(viewer).filter(created_by_id=viewer.user_id)


def _as_uuid(text: UUID | str) -> UUID:
    try:
        return text if isinstance(text, UUID) else UUID(text)
    except ValueError:
        raise _absent(text) from None


def _absent(upload_id: UUID | str) -> NotFound:
    return NotFound(f"There is no upload '{str(upload_id)[:60]}' of yours.", hint="Begin one.", field="upload")
