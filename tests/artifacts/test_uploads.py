"""Uploads piece by piece: they go on where they stopped, and nobody else can touch them."""

import contextlib
import datetime as dt
import hashlib
import io
import os

import pytest
from django.test import Client

from accounts.roles import Role, Scope
from artifacts.actions import uploads as acts
from artifacts.actions.uploads import WrongOffset, append_upload, begin_upload, drop_upload, finish_upload
from artifacts.blobs import open_file
from artifacts.models import ArtifactFile, Blob, Upload
from artifacts.queries.uploads import finished_blobs, get_upload
from artifacts.storage import StoredBlob, UploadBroken, WrongDigest, blobs, store
from artifacts.tasks import sweep_broken_uploads
from audit.ledger.models import AuditEvent
from kernel import clock
from kernel.errors import Conflict, Invalid, NotFound, Refused, TooLarge
from tests import world
from tests.factories import a_token, again, with_token
from tests.together import errors, together, values

PART = 1000


@pytest.fixture(autouse=True)
def small_parts(monkeypatch):
    monkeypatch.setattr(acts, "part_bytes_for", lambda size: PART)


def sha(content):
    return hashlib.sha256(content).hexdigest()


def begun(actor, project, content, **options):
    return begin_upload(actor, project, size_bytes=len(content), **options)


def send(actor, upload, content, *, offset=0, until=None):
    return append_upload(actor, upload, offset=offset, incoming=io.BytesIO(content[offset:until]))


def pieces_in_store(upload):
    folder = store().root / "uploads" / upload.id.hex
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def content_of(digest):
    with blobs().open(StoredBlob(digest, Blob.objects.get(pk=digest).size_bytes)) as reader:
        return reader.read()


@pytest.mark.parametrize("size", [0, 1, PART - 1, PART, PART + 1, 5 * PART + 3])
def test_what_is_sent_at_once_comes_out(ada, vision, size):
    content = os.urandom(size)
    upload = begun(ada, vision, content)
    assert send(ada, upload, content).received_bytes == size
    finished = finish_upload(ada, upload)
    assert (finished.state, finished.digest, finished.size_bytes) == ("complete", sha(content), size)
    assert content_of(finished.digest) == content
    assert pieces_in_store(upload) == []


def test_what_is_sent_in_pieces_comes_out(ada, vision):
    content = os.urandom(3 * PART + 10)
    upload = begun(ada, vision, content, digest=sha(content))
    for offset in range(0, len(content), PART):
        upload = send(ada, upload, content, offset=offset, until=offset + PART)
    assert finish_upload(ada, upload).blob_id == sha(content)


def test_finishing_twice_changes_nothing(ada, vision):
    upload = begun(ada, vision, b"once")
    send(ada, upload, b"once")
    assert finish_upload(ada, upload).digest == finish_upload(ada, upload).digest == sha(b"once")
    with pytest.raises(WrongOffset):
        send(ada, upload, b"once")


class Cut(io.RawIOBase):
    """A sender whose connection is lost after so many bytes."""

    def __init__(self, content, after):
        self.stream, self.left = io.BytesIO(content), after

    def read(self, size=-1):
        if self.left <= 0:
            raise ConnectionResetError("gone")
        data = self.stream.read(min(size, self.left))
        self.left -= len(data)
        return data


def test_a_broken_connection_keeps_whole_pieces_and_may_go_on(ada, vision):
    content = os.urandom(4 * PART)
    upload = begun(ada, vision, content, digest=sha(content))
    with pytest.raises(UploadBroken):
        append_upload(ada, upload, offset=0, incoming=Cut(content, 2 * PART + 500))
    assert get_upload(ada, upload.pk).received_bytes == 2 * PART
    send(ada, upload, content, offset=2 * PART)
    assert content_of(finish_upload(ada, upload).digest) == content


