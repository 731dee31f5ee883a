"""Another key signs: by both in one note, noticed by whoever signs, and never stuck halfway."""

from __future__ import annotations

import io
import multiprocessing
import os
import signal
import stat

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, connections

from audit.ledger import anchors, checkpoints, keys, rotation, sequencer
from audit.ledger.keys import KeyRefused
from audit.ledger.models import AuditEvent, Checkpoint, Leaf, Pending
from audit.ledger.queries.history import with_payloads
from audit.ledger.queries.soundness import broken_link
from audit.ledger.rotation import replace_lost_key, rotate_key
from audit.ledger.sequencer import LogBroken, Sequencer
from audit.ledger.verify import verify_ledger
from kernel.actor import operator
from tests.ledger import forger


def signers(row: Checkpoint) -> list[str]:
    return list(checkpoints.parse(row.note).signatures)


def newest() -> Checkpoint:
    return Checkpoint.objects.order_by("-size", "-id")[0]


def command(*args: str, **options: object) -> str:
    out = io.StringIO()
    call_command("rotate_key", *args, stdout=out, **options)
    return out.getvalue()


def lose_the_key() -> None:
    keys.private_file().unlink()


# --- By both keys


@pytest.mark.django_db
def test_the_checkpoint_over_the_change_is_signed_by_the_old_key_and_the_new(act):
    act()
    sequencer.run_once()
    old = keys.signing_key()
    act()  # waits, and gets its place under the new key
    words = command("--reason", "Once a year")
    new = keys.signing_key()
    first, over, after = Checkpoint.objects.order_by("pk")
    assert (signers(first), signers(over), signers(after)) == (
        [old.public.id],
        [old.public.id, new.public.id],
        [new.public.id],
    )
    assert new.public.line() in words
    assert new.line() not in words
    told = AuditEvent.objects.get(verb="ledger.rotate_key")
    assert (told.actor_kind, told.subject_id, Leaf.objects.get(event_id=told.pk).seq) == ("operator", new.public.id, 1)
    (past,) = with_payloads([told])
    assert past.reason == "Once a year"
    fields = {name: pair[1] for name, pair in past.changes[0].fields.items()}
    assert fields == {"public": new.public.line(), "after": old.public.id, "size": 1, "root": first.root}
    findings = verify_ledger()
    assert findings.problems == []
    assert not any("key" in remark for remark in findings.remarks)
    assert broken_link(with_payloads(list(AuditEvent.objects.all()))) == ""


@pytest.mark.django_db
def test_the_old_private_key_is_gone_and_both_public_ones_are_kept(act, data):
    act()
    sequencer.run_once()
    old = keys.signing_key()
    new = rotate_key(operator(), reason="It was on a laptop")
    assert stat.S_IMODE(keys.private_file().stat().st_mode) == 0o600
    assert keys.private_file().read_text().strip() == new.line()
    assert not any(old.line() in path.read_text() for path in (data / "keys").iterdir())
    assert keys.public_file().read_text().splitlines() == [old.public.line(), new.public.line()]


@pytest.mark.django_db
def test_a_running_sequencer_goes_on_with_the_new_key(act):
    running = Sequencer()
    act()
    running.run_once()
    old = running.public.id
    new = rotate_key(operator(), reason="Once a year")
    act()
    assert running.run_once() == 1
    assert signers(newest()) == [new.public.id] != [old]
    assert verify_ledger().is_sound


@pytest.mark.django_db
def test_a_key_that_was_followed_signs_nothing_that_counts(act):
    act()
    sequencer.run_once()
    old = keys.signing_key()
    rotate_key(operator(), reason="It was on a laptop")
    assert verify_ledger().is_sound
    last = newest()
    with forger.forging():
        note = checkpoints.sign(old, last.size, bytes.fromhex(last.root))
        Checkpoint.objects.create(size=last.size, root=last.root, key_id=old.public.id, note=note)
        (problem,) = verify_ledger().problems
    assert "which another key followed at 2 events" in problem.what


@pytest.mark.django_db
def test_a_trusted_key_that_was_never_signed_in_is_found(act):
    act()
    sequencer.run_once()
    stranger = keys.new_key(keys.signing_key().origin)
    keys.publish(stranger.public)
    assert any(stranger.public.id in remark for remark in verify_ledger().remarks)
    last = newest()
    note = checkpoints.sign(stranger, last.size, bytes.fromhex(last.root))
    Checkpoint.objects.create(size=last.size, root=last.root, key_id=stranger.public.id, note=note)
    (problem,) = verify_ledger().problems
    assert "never signed it in" in problem.what


@pytest.mark.django_db
def test_the_key_can_be_changed_again_and_again(act):
    act()
    sequencer.run_once()
    used = {keys.signing_key().public.id}
    for _ in range(3):
        used.add(rotate_key(operator(), reason="Once a year").public.id)
    assert len(used) == 4
    assert set(keys.trusted_keys()) == used
    assert verify_ledger().is_sound


@pytest.mark.django_db
def test_a_change_needs_a_reason_and_a_log(act):
    with pytest.raises(CommandError, match="Say why"):
        command()
    with pytest.raises(CommandError, match="Nothing is signed yet"):
        command("--reason", "Once a year")
    assert not AuditEvent.objects.exists()


# --- A key that is not in a file


