"""Checkpoints in a bucket that locks: found where database and file were rolled back together, and never in the way."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import subprocess
import sys
import uuid
from typing import Any

import pytest
from django.core.checks import run_checks

from artifacts.storage.place import BadPlace, S3Place, anchors_place
from audit.ledger import anchors, places, sequencer, status
from audit.ledger.anchoring import Anchoring, Keeper
from audit.ledger.anchors import Anchored, BadLine
from audit.ledger.anchors_kept import LATE
from audit.ledger.models import Checkpoint, Leaf, Pending
from audit.ledger.places import BadAnchors, anchored_in, places_far_away
from audit.ledger.queries.anchored import anchor_words, anchored_and_not, is_anchored
from audit.ledger.verify import verify_ledger
from kernel.clock import now
from tests.ledger import forger
from tests.services.processes import ROOT, free_port, start, stop, wait_until

pytestmark = pytest.mark.once


@pytest.fixture
def bucket(s3_server, settings, monkeypatch) -> str:
    """A prefix of its own in a bucket that locks objects for two days, as a place of anchors beside the file."""
    for name, value in s3_server.environment.items():
        monkeypatch.setenv(name, value)
    name = f"s3://{s3_server.bucket('locks', locks=True)}/{uuid.uuid4().hex}"
    settings.MLED_ANCHORS = ["file", f"{name}?endpoint={s3_server.endpoint}&lock_days=2"]
    return name


def keeper() -> Keeper:
    (place,) = places_far_away()
    return Keeper(place)


def kept() -> list[Anchored | BadLine]:
    (place,) = places_far_away()
    return list(place.read(place.held()))


def notes() -> list[str]:
    return list(Checkpoint.objects.order_by("pk").values_list("note", flat=True))


def keys_in(server: Any, bucket: str) -> list[str]:
    name, _, prefix = bucket.removeprefix("s3://").partition("/")
    return [one["Key"] for one in server.client().list_objects_v2(Bucket=name, Prefix=prefix).get("Contents", ())]


@pytest.mark.django_db
def test_every_checkpoint_gets_into_the_bucket_once_several_to_an_object(act, bucket, s3_server):
    one = keeper()
    act()
    sequencer.run_once()
    assert one.bring_up() == 1
    for _ in range(3):
        act()
        sequencer.run_once()
    assert (one.bring_up(), one.bring_up()) == (3, 0)
    one.let_go()
    act()
    sequencer.run_once()
    assert keeper().bring_up() == 1  # another process asks the bucket where it stands
    assert [line.note for line in kept()] == notes()
    assert len(keys_in(s3_server, bucket)) == 3
    assert set(Checkpoint.objects.values_list("anchor", flat=True)) == {f"file:anchors/checkpoints.log, {bucket}"}
    findings = verify_ledger()
    assert (findings.problems, findings.anchors) == ([], 10)


@pytest.mark.django_db
def test_an_anchor_cannot_be_removed_or_hidden_while_it_is_locked(act, bucket, s3_server):
    from botocore.exceptions import ClientError

    act()
    sequencer.run_once()
    keeper().bring_up()
    client, name = s3_server.client(), bucket.removeprefix("s3://").partition("/")[0]
    (key,) = keys_in(s3_server, bucket)
    first = client.head_object(Bucket=name, Key=key)
    assert first["ObjectLockMode"] == "COMPLIANCE"
    assert first["ObjectLockRetainUntilDate"] > now() + dt.timedelta(days=1)
    version = {"Bucket": name, "Key": key, "VersionId": first["VersionId"]}
    for refused in (
        lambda: client.delete_object(**version),
        lambda: client.delete_object(**version, BypassGovernanceRetention=True),
        lambda: client.put_object_retention(
            **version, Retention={"Mode": "COMPLIANCE", "RetainUntilDate": now() + dt.timedelta(minutes=1)}
        ),
    ):
        with pytest.raises(ClientError, match="AccessDenied"):
            refused()
    client.put_object(Bucket=name, Key=key, Body=b"forged\n")  # a new version; the one below stays
    client.delete_object(Bucket=name, Key=key)  # a mark that hides both
    assert keys_in(s3_server, bucket) == []
    found = kept()
    assert [line.note for line in found if isinstance(line, Anchored)] == notes()
    assert [line for line in found if isinstance(line, BadLine)] == [BadLine(f"line 1 of s3://{name}/{key}")]
    (problem,) = verify_ledger().problems
    assert (problem.kind, key in problem.what) == ("anchor", True)


@pytest.mark.django_db
def test_a_roll_back_of_database_and_file_together_is_found_by_the_bucket(act, bucket, data):
    act()
    sequencer.run_once()
    one = keeper()
    one.bring_up()
    size = anchors.anchored_bytes()
    act()
    sequencer.run_once()
    one.bring_up()
    with forger.forging():
        forger.cut_off(1, with_heads=True)
        os.truncate(anchors.anchor_file(), size)
        (problem,) = verify_ledger().problems
        assert "The log was rolled back" in problem.what
        shutil.rmtree(anchors.anchor_file().parent)
        (problem,) = verify_ledger().problems
        assert "it had 2 events, now it has 1" in problem.what


@pytest.mark.django_db
def test_a_store_that_is_away_never_stops_the_log_and_gets_all_of_it_later(act, bucket, s3_server, settings, caplog):
    there = settings.MLED_ANCHORS
    settings.MLED_ANCHORS = ["file", f"{bucket}?endpoint=http://127.0.0.1:{free_port()}"]
    away = keeper()
    act()
    assert sequencer.run_once() == 1
    assert away.bring_up() == 0
    (trouble,) = status.failing_places()
    assert (trouble.where, "cannot be reached" in trouble.words) == (bucket, True)
    assert "are not anchored in" in caplog.text
    assert any("cannot be read, so nothing says" in one.what for one in verify_ledger().problems)
    act()
    assert sequencer.run_once() == 1
    away.let_go()
    settings.MLED_ANCHORS = there
    assert keeper().bring_up() == 2
    assert status.failing_places() == []
    assert [line.note for line in kept()] == notes()
    assert verify_ledger().is_sound


@pytest.mark.django_db
def test_a_head_is_called_anchored_only_where_it_has_arrived(act, bucket, monkeypatch):
    act()
    sequencer.run_once()
    first = Checkpoint.objects.get()
    file = "file:anchors/checkpoints.log"
    assert anchored_and_not(first) == ([file], [bucket])
    assert anchor_words(first) == f"{file}; not yet anchored in {bucket}"
    assert any(bucket in remark for remark in verify_ledger().remarks)
    one = keeper()
    one.bring_up()
    assert anchor_words(first) == f"{file}, {bucket}"
    act()
    sequencer.run_once()
    second = Checkpoint.objects.latest("pk")
    assert (anchored_and_not(first)[1], anchored_and_not(second)[1]) == ([], [bucket])
    anchors.anchor_file().unlink()
    assert not is_anchored(second)
    anchors.anchor([Anchored(row.pk, row.at.isoformat(), row.note) for row in (first, second)])
    later = now() + LATE
    monkeypatch.setattr("audit.ledger.anchors_kept.now", lambda: later)
    (problem,) = verify_ledger().problems
    assert problem.what.startswith(f"1 signed heads name {bucket} as their anchor, which")
    assert problem.id == str(second.pk)
    one.bring_up()
    assert verify_ledger().is_sound


@pytest.mark.django_db
def test_two_sequencers_do_not_write_the_same_twice(act, bucket):
    act()
    sequencer.run_once()
    one, other = keeper(), keeper()
    assert (one.bring_up(), other.bring_up()) == (1, 0)
    one.let_go()
    act()
    sequencer.run_once()
    assert other.bring_up() == 1
    assert len(kept()) == 2


@pytest.mark.django_db
def test_without_the_file_the_bucket_is_the_anchor(act, bucket, settings):
    settings.MLED_ANCHORS = settings.MLED_ANCHORS[1:]
    act()
    sequencer.run_once()
    assert not anchors.anchor_file().exists()
    keeper().bring_up()
    findings = verify_ledger()
    assert (findings.problems, findings.anchors) == ([], 1)
    assert Checkpoint.objects.get().anchor == bucket


@pytest.mark.django_db
def test_a_place_that_is_no_longer_named_is_remarked_on(act, bucket, settings):
    act()
    sequencer.run_once()
    settings.MLED_ANCHORS = ["file"]
    assert any(f"anchored in {bucket}, which MLED_ANCHORS does not name" in one for one in verify_ledger().remarks)


def test_a_sequencer_that_is_stopped_anchors_what_it_signed_last(committed_db, act, bucket, settings, data, s3_server):
    environment = {**os.environ, "DATABASE_URL": committed_db, "MLED_DATA": str(data)}
    environment |= {"MLED_ANCHORS": ",".join(settings.MLED_ANCHORS), "DJANGO_SETTINGS_MODULE": "mled_site.settings"}
    process = start(
        [sys.executable, "manage.py", "sequencer", "--verbosity=2"], env=environment, stdout=subprocess.PIPE
    )
    try:
        assert process.stdout.readline() == "Sequencer runs.\n"
        for _ in range(3):
            act()
        wait_until(lambda: not Pending.objects.exists(), within=20, what="every event has its place")
    finally:
        code = stop(process)
    assert code == 0
    assert Leaf.objects.count() == 3
    assert [line.note for line in kept()] == notes()
    assert verify_ledger().is_sound


# --- What MLED_ANCHORS says


def test_an_address_of_anchors_is_read():
    place = anchors_place("s3://audit/mled?endpoint=http://s3:8333&lock_days=3650")
    assert place == S3Place("audit", "mled/", "http://s3:8333", lock_days=3650, lock_mode="COMPLIANCE")


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("s3://", "names no bucket"),
        ("s3://user@bucket", "credentials come from the environment"),
        ("s3://bucket?public=x", "no option 'public'"),
        ("s3://bucket?lock_days=soon", "number of days"),
        ("s3://bucket?lock_mode=none", "lock_mode of MLED_ANCHORS"),
    ],
)
def test_an_address_of_anchors_that_cannot_be_read_is_refused(address, words, settings):
    with pytest.raises(BadPlace, match=words):
        anchors_place(address)
    settings.MLED_ANCHORS = [address]
    assert [one.id for one in run_checks()] == ["artifacts.E002"]


def test_an_unknown_place_is_refused_before_anything_starts(settings):
    settings.MLED_ANCHORS = ["file", "ftp://elsewhere"]
    with pytest.raises(BadAnchors, match="it can name file, s3://"):
        Anchoring()
    assert [one.id for one in run_checks()] == ["artifacts.E002"]
    assert any("ftp://elsewhere" in one.msg for one in run_checks())


def test_a_checkpoint_names_all_its_places(settings):
    settings.MLED_ANCHORS = ["file", "s3://one/a?lock_days=1", "s3://two"]
    assert anchored_in() == "file:anchors/checkpoints.log, s3://one/a, s3://two"
    settings.MLED_ANCHORS = [f"s3://bucket/{'x' * places.NAME_MAX}"]
    with pytest.raises(BadAnchors, match="more than 200 letters"):
        anchored_in()


def test_the_ledger_loads_no_client_of_its_own():
    code = "import audit.ledger.verify, audit.ledger.sequencer, sys; assert 'boto3' not in sys.modules"
    ready = f"import django; django.setup(); {code}"
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "mled_site.settings_test"}
    subprocess.run([sys.executable, "-c", ready], check=True, cwd=ROOT, env=environment)
