"""Small files are acknowledged from the database and move to the store: at no moment is one missing."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import os
import threading
import zipfile

import pytest
from django.core.management import call_command
from django.db import connections, transaction

from artifacts import parking
from artifacts.actions.content import collect_blobs, mark_unnamed_blobs
from artifacts.blobs import open_file as open_stored
from artifacts.blobs import receive_for_a_file
from artifacts.models import ArtifactFile, Blob, ParkedBlob
from artifacts.parking import move_parked
from artifacts.queries.content import content_health
from artifacts.storage import Carried, Condition, StoredBlob, blobs, parked
from artifacts.storage import store as bare
from artifacts.storage.base import BlobDamaged, StorageFull, StorageRefused
from artifacts.tasks import move_parked_content
from artifacts.trees import find_root
from artifacts.zipping import zipped
from experiments.actions.files import delete_files, put_file
from experiments.metrics.archive_reading import read_archives
from experiments.queries.files import find_file, open_file
from kernel import clock
from kernel.actor import operator
from mled_site.diagnostics.checks.storage import storage as storage_check
from mled_site.diagnostics.results import Notes
from tests.artifacts.stores import Bucket, Files, name_of
from tests.together import WITHIN, errors, together


@pytest.fixture(params=["files", "s3"])
def place(request, monkeypatch, tmp_path, settings):
    """The store, on disk and in a bucket of a real S3 server that clients may reach."""
    if request.param == "files":
        settings.MLED_BLOBS = str(tmp_path / "blobs")
        return Files(tmp_path / "blobs")
    server = request.getfixturevalue("s3_server")
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    made = Bucket(server)
    settings.MLED_BLOBS = f"s3://{made.bucket}/{made.prefix}?endpoint={server.endpoint}&public={server.endpoint}"
    return made


def carried(content):
    return receive_for_a_file(io.BytesIO(content), expected=len(content))


def sent(actor, run, path="a.bin", content=None):
    """A small file as a client sends it."""
    content = os.urandom(100) if content is None else content
    stored = carried(content)
    put_file(actor, run, path=path, stored=stored)
    return StoredBlob(stored.digest, stored.size_bytes), content


def read(actor, run, path="a.bin"):
    with open_file(actor, run, path)[1] as reader:
        return reader.read()


def test_a_small_file_is_read_alike_before_and_after_it_moves(ada, run, place):
    blob, content = sent(ada, run)
    for names in ([], [name_of(blob.digest)]):
        assert place.names() == names
        assert read(ada, run) == content
        with blobs().open(blob) as reader:
            assert reader.seek(50) == 50
            assert reader.read() == content[50:]
        assert blobs().has(blob)
        assert blobs().check(blob.digest) is Condition.SOUND
        move_parked()
        assert not ParkedBlob.objects.exists()
    assert bare().check(blob.digest) is Condition.SOUND


def test_a_client_that_goes_to_the_store_itself_finds_it_there(ada, run, place):
    blob, _ = sent(ada, run)
    link = blobs().download_link(blob, "a.bin")
    assert (link is not None) == (place.names() == [name_of(blob.digest)]) == isinstance(place, Bucket)


def test_whoever_finds_it_nowhere_while_it_moves_looks_again(ada, run, place, monkeypatch):
    """The store was asked before it came there, the table after it was taken away."""
    blob, content = sent(ada, run)
    found = parked.parked

    def too_late(digest):
        move_parked()
        return found(digest)

    for ask in (
        lambda: blobs().open(blob).read() == content,
        lambda: blobs().has(blob),
        lambda: blobs().check(blob.digest) is Condition.SOUND,
    ):
        monkeypatch.setattr(parked, "parked", too_late)
        assert ask()
        assert place.names() == [name_of(blob.digest)]
        monkeypatch.setattr(parked, "parked", found)
        bare().remove(blob.digest)
        put_file(ada, run, path="a.bin", stored=carried(content))


def test_what_was_parked_anew_while_the_old_row_moved_stays(ada, run, place, monkeypatch, later):
    """Stored by the mover, cleared away, sent again: the mover takes away the row that it moved and no other."""
    blob, content = sent(ada, run)
    delete_files(ada, run, path="a.bin")
    mark_unnamed_blobs(operator())
    later(24 * 8)
    moved = parking.move

    def overtaken(row, store):
        is_safe = moved(row, store)
        assert collect_blobs(operator()) == [blob]
        sent(ada, run, content=content)
        return is_safe

    monkeypatch.setattr(parking, "move", overtaken)
    move_parked(seconds=0.0001)
    monkeypatch.undo()
    assert place.names() == []
    assert read(ada, run) == content
    move_parked()
    assert place.names() == [name_of(blob.digest)]


@pytest.fixture
def later(monkeypatch):
    """Let so many hours pass."""

    def pass_by(hours):
        moment = (dt.datetime.now(dt.UTC) + dt.timedelta(hours=hours)).timestamp()
        monkeypatch.setattr(clock, "_now", lambda: moment)

    return pass_by


def test_what_nothing_names_any_more_is_cleared_away_wherever_it_is(ada, run, later):
    moved, _ = sent(ada, run)
    move_parked()
    waiting, _ = sent(ada, run, "b.bin")
    for path in ("a.bin", "b.bin"):
        delete_files(ada, run, path=path)
    mark_unnamed_blobs(operator())
    later(24 * 8)
    assert {blob.digest for blob in collect_blobs(operator())} == {moved.digest, waiting.digest}
    assert not ParkedBlob.objects.exists()
    assert not Blob.objects.exists()
    assert not bare().has(moved)


def test_content_that_was_changed_in_the_database_is_neither_given_out_nor_moved(ada, run, caplog):
    blob, _ = sent(ada, run)
    ParkedBlob.objects.update(content=b"forged")
    with pytest.raises(BlobDamaged):
        read(ada, run)
    assert blobs().check(blob.digest) is Condition.MISSING
    assert move_parked() == 0
    assert not bare().has(blob)
    assert ParkedBlob.objects.exists()
    assert f"sha256:{blob.digest} was changed" in caplog.text


def test_what_the_store_does_not_take_stays_and_moves_later(ada, run, monkeypatch):
    blobs_, contents = zip(*[sent(ada, run, f"{number}.bin") for number in range(3)], strict=True)
    receive, taken = type(bare()).receive, []

    def full(self, incoming, **options):
        if len(taken) == 1:
            raise StorageFull("The file store is full; nothing was kept.")
        taken.append(1)
        return receive(self, incoming, **options)

    monkeypatch.setattr(type(bare()), "receive", full)
    move_parked_content.apply()
    monkeypatch.undo()
    assert ParkedBlob.objects.count() == 2
    assert [read(ada, run, f"{number}.bin") for number in range(3)] == list(contents)
    move_parked_content.apply()
    assert all(bare().has(blob) for blob in blobs_)
    assert not ParkedBlob.objects.exists()


def test_one_that_the_store_refuses_holds_up_no_other_and_is_tried_again_later(ada, run, place, monkeypatch):
    blobs_, contents = zip(*[sent(ada, run, f"{number}.bin") for number in range(4)], strict=True)
    receive, tried = type(bare()).receive, []

    def choosy(self, incoming, *, digest="", **options):
        if digest in (blobs_[0].digest, blobs_[1].digest):
            tried.append(digest)
            raise StorageRefused("The file store refuses MLED; nothing was kept.")
        return receive(self, incoming, digest=digest, **options)

    monkeypatch.setattr(type(bare()), "receive", choosy)
    assert move_parked() == 2
    assert all(bare().has(blob) for blob in blobs_[2:])
    assert {held.digest for held in bare().held()} == {blob.digest for blob in blobs_[2:]}, (
        "what it was asked with is gone again"
    )
    assert move_parked() == 0
    assert len(tried) == 2, "they are not tried again at once"
    assert [read(ada, run, f"{number}.bin") for number in range(4)] == list(contents)
    assert content_health(operator()).refused == [blobs_[0].digest, blobs_[1].digest]
    notes = Notes()
    storage_check(notes)
    (problem,) = (one for one in notes.problems if one.code == "storage.refuses_some")
    assert f"not 2 that wait in the database: sha256:{blobs_[0].digest[:12]}" in problem.what
    ParkedBlob.objects.update(retry_at=clock.now() + dt.timedelta(seconds=-1))
    assert move_parked() == 0
    waits = [row.retry_at - clock.now() for row in ParkedBlob.objects.all()]
    assert all(dt.timedelta(seconds=110) < wait <= dt.timedelta(seconds=120) for wait in waits)
    monkeypatch.undo()
    ParkedBlob.objects.update(retry_at=clock.now())
    assert move_parked() == 2
    assert content_health(operator()).refused == []


def test_what_a_folder_is_in_the_way_of_is_given_out_meanwhile_and_moves_once_it_is_gone(ada, run, tmp_path, settings):
    settings.MLED_BLOBS = str(tmp_path / "blobs")
    (blob, content), (other, _) = sent(ada, run, "a.bin"), sent(ada, run, "b.bin")
    in_the_way = bare().place(blob.digest)
    in_the_way.mkdir(parents=True)
    assert move_parked() == 1
    assert bare().has(other)
    assert content_health(operator()).refused == [blob.digest]
    assert read(ada, run, "a.bin") == content
    assert blobs().check(blob.digest) is Condition.SOUND
    in_the_way.rmdir()
    ParkedBlob.objects.update(retry_at=clock.now())
    assert move_parked() == 1
    assert read(ada, run, "a.bin") == content
    assert not ParkedBlob.objects.exists()


def test_the_store_keeps_what_it_was_given_before_the_row_goes(ada, run, monkeypatch):
    blob, content = sent(ada, run)
    monkeypatch.setattr(type(bare()), "check", lambda self, digest: Condition.CHANGED)
    assert move_parked() == 0
    assert ParkedBlob.objects.get().digest == blob.digest
    assert read(ada, run) == content


def test_sending_the_same_again_heals_the_store(ada, run):
    blob, content = sent(ada, run)
    move_parked()
    bare().place(blob.digest).write_bytes(b"x" * len(content))
    assert blobs().check(blob.digest) is Condition.CHANGED
    sent(ada, run, content=content)
    assert blobs().check(blob.digest) is Condition.SOUND
    move_parked()
    assert bare().check(blob.digest) is Condition.SOUND
    assert ArtifactFile.objects.count() == 1


def test_sending_the_same_again_heals_what_was_damaged_in_the_database(ada, run):
    _, content = sent(ada, run)
    ParkedBlob.objects.update(content=b"forged")
    sent(ada, run, content=content)
    assert read(ada, run) == content
    ParkedBlob.objects.update(content=b"forged")
    sent(ada, run, "b.bin", content)
    assert read(ada, run) == content
    assert (move_parked(), ParkedBlob.objects.exists()) == (1, False)


def test_threads_that_miss_content_in_the_store_leave_no_connection_open(place, db, monkeypatch):
    """They ask the database, each by a connection of its own, of which a pool has only so many."""
    seen, found = [], parked.parked

    def noted(digest):
        bytes_ = found(digest)
        seen.append(connections["default"])
        return bytes_

    monkeypatch.setattr(parked, "parked", noted)
    missing = {StoredBlob(letter * 64, 10): [] for letter in "abc"}
    with pytest.raises(BlobDamaged):
        list(read_archives(missing))
    others = [one for one in seen if one is not connections["default"]]
    assert len(others) == (3 if isinstance(place, Bucket) else 0)
    assert [one.connection for one in others] == [None] * len(others)


def test_whoever_clears_away_and_whoever_moves_do_not_wait_for_each_other(committed_db, settings, tmp_path):
    settings.MLED_BLOBS = str(tmp_path / "blobs")
    digests = []
    for content in (b"first", b"second"):
        digests.append(hashlib.sha256(content).hexdigest())
        ParkedBlob(digest=digests[-1], content=content).save()
    begun, moved = threading.Event(), threading.Event()

    def clear_away():
        with transaction.atomic():
            blobs().remove(digests[1])
            begun.set()
            moved.wait(1)
            blobs().remove(digests[0])

    def move():
        begun.wait(WITHIN)
        move_parked()
        moved.set()

    assert errors(together(clear_away, move)) == []
    assert not ParkedBlob.objects.exists()


def test_others_name_and_pack_what_is_parked(ada, run):
    blob, content = sent(ada, run)
    put_file(ada, run, path="b/same.bin", stored=blob)
    root = find_root("run", run.ledger_id)
    files = [(file.path, file) for file in ArtifactFile.objects.filter(root=root).order_by("path")]
    packed = zipfile.ZipFile(io.BytesIO(b"".join(zipped(files, open_stored))))
    assert {name: packed.read(name) for name in packed.namelist()} == {"a.bin": content, "b/same.bin": content}
    assert find_file(ada, run, "b/same.bin").blob_id == blob.digest
    call_command("verify_blobs")
    assert content_health(operator()).is_sound


@pytest.mark.parametrize(("most", "size", "parks"), [(10, 10, True), (10, 11, False), (0, 0, False), (0, 5, False)])
def test_how_large_such_a_file_may_be_is_a_setting(settings, db, most, size, parks):
    settings.MLED_BLOBS_PARK_BYTES = most
    stored = carried(os.urandom(size))
    assert isinstance(stored, Carried) is parks
    assert bare().has(stored) is not parks


def test_a_store_that_holds_objects_fast_gets_them_at_once(settings, s3_server, monkeypatch):
    for name, value in s3_server.environment.items():
        monkeypatch.setenv(name, value)
    made = Bucket(s3_server)
    settings.MLED_BLOBS = f"s3://{made.bucket}/{made.prefix}?endpoint={s3_server.endpoint}&lock_days=1"
    assert bare().holds_fast
    monkeypatch.setattr(type(bare()), "_lock", lambda self, digest: None)
    stored = carried(b"for good")
    assert not isinstance(stored, Carried)
    assert made.names() == [name_of(stored.digest)]
