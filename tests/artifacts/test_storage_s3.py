"""What only a bucket does: locks, links, leftovers; and how MLED_BLOBS is read."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys

import pytest
from django.core.checks import run_checks

from artifacts.storage.base import Part, StoredBlob
from artifacts.storage.place import BadPlace, S3Place, s3_place
from kernel.clock import now
from kernel.errors import Unavailable
from tests.artifacts.stores import MB, PIECE, Bucket, name_of, read, receive
from tests.services.processes import ROOT, free_port

pytestmark = pytest.mark.once


@pytest.fixture
def bucket(s3_server, monkeypatch):
    for name, value in s3_server.environment.items():
        monkeypatch.setenv(name, value)
    return Bucket(s3_server)


def test_multipart_uploads_that_nobody_ended_are_swept(bucket):
    bucket.client.create_multipart_upload(Bucket=bucket.bucket, Key=f"{bucket.prefix}incoming/left")
    assert bucket.storage.sweep(now() + dt.timedelta(hours=1)) == 1
    assert bucket.names() == []


def test_more_than_is_copied_at_once_is_copied_in_spans(bucket, monkeypatch):
    from artifacts.storage import s3

    monkeypatch.setattr(s3, "COPIED_MAX", 6 * MB)
    content = os.urandom(20 * MB)
    blob = receive(bucket.storage, content)
    assert read(bucket.storage, blob) == content
    assert bucket.names() == [name_of(blob.digest)]


def test_a_store_that_is_away_is_said_in_words(bucket):
    from artifacts.storage.s3 import S3Storage

    away = S3Storage(S3Place("gone", endpoint=f"http://127.0.0.1:{free_port()}"))
    for ask in (lambda: receive(away, b"x"), lambda: away.check("0" * 64), lambda: away.open(StoredBlob("0" * 64, 1))):
        with pytest.raises(Unavailable, match="cannot be reached"):
            ask()


def test_a_bucket_that_locks_keeps_a_blob_from_everybody(s3_server, bucket):
    from artifacts.storage.s3 import S3Storage

    name = s3_server.bucket("locks", locks=True)
    locking = S3Storage(S3Place(name, endpoint=s3_server.endpoint, lock_days=3))
    for content in (b"small", os.urandom(PIECE + 1)):
        blob = receive(locking, content)
        kept = bucket.client.head_object(Bucket=name, Key=locking.key(blob.digest))
        assert kept["ObjectLockMode"] == "GOVERNANCE"
        assert kept["ObjectLockRetainUntilDate"] > now() + dt.timedelta(days=2)
        with pytest.raises(bucket.client.exceptions.ClientError, match="AccessDenied"):
            bucket.client.delete_object(Bucket=name, Key=locking.key(blob.digest), VersionId=kept["VersionId"])
        assert read(locking, blob) == content


def test_links_give_out_and_take_in_only_what_they_name(s3_server, bucket):
    import urllib.error
    import urllib.request

    from artifacts.storage.s3 import S3Storage

    def ask(url, method="GET", data=None, **headers):
        asked = urllib.request.Request(url, method=method, data=data, headers=headers)  # noqa: S310
        with urllib.request.urlopen(asked, timeout=10) as answer:  # noqa: S310
            return answer.read(), answer.headers

    direct = S3Storage(S3Place(bucket.bucket, bucket.prefix, endpoint=s3_server.endpoint, public=s3_server.endpoint))
    blob = receive(direct, b"0123456789")
    link = direct.download_link(blob, "größe.txt")
    content, headers = ask(link, Range="bytes=2-4")
    assert content == b"234"
    assert headers["Content-Disposition"].startswith("attachment")
    taking = direct.part_link("c" * 32, "1")
    ask(taking, "PUT", b"part")
    assert direct.find_part("c" * 32, "1") == Part("1", 4)
    for wrong in (link.replace(blob.digest, "0" * 64), taking.replace("/1?", "/2?"), link.partition("?")[0]):
        with pytest.raises(urllib.error.HTTPError) as refusal:
            ask(wrong)
        assert refusal.value.code == 403
    assert bucket.storage.download_link(blob, "x") is None
    assert bucket.storage.part_link("c" * 32, "1") is None


# --- What MLED_BLOBS says


def test_an_address_of_a_bucket_is_read():
    place = s3_place("s3://data/mled?endpoint=http://s3:8333&region=eu-central-1&lock_days=30&lock_mode=compliance")
    assert place == S3Place(
        "data", "mled/", "http://s3:8333", region="eu-central-1", lock_days=30, lock_mode="COMPLIANCE"
    )
    assert s3_place("s3://data") == S3Place("data")
    assert s3_place("s3://data/", lock_days=7).lock_days == 7


@pytest.mark.parametrize(
    "wrong",
    ["s3://", "s3:///x", "s3://key:secret@data", "s3://d?colour=red", "s3://d?lock_days=x", "s3://d?addressing=up"],
)
def test_an_address_that_cannot_be_read_is_refused_in_words(wrong):
    with pytest.raises(BadPlace, match=r"MLED_BLOBS|days"):
        s3_place(wrong)


def test_a_wrong_address_is_told_before_anything_starts(settings):
    settings.MLED_BLOBS = "s3://data?colour=red"
    (told,) = run_checks()
    assert told.id == "artifacts.E001"
    assert "colour" in told.msg
    settings.MLED_BLOBS = "s3://data/mled?endpoint=http://s3:8333"
    assert run_checks() == []


def test_a_store_on_disk_loads_no_client_of_object_stores():
    code = "import artifacts.storage, sys; print(sorted({'boto3', 'botocore'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
