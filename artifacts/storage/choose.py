"""The storage that the settings choose."""

from functools import cache

from django.conf import settings

from artifacts.storage.base import BlobStorage
from artifacts.storage.filesystem import FileStorage


@cache
def _at(place: str) -> BlobStorage:
    return FileStorage(place)


def blobs() -> BlobStorage:
    """The one storage of this installation."""
    return _at(str(settings.MLED_BLOBS))
