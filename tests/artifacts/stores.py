"""A store of each kind, and how to look into it and spoil it behind its back."""

from __future__ import annotations

import contextlib
import hashlib
import io
import resource
import uuid

from artifacts.storage.filesystem import FileStorage
from artifacts.storage.place import S3Place

MB = 1 << 20
LIMIT = 1 << 30
PIECE = 8 * MB  # how much of a stream an object store gets at once


class Files:
    """A store on disk, and how to spoil it."""

    def __init__(self, root):
        self.storage = FileStorage(root)

    def names(self):
        root = self.storage.root
        return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())

    def spoil(self, digest, content):
        self.storage.place(digest).write_bytes(content)

    def lose(self, digest):
        self.storage.place(digest).unlink()

    @contextlib.contextmanager
    def full(self):
        """The system refuses files of more than a few bytes, as it does when the disk is full or the quota is used."""
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
        try:
            yield self.storage
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)


class Bucket:
    """A store in a bucket of a real S3 server, and how to spoil it."""

    def __init__(self, server):
        from artifacts.storage.s3 import S3Storage

        self.server = server
        self.bucket, self.prefix = server.bucket(), f"deep/{uuid.uuid4().hex}/"
        self.client = server.client()
        self.storage = S3Storage(S3Place(self.bucket, self.prefix, endpoint=server.endpoint))

    def names(self):
        found = self.client.list_objects_v2(Bucket=self.bucket, Prefix=self.prefix).get("Contents", ())
        unfinished = self.client.list_multipart_uploads(Bucket=self.bucket, Prefix=self.prefix).get("Uploads", ())
        assert list(unfinished) == []
        return sorted(one["Key"].removeprefix(self.prefix) for one in found)

    def spoil(self, digest, content):
        self.client.put_object(Bucket=self.bucket, Key=self.storage.key(digest), Body=content)

    def lose(self, digest):
        self.client.delete_object(Bucket=self.bucket, Key=self.storage.key(digest))

    @contextlib.contextmanager
    def full(self):
        """A server without room left."""
        from artifacts.storage.s3 import S3Storage
        from tests.services.s3 import full_s3

        with full_s3() as endpoint:
            yield S3Storage(S3Place("full", endpoint=endpoint))


def sha(content):
    return hashlib.sha256(content).hexdigest()


def name_of(digest):
    return f"{digest[:2]}/{digest[2:4]}/{digest}"


def receive(storage, content, *, limit=LIMIT, **options):
    return storage.receive(io.BytesIO(content), limit=limit, **options)


def read(storage, blob):
    with storage.open(blob) as reader:
        return reader.read()
