"""The storage that the settings choose."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from django.conf import settings

from artifacts.storage.base import BlobStorage
from artifacts.storage.filesystem import FileStorage
from artifacts.storage.place import anchors_place, is_s3, s3_place

if TYPE_CHECKING:
    from artifacts.storage.anchors import S3Anchors


@cache
def _at(place: str, lock_days: int) -> BlobStorage:
    if is_s3(place):
        from artifacts.storage.s3 import S3Storage  # boto3 is large, and most installations keep files

        return S3Storage(s3_place(place, lock_days=lock_days))
    return FileStorage(place)


def blobs() -> BlobStorage:
    """The one storage of this installation."""
    return _at(str(settings.MLED_BLOBS), settings.MLED_BLOBS_LOCK_DAYS)


@cache
def anchors_in_s3(address: str) -> S3Anchors:
    """A bucket that MLED_ANCHORS names. Raises BadPlace."""
    from artifacts.storage.anchors import S3Anchors

    return S3Anchors(anchors_place(address))