def test_a_wrong_place_is_told_the_right_one(ada, vision):
    content = os.urandom(3 * PART)
    upload = begun(ada, vision, content)
    send(ada, upload, content, until=PART)
    for offset in (0, 5, 2 * PART, 10**12):
        with pytest.raises(WrongOffset) as refusal:
            append_upload(ada, upload, offset=offset, incoming=io.BytesIO(b"x"))
        assert refusal.value.received_bytes == PART
        assert refusal.value.status == 409


def test_more_than_was_announced_is_refused_and_the_upload_stays_right(ada, vision):
    upload = begun(ada, vision, b"12345")
    with pytest.raises(Invalid, match="5 bytes"):
        send(ada, upload, b"123456789")
    assert finish_upload(ada, upload).digest == sha(b"12345")


def test_less_than_was_announced_cannot_be_finished(ada, vision):
    content = os.urandom(2 * PART)
    upload = begun(ada, vision, content)
    send(ada, upload, content, until=PART)
    with pytest.raises(Conflict, match="1,000 of 2,000"):
        finish_upload(ada, upload)
    assert get_upload(ada, upload.pk).state == "open"


def test_a_wrong_digest_ends_the_upload_and_keeps_nothing(ada, vision):
    content = os.urandom(2 * PART)
    upload = begun(ada, vision, content, digest=sha(b"something else"))
    send(ada, upload, content)
    with pytest.raises(WrongDigest, match="announced"):
        finish_upload(ada, upload)
    with pytest.raises(NotFound):
        get_upload(ada, upload.pk)
    assert pieces_in_store(upload) == []
    assert not store().place(sha(content)).exists()


@pytest.mark.parametrize("wrong", ["abc", "A" * 64, "g" * 64, "../" + "a" * 61])
def test_a_digest_has_to_look_like_one(ada, vision, wrong):
    with pytest.raises(Invalid, match="64"):
        begin_upload(ada, vision, size_bytes=1, digest=wrong)


def test_sizes_have_limits(ada, vision, settings):
    settings.MLED_MAX_UPLOAD_BYTES = 10
    assert begin_upload(ada, vision, size_bytes=10).size_bytes == 10
    with pytest.raises(TooLarge, match="10 bytes"):
        begin_upload(ada, vision, size_bytes=11)
    with pytest.raises(Invalid):
        begin_upload(ada, vision, size_bytes=-1)


def test_pieces_of_very_large_files_are_larger():
    from artifacts.uploads import PART_BYTES, part_bytes_for

    assert part_bytes_for(2 << 30) == PART_BYTES
    assert part_bytes_for(1 << 40) * 9000 >= 1 << 40


def test_only_who_began_an_upload_knows_of_it(ada, mia, eve, vision):
    upload = begun(ada, vision, b"mine")
    bob = world.at(world.person("bob", Role.ML_ENGINEER, vision))
    touching = (
        lambda other: get_upload(other, upload.pk),
        lambda other: send(other, upload, b"mine"),
        lambda other: finish_upload(other, upload),
        lambda other: drop_upload(other, upload),
        lambda other: finished_blobs(other, vision, [upload.pk]),
    )
    for other in (bob, mia, eve):
        for touch in touching:
            with pytest.raises(NotFound):
                touch(other)
    send(ada, upload, b"mine")


def test_it_takes_a_role_that_uploads(mia, eve, vision):
    with pytest.raises(Refused):
        begin_upload(mia, vision, size_bytes=1)
    with pytest.raises(NotFound):
        begin_upload(eve, vision, size_bytes=1)


def test_a_reading_token_uploads_nothing(ada, vision):
    upload = begun(ada, vision, b"x")
    reading = with_token(ada, scopes=[Scope.READ])
    with pytest.raises(Refused):
        begin_upload(reading, vision, size_bytes=1)
    with pytest.raises(Refused):
        send(reading, upload, b"x")


def test_a_role_that_is_taken_away_ends_the_sending(ada, vision):
    from accounts.actions.members import remove_member
    from accounts.models import Membership
    from kernel.actor import operator

    upload = begun(ada, vision, b"x")
    remove_member(operator(), Membership.objects.get(project=vision, user_id=ada.user_id))
    with pytest.raises(NotFound):
        send(again(ada), upload, b"x")


