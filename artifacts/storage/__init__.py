"""Where blobs lie. `blobs()` is the storage that the settings choose, with what is on its way there; nothing outside
opens a blob's file."""

from artifacts.storage.base import (
    BlobStorage,
    BucketMissing,
    Carried,
    Condition,
    Held,
    Incoming,
    Part,
    StoredBlob,
    UploadBroken,
    WrongDigest,
)
from artifacts.storage.choose import blobs, has_bucket, store

__all__ = [
    "BlobStorage",
    "BucketMissing",
    "Carried",
    "Condition",
    "Held",
    "Incoming",
    "Part",
    "StoredBlob",
    "UploadBroken",
    "WrongDigest",
    "blobs",
    "has_bucket",
    "store",
]
