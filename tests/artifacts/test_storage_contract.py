"""What every store of blobs promises, asked of files on disk and of a real S3 server."""

from __future__ import annotations

import datetime as dt
import io
import os
import threading
import uuid

import pytest

from artifacts.storage.base import BlobDamaged, Condition, Part, StorageFull, StoredBlob, UploadBroken, WrongDigest
from kernel.clock import now
from kernel.errors import TooLarge
from tests.artifacts.stores import LIMIT, MB, PIECE, Bucket, Files, name_of, read, receive, sha

pytestmark = pytest.mark.once


@pytest.fixture(params=["files", "s3"])
def place(request, tmp_path, monkeypatch):
    if request.param == "files":
        return Files(tmp_path / "blobs")
    server = request.getfixturevalue("s3_server")
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    return Bucket(server)


@pytest.fixture
def storage(place):
    return place.storage


# --- In and out


@pytest.mark.parametrize("size", [0, 1, 5000, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, 20 * MB + 7])
@pytest.mark.parametrize("announced", [True, False])
def test_what_comes_in_comes_out(place, storage, size, announced):
    content = os.urandom(size)
    told = {"expected": size, "digest": sha(content)} if announced else {}
    blob = receive(storage, content, **told)
    assert blob == StoredBlob(sha(content), size)
    assert read(storage, blob) == content
    assert storage.has(blob)
    assert place.names() == [name_of(blob.digest)]


def test_a_reader_goes_anywhere(storage):
    content = os.urandom(3 * MB)
    blob = receive(storage, content)
    with storage.open(blob) as reader:
        assert reader.seekable()
        for start, length in ((0, 10), (2 * MB, 1000), (5, 0), (MB - 3, 2 * MB), (3 * MB - 1, 50), (3 * MB, 9)):
            assert reader.seek(start) == start
            assert reader.read(length) == content[start : start + length]
        assert reader.seek(-4, os.SEEK_END) == 3 * MB - 4
        assert reader.read() == content[-4:]
        reader.seek(100)
        reader.seek(50, os.SEEK_CUR)
        assert reader.tell() == 150


def test_the_same_content_is_kept_once(place, storage):
    assert receive(storage, b"twice") == receive(storage, b"twice")
    assert len(place.names()) == 1


def test_many_senders_of_the_same_and_of_other_content(place, storage):
    contents = [os.urandom(300_000) for _ in range(2)] + [os.urandom(PIECE + 5)]
    got, failed = [], []

    def send(content):
        try:
            got.append(receive(storage, content, expected=len(content)))
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=send, args=(contents[n % 3],)) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert {blob.digest for blob in got} == {sha(content) for content in contents}
    assert len(place.names()) == 3
    assert {storage.check(blob.digest) for blob in got} == {Condition.SOUND}


# --- What breaks off


class Cut(io.RawIOBase):
    """A sender whose connection is lost."""

    def __init__(self, after):
        self.after = after

    def read(self, size=-1):
        if self.after <= 0:
            raise ConnectionResetError("gone")
        size = min(size, self.after)
        self.after -= size
        return b"x" * size


@pytest.mark.parametrize("sent", [0, 10, PIECE, 2 * PIECE + 5])
def test_a_truncated_upload_leaves_nothing(place, storage, sent):
    with pytest.raises(UploadBroken, match="broke off"):
        receive(storage, b"x" * sent, expected=3 * PIECE)
    assert place.names() == []


@pytest.mark.parametrize("after", [0, 1000, 2 * PIECE + 5])
def test_a_lost_connection_leaves_nothing(place, storage, after):
    with pytest.raises(UploadBroken):
        storage.receive(Cut(after), limit=LIMIT, expected=3 * PIECE)
    assert place.names() == []


@pytest.mark.parametrize("size", [11, PIECE + 1, 3 * PIECE])
@pytest.mark.parametrize("announced", [True, False])
def test_more_than_the_limit_leaves_nothing(place, storage, size, announced):
    told = {"expected": size} if announced else {}
    with pytest.raises(TooLarge):
        receive(storage, b"x" * size, limit=size - 1, **told)
    assert place.names() == []
    assert receive(storage, b"x" * size, limit=size, **told).size_bytes == size


@pytest.mark.parametrize("size", [5, 2 * PIECE])
def test_a_wrong_digest_leaves_nothing(place, storage, size):
    with pytest.raises(WrongDigest, match="announced"):
        receive(storage, b"x" * size, digest=sha(b"other"))
    assert place.names() == []


def test_a_full_store_is_said_and_leaves_nothing(place):
    with place.full() as storage:
        for size in (5000, PIECE + 5000):
            with pytest.raises(StorageFull, match="nothing was kept") as refusal:
                receive(storage, b"x" * size, expected=size)
            assert refusal.value.status == 507
        assert list(storage.held()) == []


# --- What goes bad


@pytest.mark.parametrize("left", [b"", b"hell", b"hello and more"])
def test_a_torn_blob_is_never_given_out(place, storage, left):
    blob = receive(storage, b"hello")
    place.spoil(blob.digest, left)
    assert not storage.has(blob)
    assert storage.check(blob.digest) is Condition.CHANGED
    with pytest.raises(BlobDamaged, match="instead of 5"):
        storage.open(blob)