def test_finished_blobs_come_in_the_order_asked_for(ada, vision):
    uploads = []
    for content in (b"first", b"second", b"third"):
        upload = begun(ada, vision, content)
        send(ada, upload, content)
        uploads.append(finish_upload(ada, upload).pk)
    found = finished_blobs(ada, vision, [uploads[2], str(uploads[0])])
    assert found == [StoredBlob(sha(b"third"), 5), StoredBlob(sha(b"first"), 5)]
    unfinished = begun(ada, vision, b"fourth")
    with pytest.raises(Conflict, match="not finished"):
        finished_blobs(ada, vision, [uploads[0], unfinished.pk])
    with pytest.raises(NotFound):
        finished_blobs(ada, world.project("elsewhere"), [uploads[0]])
    with pytest.raises(NotFound):
        finished_blobs(ada, vision, ["no id at all"])


def test_uploads_leave_no_event_until_something_gets_a_name(ada, vision):
    before = AuditEvent.objects.count()
    upload = begun(ada, vision, b"quiet")
    send(ada, upload, b"quiet")
    finish_upload(ada, upload)
    drop_upload(ada, upload)
    assert AuditEvent.objects.count() == before


def test_a_dropped_upload_leaves_nothing(ada, vision):
    content = os.urandom(2 * PART)
    upload = begun(ada, vision, content)
    send(ada, upload, content, until=PART)
    drop_upload(ada, upload)
    assert pieces_in_store(upload) == []
    with pytest.raises(NotFound):
        send(ada, upload, content, offset=PART)


def test_an_upload_that_rests_for_a_day_is_swept_with_its_pieces(ada, vision, monkeypatch):
    content = os.urandom(2 * PART)
    resting, going_on = begun(ada, vision, content), begun(ada, vision, content)
    for upload in (resting, going_on):
        send(ada, upload, content, until=PART)
    tomorrow = clock.now() + dt.timedelta(hours=25)
    Upload.objects.filter(pk=going_on.pk).update(touched_at=tomorrow)
    monkeypatch.setattr(clock, "_now", tomorrow.timestamp)
    sweep_broken_uploads.apply()
    assert not Upload.objects.filter(pk=resting.pk).exists()
    assert pieces_in_store(resting) == []
    send(ada, going_on, content, offset=PART)
    assert finish_upload(ada, going_on).digest == sha(content)


def test_pieces_that_no_row_speaks_of_are_swept_as_well(db, monkeypatch):
    blobs().put_part("0" * 32, "0", io.BytesIO(b"left"), limit=10, expected=None)
    tomorrow = clock.now() + dt.timedelta(hours=25)
    monkeypatch.setattr(clock, "_now", tomorrow.timestamp)
    sweep_broken_uploads.apply()
    assert blobs().find_part("0" * 32, "0") is None


def test_a_piece_that_vanished_ends_the_upload_in_words(ada, vision):
    content = os.urandom(2 * PART)
    upload = begun(ada, vision, content)
    send(ada, upload, content)
    (store().root / "uploads" / upload.id.hex / pieces_in_store(upload)[0]).unlink()
    with pytest.raises(UploadBroken, match="gone"):
        finish_upload(ada, upload)
    with pytest.raises(NotFound):
        get_upload(ada, upload.pk)


def test_two_senders_at_once_make_one_whole_file(committed_db):
    vision = world.project("vision")
    ada = world.person("ada", Role.DATA_SCIENTIST, vision)
    content = os.urandom(20 * PART)
    upload = begun(world.at(ada), vision, content)

    def sending():
        while True:
            at = get_upload(world.at(ada), upload.pk).received_bytes
            if at == len(content):
                return
            with contextlib.suppress(WrongOffset):
                send(world.at(ada), upload, content, offset=at)

    assert errors(together(*[sending] * 4)) == []
    finished = values(together(*[lambda: finish_upload(world.at(ada), upload)] * 3))
    assert {one.digest for one in finished} == {sha(content)}
    assert len(finished) == 3
    assert content_of(sha(content)) == content


