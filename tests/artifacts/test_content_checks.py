"""Stored content is read again by the clock; what is missing or changed is on record, and administrators are told."""

import datetime as dt
import logging

import pytest
from django.core.management import call_command

from accounts.models import Membership, Notice
from accounts.roles import Role
from artifacts import tasks
from artifacts.actions.content import note_check
from artifacts.models import BlobCheck
from artifacts.queries.content import blobs_to_check, content_health
from artifacts.storage import Condition, blobs, store
from artifacts.tasks import verify_content
from audit.ledger.acting import acting
from experiments.actions.files import put_file
from kernel import clock
from kernel.actor import operator, system
from kernel.errors import Refused
from tests import world
from tests.factories import a_group, a_person, an_administrator, events_since, user_of


@pytest.fixture
def files(ada, run):
    """Three files with their content, oldest first."""
    found = []
    for name in ("one", "two", "three"):
        stored = world.stored(name.encode())
        put_file(ada, run, path=f"{name}.txt", stored=stored)
        found.append(stored)
    return found


def spoil(stored, content):
    store().place(stored.digest).write_bytes(content)


def outcome(stored):
    return BlobCheck.objects.get(pk=stored.digest).outcome


def test_sound_content_leaves_no_event(files):
    assert events_since(verify_content.apply) == []
    assert {outcome(stored) for stored in files} == {"sound"}
    assert content_health(system()).is_sound
    assert content_health(system()).unchecked == 0


def test_what_is_missing_or_changed_is_reported_once(files, run, caplog):
    admin = an_administrator()
    blobs().remove(files[0].digest)
    spoil(files[1], b"TWO")
    with caplog.at_level(logging.ERROR):
        kept = events_since(verify_content.apply)
    assert [one.verb for one in kept] == ["artifacts.note_check"] * 2
    assert f"sha256:{files[0].digest} (3 bytes) is missing" in kept[0].reason
    assert f"run {run.uid.hex}: one.txt" in kept[0].reason
    assert "was changed" in kept[1].reason
    assert files[0].digest in caplog.text
    told = Notice.objects.filter(user=user_of(admin), kind="content.damaged")
    assert told.count() == 2
    assert "one.txt" in told.order_by("pk")[0].text
    health = content_health(system())
    assert (health.missing, health.changed) == ([files[0].digest], [files[1].digest])
    assert not health.is_sound
    BlobCheck.objects.update(at=clock.now() - dt.timedelta(days=30))
    assert events_since(verify_content.apply) == []
    assert told.count() == 2


def test_content_that_came_again_is_sound_again(files, ada, run):
    spoil(files[1], b"TWO")
    verify_content.apply()
    world.stored(b"two")
    BlobCheck.objects.update(at=clock.now() - dt.timedelta(days=30))
    (kept,) = events_since(verify_content.apply)
    assert "sound again" in kept.reason
    assert content_health(system()).is_sound


def test_the_oldest_check_comes_first_and_never_checked_content_before_it(files, monkeypatch):
    note_check(system(), blob=files[0], found=Condition.SOUND)
    note_check(system(), blob=files[2], found=Condition.SOUND)
    BlobCheck.objects.filter(pk=files[2].digest).update(at=clock.now() - dt.timedelta(days=60))
    BlobCheck.objects.filter(pk=files[0].digest).update(at=clock.now() - dt.timedelta(days=30))
    waiting = blobs_to_check(system(), not_since=clock.now(), limit=10)
    assert waiting == [files[1], files[2], files[0]]
    recent = clock.now() - dt.timedelta(days=45)
    assert blobs_to_check(system(), not_since=recent, limit=10) == [files[1], files[2]]
    monkeypatch.setattr(tasks, "CHECK_BLOBS", 1)
    verify_content.apply()
    assert blobs_to_check(system(), not_since=recent, limit=10) == [files[2]]


def test_a_turn_ends_after_its_time(files, monkeypatch):
    monkeypatch.setattr(tasks, "CHECK_SECONDS", -1)
    verify_content.apply()
    assert BlobCheck.objects.count() == 1


def test_content_that_was_cleared_away_meanwhile_is_no_news(files):
    from artifacts.storage import StoredBlob

    assert note_check(system(), blob=StoredBlob("0" * 64, 1), found=Condition.MISSING) is False
    assert content_health(system()).is_sound


def test_administrators_by_group_are_told_as_well(files):
    by_group = a_person()
    with acting(operator(), "test.appoint"):
        Membership(group=a_group(by_group), role=Role.ADMINISTRATOR).save()
    blobs().remove(files[0].digest)
    verify_content.apply()
    assert Notice.objects.filter(user=user_of(by_group)).count() == 1


def test_only_who_looks_after_the_installation_notes_checks(files, ada, eve):
    for person in (ada, eve):
        with pytest.raises(Refused):
            note_check(person, blob=files[0], found=Condition.MISSING)
        with pytest.raises(Refused):
            blobs_to_check(person, not_since=clock.now(), limit=1)


def test_the_command_tells_and_ends_with_a_code(files, capsys):
    call_command("verify_blobs")
    said = capsys.readouterr().out
    assert "Read 3 of 3 blobs" in said
    assert "Sound." in said
    blobs().remove(files[0].digest)
    spoil(files[1], b"TWO")
    with pytest.raises(SystemExit) as ended:
        call_command("verify_blobs")
    said = capsys.readouterr().out
    assert ended.value.code == 1
    assert f"MISSING: sha256:{files[0].digest} (run" in said
    assert f"CHANGED: sha256:{files[1].digest}" in said
    assert "NOT SOUND: 1 missing, 1 changed." in said
    with pytest.raises(SystemExit):
        call_command("verify_blobs", "--older-than", "1")
    assert "Read 0 of 3 blobs" in capsys.readouterr().out
