"""Where blobs lie. `blobs()` is the storage that the settings choose; nothing outside opens a blob's file."""

from artifacts.storage.base import (
    BlobStorage,
    Condition,
    Held,
    Incoming,
    Part,
    StoredBlob,
    UploadBroken,
    WrongDigest,
)
from artifacts.storage.choose import blobs

__all__ = [
    "BlobStorage",
    "Condition",
    "Held",
    "Incoming",
    "Part",
    "StoredBlob",
    "UploadBroken",
    "WrongDigest",
    "blobs",
]
