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
    """The one storage of this installation, with what waits in the database on its way there."""
    from artifacts.storage.parked import WithParked  # models, which other parts of this package do without

    return WithParked(store())


def store() -> BlobStorage:
    """The place that the settings name, alone: for what moves content there, and what looks whether it answers."""
    return _at(str(settings.MLED_BLOBS), settings.MLED_BLOBS_LOCK_DAYS)


def has_bucket() -> bool:
    """Whether the bucket that the settings name is there, as far as its store says; True for files."""
    place = str(settings.MLED_BLOBS)
    if not is_s3(place):
        return True
    from artifacts.storage.s3_client import bucket_is_there

    return bucket_is_there(s3_place(place))


@cache
def anchors_in_s3(address: str) -> S3Anchors:
    """A bucket that MLED_ANCHORS names. Raises BadPlace."""
    from artifacts.storage.anchors import S3Anchors

    return S3Anchors(anchors_place(address))
