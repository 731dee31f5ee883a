"""Where blobs lie. `blobs()` is the storage that the settings choose; nothing outside opens a blob's file."""

from artifacts.storage.base import BlobStorage, Incoming, StoredBlob, UploadBroken
from artifacts.storage.choose import blobs

__all__ = ["BlobStorage", "Incoming", "StoredBlob", "UploadBroken", "blobs"]
