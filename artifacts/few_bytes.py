"""Bytes that are few and here already: stored within the act that gives them a name, since no sender holds it up."""

import io

from django.conf import settings

from artifacts.blobs import know
from artifacts.storage import StoredBlob, blobs


def keep_few(content: bytes) -> StoredBlob:
    """Part of an act: store and know them. Raises StorageFull, Unavailable."""
    stored = blobs().receive(io.BytesIO(content), limit=settings.MLED_MAX_UPLOAD_BYTES, expected=len(content))
    know(stored)
    return stored
