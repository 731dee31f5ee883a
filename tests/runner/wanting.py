"""What tests of launching need beside a team: uploads, rules and secrets."""

from __future__ import annotations

import io
from typing import Any

from accounts.models import Project
from artifacts.actions.uploads import append_upload, begin_upload, finish_upload
from artifacts.models import Upload
from artifacts.storage import StoredBlob
from kernel.actor import Actor


def an_upload(actor: Actor, project: Project, content: bytes, *, finished: bool = True) -> Any:
    """An upload of this content, finished unless said otherwise; `stored` is what it became."""
    upload = begin_upload(actor, project, size_bytes=len(content), purpose="code")
    if not finished:
        return upload
    upload = finish_upload(actor, append_upload(actor, upload, offset=0, incoming=io.BytesIO(content)))
    upload = Upload.objects.get(pk=upload.pk)
    upload.stored = StoredBlob(upload.blob_id, len(content))
    return upload