# --- Over REST


class Api:
    def __init__(self, actor):
        _, secret = a_token(actor)
        self.client = Client(headers={"authorization": f"Bearer {secret}"})

    def ask(self, method, path, body=b"", kind="application/json", **headers):
        return self.client.generic(method, f"/api/v1/{path}", body, content_type=kind, headers=headers)

    def patch(self, upload, offset, body):
        return self.ask(
            "PATCH", f"uploads/{upload}/", body, "application/octet-stream", **{"upload-offset": str(offset)}
        )


@pytest.fixture
def api(ada):
    return Api(ada)


def test_a_file_goes_up_over_rest_and_lands_in_a_run(api, vision, run):
    content = os.urandom(2 * PART + 7)
    begun = api.ask("POST", "projects/vision/uploads/", b'{"size_bytes": %d}' % len(content))
    assert begun.status_code == 201
    told = begun.json()
    assert (told["received_bytes"], told["part_bytes"], told["state"]) == (0, PART, "open")
    assert api.patch(told["id"], 0, content[:PART]).json()["received_bytes"] == PART
    wrong = api.patch(told["id"], 0, content[:PART])
    assert wrong.status_code == 409
    assert wrong["Content-Type"] == "application/problem+json"
    assert (wrong.json()["received_bytes"], wrong["Upload-Offset"]) == (PART, str(PART))
    assert api.patch(told["id"], PART, content[PART:]).status_code == 200
    assert api.ask("GET", f"uploads/{told['id']}/").json()["received_bytes"] == len(content)
    finished = api.ask("POST", f"uploads/{told['id']}/finish/")
    assert finished.json() == {"digest": sha(content), "size_bytes": len(content)}
    placed = api.ask(
        "POST", f"runs/{run.uid.hex}/files/", b'{"upload": "%s", "path": "data/a.bin"}' % told["id"].encode()
    )
    assert placed.status_code == 201, placed.content
    assert placed.json()["digest"] == sha(content)
    with open_file(ArtifactFile.objects.get(path="data/a.bin")) as reader:
        assert reader.read() == content


@pytest.mark.parametrize(
    "body", [b"", b"{}", b'{"size_bytes": -1}', b'{"size_bytes": "many"}', b'{"size_bytes": 1e400}']
)
def test_what_cannot_be_begun_is_said(api, vision, body):
    answer = api.ask("POST", "projects/vision/uploads/", body)
    assert answer.status_code == 400
    assert answer.json()["title"]


@pytest.mark.parametrize("offset", ["", "x", "-1", "1e3", "9" * 30])
def test_an_offset_has_to_be_a_number(api, ada, vision, offset):
    upload = begun(ada, vision, b"x")
    answer = api.ask("PATCH", f"uploads/{upload.pk}/", b"x", "application/octet-stream", **{"upload-offset": offset})
    assert answer.status_code == 400
    assert answer.json()["field"] == "Upload-Offset"


def test_a_run_takes_only_finished_uploads_at_good_paths(api, ada, vision, run):
    upload = begun(ada, vision, b"x")

    def put(path):
        body = b'{"upload": "%s", "path": "%s"}' % (str(upload.pk).encode(), path)
        return api.ask("POST", f"runs/{run.uid.hex}/files/", body)

    assert put(b"a.txt").status_code == 409
    send(ada, upload, b"x")
    finish_upload(ada, upload)
    for path in (b"../a.txt", b"/etc/passwd", b"a//b", b"file:///a", b"%2e%2e/a"):
        assert put(path).status_code == 400, path
    assert put(b"a.txt").status_code == 201
    assert put(b"a.txt/b").status_code == 409


def test_an_upload_can_be_dropped_over_rest(api, ada, vision):
    upload = begun(ada, vision, b"x")
    assert api.ask("DELETE", f"uploads/{upload.pk}/").status_code == 204
    assert api.ask("GET", f"uploads/{upload.pk}/").status_code == 404
    assert api.ask("POST", f"uploads/{upload.pk}/finish/").status_code == 404
