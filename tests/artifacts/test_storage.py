"""The file store: nothing torn is ever readable, and what was acknowledged is there."""

import datetime as dt
import errno
import hashlib
import io
import os
import threading

import pytest

from artifacts.storage.base import BlobDamaged, StorageFull, StoredBlob, UploadBroken
from artifacts.storage.filesystem import FileStorage
from artifacts.storage.receiving import CHUNK
from kernel.clock import now
from kernel.errors import TooLarge, Unavailable

LIMIT = 1 << 30


@pytest.fixture
def storage(tmp_path):
    return FileStorage(tmp_path / "blobs")


def all_files(storage):
    return [path for path in storage.root.rglob("*") if path.is_file()]


def receive(storage, content, expected=None, limit=LIMIT):
    return storage.receive(io.BytesIO(content), limit=limit, expected=expected)


@pytest.mark.parametrize("size", [0, 1, 4096, CHUNK - 1, CHUNK, CHUNK + 1, 5 * CHUNK + 7, 40 * CHUNK])
@pytest.mark.parametrize("announced", [True, False])
def test_what_comes_in_comes_out(storage, size, announced):
    content = os.urandom(size)
    blob = receive(storage, content, expected=size if announced else None)
    assert blob == StoredBlob(hashlib.sha256(content).hexdigest(), size)
    with storage.open(blob) as reader:
        assert reader.read() == content
    assert storage.place(blob.digest).parts[-3:] == (blob.digest[:2], blob.digest[2:4], blob.digest)


def test_a_reader_can_start_in_the_middle(storage):
    blob = receive(storage, b"0123456789")
    with storage.open(blob) as reader:
        reader.seek(4)
        assert reader.read(3) == b"456"


def test_the_same_content_is_kept_once(storage):
    assert receive(storage, b"twice") == receive(storage, b"twice")
    assert len(all_files(storage)) == 1


class Trickle(io.RawIOBase):
    """A sender that gives a few bytes at a time."""

    def __init__(self, content, at_once):
        self.left, self.at_once = content, at_once

    def read(self, size=-1):
        piece, self.left = self.left[: min(size, self.at_once)], self.left[min(size, self.at_once) :]
        return piece


@pytest.mark.parametrize("announced", [True, False])
def test_a_sender_may_give_a_few_bytes_at_a_time(storage, announced):
    content = os.urandom(300_000)
    blob = storage.receive(Trickle(content, 7001), limit=LIMIT, expected=len(content) if announced else None)
    assert blob.digest == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("sent", [0, 10, CHUNK, 3 * CHUNK + 5])
def test_a_sender_that_stops_early_leaves_nothing(storage, sent):
    with pytest.raises(UploadBroken, match="broke off"):
        receive(storage, b"x" * sent, expected=4 * CHUNK)
    assert all_files(storage) == []


class Cut(io.RawIOBase):
    """A sender whose connection is lost."""

    def __init__(self, after):
        self.after = after

    def read(self, size=-1):
        if self.after <= 0:
            raise ConnectionResetError("gone")
        self.after -= size
        return b"x" * size


@pytest.mark.parametrize("after", [0, CHUNK, 5 * CHUNK])
def test_a_lost_connection_leaves_nothing(storage, after):
    with pytest.raises(UploadBroken):
        storage.receive(Cut(after), limit=LIMIT, expected=10 * CHUNK)
    assert all_files(storage) == []


@pytest.mark.parametrize(("size", "expected"), [(11, None), (11, 11), (3 * CHUNK, None), (3 * CHUNK, 3 * CHUNK)])
def test_more_than_the_limit_is_refused(storage, size, expected):
    with pytest.raises(TooLarge):
        receive(storage, b"x" * size, expected=expected, limit=size - 1)
    assert all_files(storage) == []
    assert receive(storage, b"x" * size, expected=expected, limit=size).size_bytes == size