def test_a_missing_blob_is_said(place, storage):
    blob = receive(storage, b"hello")
    place.lose(blob.digest)
    assert not storage.has(blob)
    assert storage.check(blob.digest) is Condition.MISSING
    with pytest.raises(BlobDamaged, match="missing"):
        storage.open(blob)


def test_a_changed_blob_is_found_and_sending_it_again_heals_it(place, storage):
    blob = receive(storage, b"hello")
    assert storage.check(blob.digest) is Condition.SOUND
    place.spoil(blob.digest, b"jello")
    assert storage.check(blob.digest) is Condition.CHANGED
    assert receive(storage, b"hello") == blob
    assert storage.check(blob.digest) is Condition.SOUND


def test_what_is_removed_is_gone_and_removing_it_again_is_no_error(place, storage):
    blob = receive(storage, b"hello")
    storage.remove(blob.digest)
    storage.remove(blob.digest)
    assert place.names() == []


def test_the_store_tells_what_it_holds(storage):
    began = now() - dt.timedelta(seconds=2)
    blobs = {receive(storage, os.urandom(size)) for size in (0, 10, PIECE + 1)}
    storage.put_part("a" * 32, "0", io.BytesIO(b"no blob"), limit=10, expected=7)
    held = list(storage.held())
    assert {StoredBlob(one.digest, one.size_bytes) for one in held} == blobs
    assert all(began <= one.stored_at <= now() + dt.timedelta(seconds=2) for one in held)


@pytest.mark.parametrize("digest", ["", "../../etc/passwd", "a" * 63, "a" * 63 + "/", "A" * 64])
def test_only_digests_name_blobs(storage, digest):
    for ask in (
        lambda: storage.check(digest),
        lambda: storage.remove(digest),
        lambda: storage.open(StoredBlob(digest, 1)),
    ):
        with pytest.raises(ValueError):
            ask()


@pytest.mark.parametrize("name", ["..", "a/b", "", "x" * 65, "a.b"])
def test_only_plain_names_name_parts(storage, name):
    with pytest.raises(ValueError):
        storage.put_part(name, "0", io.BytesIO(b"x"), limit=10, expected=1)
    if name:
        with pytest.raises(ValueError):
            storage.find_part("a" * 32, name)


# --- Parts


def parts_of(storage, upload, contents):
    return [
        storage.put_part(upload, f"{n}-x", io.BytesIO(content), limit=LIMIT, expected=len(content))
        for n, content in enumerate(contents)
    ]


@pytest.mark.parametrize(
    "sizes",
    [[], [0], [5], [5, 0, 7], [100] * 12, [6 * MB], [6 * MB, 5 * MB, 11], [9 * MB, 9 * MB], [5 * MB, 1, 5 * MB]],
)
def test_parts_become_one_blob(place, storage, sizes):
    contents = [os.urandom(size) for size in sizes]
    whole = b"".join(contents)
    upload = uuid.uuid4().hex
    parts = parts_of(storage, upload, contents)
    assert [part.size_bytes for part in parts] == sizes
    assert [storage.find_part(upload, part.name) for part in parts] == parts
    blob = storage.assemble(upload, parts, limit=LIMIT, digest=sha(whole))
    assert blob == StoredBlob(sha(whole), len(whole))
    assert read(storage, blob) == whole
    storage.drop(upload)
    storage.drop(upload)
    assert place.names() == [name_of(blob.digest)]


def test_parts_of_a_wrong_digest_make_no_blob(place, storage):
    for sizes in ([5, 5], [6 * MB, 6 * MB]):
        upload = uuid.uuid4().hex
        parts = parts_of(storage, upload, [os.urandom(size) for size in sizes])
        with pytest.raises(WrongDigest):
            storage.assemble(upload, parts, limit=LIMIT, digest=sha(b"other"))
        assert list(storage.held()) == []
        storage.drop(upload)
    assert place.names() == []


def test_a_part_that_is_gone_or_of_another_size_makes_no_blob(storage):
    upload = uuid.uuid4().hex
    parts = parts_of(storage, upload, [b"one", b"two"])
    for wrong in ([*parts, Part("9-x", 3)], [parts[0], Part("1-x", 4)]):
        with pytest.raises(UploadBroken, match="gone"):
            storage.assemble(upload, wrong, limit=LIMIT)
    assert list(storage.held()) == []


def test_a_part_that_breaks_off_is_no_part(place, storage):
    for sent, size in ((10, 20), (PIECE + 5, 2 * PIECE)):
        with pytest.raises(UploadBroken):
            storage.put_part("b" * 32, "0", Cut(sent), limit=LIMIT, expected=size)
        with pytest.raises(TooLarge):
            storage.put_part("b" * 32, "0", io.BytesIO(b"x" * size), limit=size - 1, expected=None)
        assert storage.find_part("b" * 32, "0") is None
    assert place.names() == []


def test_what_was_left_behind_is_swept_and_uploads_that_go_on_stay(place, storage):
    blob = receive(storage, b"stays")
    left, going_on = uuid.uuid4().hex, uuid.uuid4().hex
    for upload in (left, going_on):
        parts_of(storage, upload, [b"one", b"two"])
    assert storage.sweep(now() - dt.timedelta(hours=1)) == 0
    assert storage.sweep(now() + dt.timedelta(hours=1), keep={going_on}) == 1
    assert place.names() == sorted([name_of(blob.digest), f"uploads/{going_on}/0-x", f"uploads/{going_on}/1-x"])
