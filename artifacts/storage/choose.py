"""The storage that the settings choose."""

from functools import cache

from django.conf import settings

from artifacts.storage.base import BlobStorage
from artifacts.storage.filesystem import FileStorage
from artifacts.storage.place import is_s3, s3_place


@cache
def _at(place: str, lock_days: int) -> BlobStorage:
    if is_s3(place):
        from artifacts.storage.s3 import S3Storage  # boto3 is large, and most installations keep files

        return S3Storage(s3_place(place, lock_days=lock_days))
    return FileStorage(place)


def blobs() -> BlobStorage:
    """The one storage of this installation."""
    return _at(str(settings.MLED_BLOBS), settings.MLED_BLOBS_LOCK_DAYS)