@pytest.mark.parametrize("failing", ["write", "fsync"])
@pytest.mark.parametrize("size", [100, 8 * CHUNK])
def test_a_full_disk_is_said_and_leaves_nothing(storage, monkeypatch, failing, size):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, failing, full)
        with pytest.raises(StorageFull) as refusal:
            receive(storage, b"x" * size, expected=size)
    assert refusal.value.status == 507
    assert all_files(storage) == []
    assert receive(storage, b"x" * size).size_bytes == size


def test_another_trouble_of_the_disk_is_no_bug(storage, monkeypatch):
    def broken(*_):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(Unavailable) as refusal:
        receive(storage, b"content")
    assert refusal.value.status == 503


def test_the_bytes_are_synced_before_they_get_their_name(storage, monkeypatch):
    order = []
    sync, replace = os.fsync, type(storage.root).replace
    monkeypatch.setattr(os, "fsync", lambda fd: (order.append(os.readlink(f"/proc/self/fd/{fd}")), sync(fd))[1])
    monkeypatch.setattr(type(storage.root), "replace", lambda self, to: (order.append("renamed"), replace(self, to))[1])
    place = storage.place(receive(storage, b"precious").digest)
    named = order.index("renamed")
    assert any("incoming" in synced for synced in order[:named])
    assert order[named + 1] == str(place.parent)
    assert {str(storage.root), str(place.parent.parent)} <= set(order[:named]), "new folders are synced as well"


@pytest.mark.parametrize("left", [b"", b"hell", b"hello and more"])
def test_a_torn_blob_is_never_given_out(storage, left):
    blob = receive(storage, b"hello")
    storage.place(blob.digest).write_bytes(left)
    with pytest.raises(BlobDamaged, match="bytes on disk"):
        storage.open(blob)


def test_a_missing_blob_is_said(storage):
    with pytest.raises(BlobDamaged, match="missing"):
        storage.open(StoredBlob("0" * 64, 5))


def test_a_changed_blob_of_the_same_size_fails_verification_and_sending_it_again_heals_it(storage):
    blob = receive(storage, b"hello")
    assert storage.check(blob.digest) == "sound"
    storage.place(blob.digest).write_bytes(b"jello")
    assert storage.check(blob.digest) == "changed"
    assert receive(storage, b"hello") == blob
    assert storage.check(blob.digest) == "sound"


def test_a_missing_blob_does_not_verify(storage):
    assert storage.check("0" * 64) == "missing"


@pytest.mark.parametrize("digest", ["", "../../etc/passwd", "a" * 63, "a" * 63 + "/"])
def test_only_digests_name_places(storage, digest):
    with pytest.raises(ValueError):
        storage.place(digest)


def test_leftovers_are_swept_after_their_time_and_running_uploads_stay(storage):
    old, new = storage.incoming / "old", storage.incoming / "new"
    old.write_bytes(b"half")
    new.write_bytes(b"half")
    yesterday = (now() - dt.timedelta(days=2)).timestamp()
    os.utime(old, (yesterday, yesterday))
    assert storage.sweep(now() - dt.timedelta(days=1)) == 1
    assert not old.exists()
    assert new.exists()


def test_many_senders_of_the_same_and_of_other_content(storage):
    contents = [os.urandom(50_000) for _ in range(4)]
    got, failed = [], []

    def send(content):
        try:
            got.append(receive(storage, content, expected=len(content)))
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=send, args=(contents[n % 4],)) for n in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert len(got) == 32
    assert {blob.digest for blob in got} == {hashlib.sha256(content).hexdigest() for content in contents}
    assert len(all_files(storage)) == 4
    assert all(storage.check(blob.digest) == "sound" for blob in set(got))


def test_an_upload_takes_the_same_memory_whatever_its_size(storage):
    import tracemalloc

    class Endless(io.RawIOBase):
        left = 96 << 20

        def read(self, size=-1):
            size = min(size, self.left)
            self.left -= size
            return bytes(size)

    tracemalloc.start()
    storage.receive(Endless(), limit=LIMIT, expected=96 << 20)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8 << 20