@pytest.mark.django_db
def test_a_key_from_the_environment_is_changed_by_giving_the_next_one(act, settings, monkeypatch):
    settings.MLED_SIGNING_KEY = keys.new_key("log.example.org").line()
    act()
    running = Sequencer()
    running.run_once()
    with pytest.raises(CommandError, match="rotate_key --make"):
        command("--reason", "Once a year")
    made = command("--make").strip()
    monkeypatch.setattr("sys.stdin", io.StringIO(made + "\n"))
    assert "Put the new key into MLED_SIGNING_KEY" in command("--reason", "Once a year", "--key-stdin")
    assert not keys.private_file().exists()
    act()
    with pytest.raises(LogBroken, match="Put it into MLED_SIGNING_KEY"):
        running.run_once()
    assert Pending.objects.count() == 1
    settings.MLED_SIGNING_KEY = made
    assert Sequencer().run_once() == 1
    assert verify_ledger().is_sound


@pytest.mark.django_db
@pytest.mark.parametrize("line", ["", "PRIVATE+KEY+a+00000000+AAAA", "hello"])
def test_a_next_key_that_is_none_is_refused(act, settings, monkeypatch, line):
    settings.MLED_SIGNING_KEY = keys.new_key("log.example.org").line()
    act()
    sequencer.run_once()
    monkeypatch.setattr("sys.stdin", io.StringIO(line + "\n"))
    with pytest.raises(CommandError, match="signing key"):
        command("--reason", "Once a year", "--key-stdin")


@pytest.mark.django_db
def test_a_next_key_of_another_log_is_refused(act, settings):
    settings.MLED_SIGNING_KEY = keys.new_key("log.example.org").line()
    act()
    sequencer.run_once()
    with pytest.raises(KeyRefused, match=r"other\.example\.org"):
        rotate_key(operator(), reason="Once a year", to=keys.new_key("other.example.org"))


# --- Lost


@pytest.mark.django_db
def test_after_a_lost_key_the_first_thing_signed_is_the_old_head(act):
    act()
    sequencer.run_once()
    old, head = keys.signing_key(), newest()
    lose_the_key()
    waiting = act()
    with pytest.raises(CommandError, match="is not here"):
        command("--reason", "Once a year")
    command("--reason", "The disk died", "--lost")
    new = keys.signing_key()
    told = AuditEvent.objects.get(verb="ledger.replace_lost_key")
    assert list(Leaf.objects.order_by("seq").values_list("event_id", flat=True))[1:] == [told.pk, waiting]
    (past,) = with_payloads([told])
    fields = {name: pair[1] for name, pair in past.changes[0].fields.items()}
    assert (fields["size"], fields["root"], fields["after"]) == (head.size, head.root, old.public.id)
    findings = verify_ledger()
    assert findings.problems == []
    assert any(f"signed with key {old.public.id}, which was lost" in remark for remark in findings.remarks)
    assert signers(newest()) == [new.public.id]


@pytest.mark.django_db
def test_a_key_that_is_there_is_not_lost(act):
    act()
    sequencer.run_once()
    with pytest.raises(CommandError, match="is not lost"):
        command("--reason", "To be sure", "--lost")


@pytest.mark.django_db
def test_nothing_new_is_signed_on_a_log_that_was_changed_when_its_key_was_lost(act):
    act()
    act()
    sequencer.run_once()
    lose_the_key()
    with forger.forging():
        forger.sql("UPDATE ledger_leaf SET leaf_hash = %s WHERE seq = 1", "ab" * 32)
        with pytest.raises(LogBroken, match="is not the one"):
            replace_lost_key(operator(), reason="The disk died")


# --- Killed halfway

STEPS = [
    (keys, "keep_next"),
    (keys, "publish"),
    (rotation, "acting"),
    (Sequencer, "_place"),
    (Sequencer, "_sign"),
    (Sequencer, "change_key"),
    (keys, "adopt_next"),
    (anchors, "anchor"),
]
forked = multiprocessing.get_context("fork")


def killed_at(place, name: str, *, before: bool, is_lost: bool) -> None:
    """In a process of its own: change the key, and die before or after this step."""
    connections.close_all()
    step = getattr(place, name)

    def deadly(*args, **kwargs):
        if not before:
            step(*args, **kwargs)
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(place, name, deadly)
    change = replace_lost_key if is_lost else rotate_key
    change(operator(), reason="Once a year")


@pytest.mark.slow
@pytest.mark.parametrize("is_lost", [False, True], ids=["rotated", "lost"])
def test_killed_at_any_step_either_key_signs_and_nothing_is_stuck(committed_db, act, is_lost):
    Sequencer()
    outcomes = set()
    for place, name in STEPS:
        for before in (True, False):
            act()
            Sequencer().run_until_empty()
            old = keys.signing_key()
            if is_lost:
                lose_the_key()
            connections.close_all()
            child = forked.Process(target=killed_at, args=(place, name), kwargs={"before": before, "is_lost": is_lost})
            child.start()
            child.join(60)
            assert child.exitcode == -signal.SIGKILL, name
            if is_lost and newest().key_id == old.public.id:
                with pytest.raises(KeyRefused, match="is gone"):
                    Sequencer()
                replace_lost_key(operator(), reason="The disk died")  # begun again
            waiting = act()
            running = Sequencer()
            running.run_until_empty()
            assert Leaf.objects.filter(event_id=waiting).exists(), name
            assert running.public == keys.signing_key().public
            assert signers(newest()) == [running.public.id]
            findings = verify_ledger()
            assert findings.problems == [], (name, before)
            outcomes.add(running.public.id == old.public.id)
            if not is_lost:
                rotate_key(operator(), reason="Once more")
                assert not keys.next_file().exists()
                assert verify_ledger().is_sound
    assert outcomes == ({False} if is_lost else {True, False})
    assert connection.vendor in ("sqlite", "postgresql")
