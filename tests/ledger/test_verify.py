"""verify_ledger on a real history, untouched and forged."""

import json
import os
import random
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from accounts.roles import Role
from audit.ledger import anchors_kept, keys, replay, sequencer
from audit.ledger.acting import acting
from audit.ledger.findings import Findings
from audit.ledger.models import Checkpoint
from audit.ledger.sequencer import Sequencer
from audit.ledger.verify import verify_ledger
from experiments.actions.batches import log_batch
from experiments.actions.runs import delete_tag, set_tags, update_run
from experiments.metrics.batch import Batch
from experiments.values import RunStatus
from kernel.actor import system
from kernel.clock import now
from kernel.digests import commitment
from tests import world
from tests.ledger import forger

pytestmark = pytest.mark.django_db

RANDOM_FORGERIES = 1000 if os.environ.get("MLED_TEST_FULL") else 60


@pytest.fixture
def history(monkeypatch):
    """People, a project and runs, put into the log in batches of seven; the last acts still wait."""
    monkeypatch.setattr(sequencer, "BATCH", 7)
    vision = world.project("vision")
    ada = world.at(world.person("ada", Role.DATA_SCIENTIST, vision))
    runs = [world.run(ada, world.default_experiment(vision), tags={"stage": "draft", "n": str(n)}) for n in range(6)]
    for number, run in enumerate(runs):
        log_batch(ada, run, batch=Batch(params=[("lr", f"0.{number}"), ("depth", "3")]))
        set_tags(ada, run, tags={"stage": "ready"})
    Sequencer().run_until_empty()
    update_run(ada, runs[0], status=RunStatus.FAILED, ended_ms=1_700_000_000_000)
    delete_tag(ada, runs[1], key="n")
    return runs


def size_of_log() -> int:
    return verify_ledger().events


def words(findings: Findings) -> str:
    return "\n".join(problem.what for problem in findings.problems)


def test_an_untouched_history_is_sound(history):
    findings = verify_ledger()
    assert findings.problems == []
    assert findings.is_sound
    assert findings.events > 20
    assert findings.waiting == 2
    assert findings.checkpoints == findings.anchors == -(-findings.events // 7)
    assert findings.remarks == []


def test_a_large_history_is_replayed_in_parts_with_the_same_result(history, monkeypatch):
    monkeypatch.setattr(replay, "EVENTS_PER_PART", 5)
    assert verify_ledger().is_sound
    with forger.forging():
        forger.sql("UPDATE experiments_param SET value = '9' WHERE key = 'lr' AND value = '0.3'")
        assert verify_ledger().problems[0].id == history[3].uid.hex


def test_the_command_says_what_it_checked_and_ends_well(history):
    out = StringIO()
    call_command("verify_ledger", stdout=out)
    assert "events in the log and 2 waiting for it" in out.getvalue()
    assert "Checked besides: seals of runs." in out.getvalue()
    assert "Sound." in out.getvalue()


def test_the_command_names_a_row_changed_by_hand_and_ends_badly(history):
    out, out_json = StringIO(), StringIO()
    with forger.forging():
        forger.sql("UPDATE experiments_param SET value = '9' WHERE key = 'lr' AND value = '0.3'")
        with pytest.raises(SystemExit) as ended:
            call_command("verify_ledger", stdout=out)
        with pytest.raises(SystemExit):
            call_command("verify_ledger", "--json", stdout=out_json)
    assert ended.value.code == 1
    assert f"experiments.param {history[3].uid.hex}" in out.getvalue()
    assert 'lr: the log says "0.3", the row says "9".' in out.getvalue()
    problem, derived = json.loads(out_json.getvalue())["problems"]
    assert problem["field"] == "lr"
    assert derived["field"] == "number"


def test_a_row_put_in_by_hand_is_named(history):
    run = history[2]
    forger.sql(
        "INSERT INTO experiments_param (run_id, experiment_id, key, value) VALUES (%s, %s, 'momentum', '0.9')",
        run.pk,
        run.experiment_id,
    )
    problem, derived = verify_ledger().problems
    assert (problem.kind, problem.id, problem.field) == ("experiments.param", run.uid.hex, "momentum")
    assert derived.field == "number"


def test_a_row_taken_away_by_hand_is_named(history):
    with forger.forging():
        forger.sql("DELETE FROM experiments_runtag WHERE key = 'stage' AND run_id = %s", history[2].pk)
        (problem,) = verify_ledger().problems
    assert (problem.kind, problem.id, problem.expected) == ("experiments.runtag", history[2].uid.hex, "ready")


def test_a_change_of_an_event_that_still_waits_is_named(history):
    with forger.forging():
        waiting = forger.rows("SELECT event_id FROM ledger_pending ORDER BY id")[0][0]
        forger.sql("UPDATE ledger_auditpayload SET body = '{\"changes\":[]}' WHERE event_id = %s", waiting)
        assert "not the one that the event committed to" in words(verify_ledger())


def test_an_event_whose_hashes_were_recomputed_fails_its_checkpoint(history):
    with forger.forging():
        forger.sql("UPDATE ledger_auditevent SET actor_id = NULL WHERE id = %s", forger.event_of(9))
        forger.recompute_hashes()
        first = verify_ledger().problems[0]
    assert first.kind == "ledger.checkpoint"
    assert "its columns do not say what its signed note says" in first.what


def test_an_event_behind_unchanged_checkpoints_is_narrowed_down_to_its_batch(history):
    with forger.forging():
        heads = forger.rows("SELECT id, root FROM ledger_checkpoint")
        forger.sql("UPDATE ledger_auditevent SET actor_id = NULL WHERE id = %s", forger.event_of(9))
        forger.recompute_hashes()
        for pk, root in heads:
            forger.sql("UPDATE ledger_checkpoint SET root = %s WHERE id = %s", root, pk)
        (problem,) = verify_ledger().problems
    assert "one of the events 7 to 13 is not what was signed" in problem.what


def test_a_log_signed_with_another_key_is_found_out(history):
    with forger.forging():
        forger.sql("UPDATE ledger_auditevent SET actor_id = NULL WHERE id = %s", forger.event_of(9))
        forger.recompute_hashes(sign_with=keys.new_key("log.example.org"))
        assert "No trusted key signed it" in words(verify_ledger())


def test_a_row_and_its_event_forged_together_are_found_out(history):
    """The forger changes the run, the payload, the commitment, and every hash that follows."""
    with forger.forging():
        seq, event_id, body, salt = _creation_of(history[4])
        forged = body.replace('"RUNNING"', '"FINISHED"')
        assert forged != body
        forger.sql("UPDATE experiments_run SET status = 'FINISHED' WHERE id = %s", history[4].pk)
        forger.sql("UPDATE ledger_auditpayload SET body = %s WHERE event_id = %s", forged, event_id)
        made = commitment(bytes(salt), forged.encode())
        forger.sql("UPDATE ledger_auditevent SET commitment = %s WHERE id = %s", made, event_id)
        first = verify_ledger(limit=1).problems[0]
        assert (first.kind, first.seq) == ("ledger.leaf", seq)
        forger.recompute_hashes()
        assert verify_ledger(limit=1).problems[0].kind == "ledger.checkpoint"


def _creation_of(run) -> tuple:
    return forger.rows(
        "SELECT leaf.seq, leaf.event_id, payload.body, payload.salt FROM ledger_leaf leaf "
        "JOIN ledger_auditevent event ON event.id = leaf.event_id "
        "JOIN ledger_auditpayload payload ON payload.event_id = leaf.event_id "
        "WHERE event.subject_id = %s ORDER BY leaf.seq",
        run.uid.hex,
    )[0]


def test_a_log_without_its_end_is_found_out(history):
    with forger.forging():
        forger.cut_off(12, with_heads=False)
        assert "its end is missing" in words(verify_ledger())


def test_a_log_without_its_end_and_heads_is_found_out_by_the_anchor(history):
    with forger.forging():
        forger.cut_off(14, with_heads=True)
        assert "The log was rolled back" in words(verify_ledger(limit=1000))


def test_an_old_copy_of_the_database_is_found_out_by_the_anchor(history):
    before = forger.copy_of_database()
    assert verify_ledger().is_sound
    with acting(system(), "experiments.go_on") as act:
        act.record("test.thing", "1", "set", {"a": (None, "b")})
    Sequencer().run_until_empty()
    assert verify_ledger().is_sound
    with forger.forging():
        forger.put_back(before)
        findings = verify_ledger()
    assert "The log was rolled back" in findings.problems[0].what
    assert {problem.kind for problem in findings.problems} == {"anchor"}


def test_an_event_outside_the_log_is_named(history):
    with forger.forging():
        waiting = forger.rows("SELECT event_id FROM ledger_pending ORDER BY id")[0][0]
        forger.sql("DELETE FROM ledger_pending WHERE event_id = %s", waiting)
        assert "neither in the log nor waiting for it" in words(verify_ledger())


def test_leaves_without_checkpoint_are_named(history):
    with forger.forging():
        forger.sql("DELETE FROM ledger_checkpoint WHERE size > 14")
        assert "covered by no checkpoint" in words(verify_ledger(limit=100))


def test_an_unreadable_time_is_named_and_not_a_crash(history):
    if connection.vendor == "postgresql":
        pytest.skip("PostgreSQL does not store one")
    with forger.forging():
        forger.sql("UPDATE ledger_auditevent SET at = '2026-13-45 00:00:00' WHERE id = %s", forger.event_of(5))
        assert verify_ledger().problems[0].seq == 5
    with forger.forging():
        forger.sql("UPDATE experiments_run SET created_at = '2026-13-45 00:00:00' WHERE id = %s", history[0].pk)
        assert verify_ledger().problems[0].kind == "experiments.run"


def test_switched_off_triggers_are_mentioned(history):
    with forger.forging():
        if connection.vendor == "postgresql":
            forger.sql("ALTER TABLE ledger_leaf DISABLE TRIGGER ALL")
        assert any("no longer refuses changes to ledger_leaf" in remark for remark in verify_ledger().remarks)


def test_without_an_anchor_the_report_says_so(history, data):
    (data / "anchors" / "checkpoints.log").unlink()
    findings = verify_ledger()
    assert findings.is_sound
    assert any("no anchor outside the database" in remark for remark in findings.remarks)
    assert any("name file:anchors/checkpoints.log" in remark for remark in findings.remarks)


def test_old_heads_that_their_place_does_not_have_are_a_problem_that_names_the_first(history, data, monkeypatch):
    file = data / "anchors" / "checkpoints.log"
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(lines[:1] + lines[3:]))
    later = now() + anchors_kept.LATE
    monkeypatch.setattr(anchors_kept, "now", lambda: later)
    first = Checkpoint.objects.order_by("pk")[1]
    (problem,) = verify_ledger().problems
    assert (problem.kind, problem.id) == ("anchor", str(first.pk))
    assert problem.what.startswith("2 signed heads name file:anchors/checkpoints.log")
    assert f"the first is checkpoint {first.pk} over {first.size} events" in problem.what
    assert verify_ledger(is_copy=True).problems == []  # a copy may have come without its file
    file.write_bytes(b"".join(lines))
    assert verify_ledger().is_sound


def test_without_a_public_key_no_signature_counts(history, data):
    (data / "keys" / "ledger.pub").unlink()
    findings = verify_ledger()
    assert not findings.is_sound
    assert any("no public key" in remark for remark in findings.remarks)


def test_a_damaged_public_key_ends_the_check_with_words(history, data):
    (data / "keys" / "ledger.pub").write_text("log.example.org+12345678+AAAA\n")
    with pytest.raises(CommandError, match=r"ledger\.pub: The public key is not an Ed25519 key"):
        call_command("verify_ledger")


# What a forger may do at random. Each takes a source of chance and says what must be named.

ROWS = {
    "accounts_user": ("name", "email", "password", "is_active"),
    "accounts_project": ("name", "purpose", "is_governed", "profile"),
    "experiments_experiment": ("name", "created_ms", "artifact_location"),
    "experiments_run": ("name", "started_ms", "git_commit", "claimed_user", "number", "seal"),
    "experiments_param": ("key", "value"),
    "experiments_runtag": ("key", "value"),
}


def _another(value: object) -> object:
    if value is None:
        return 17
    if isinstance(value, bool):
        return not value
    return value + 1000 if isinstance(value, int) else f"x{value}"[: max(1, len(str(value)))]


def change_a_row(chance: random.Random, size: int) -> None:
    table = chance.choice(sorted(ROWS))
    column = chance.choice(ROWS[table])
    pk, value = chance.choice(forger.rows(f"SELECT id, {column} FROM {table} ORDER BY id"))
    if column in ("is_active", "is_governed"):
        value = bool(value)
    assert forger.sql(f"UPDATE {table} SET {column} = %s WHERE id = %s", _another(value), pk) == 1


def delete_a_row(chance: random.Random, size: int) -> None:
    table = chance.choice(sorted(ROWS))
    (pk,) = chance.choice(forger.rows(f"SELECT id FROM {table} ORDER BY id"))
    assert forger.sql(f"DELETE FROM {table} WHERE id = %s", pk) == 1


def change_an_event(chance: random.Random, size: int) -> None:
    column, event = chance.choice(forger.EVENT_COLUMNS), forger.event_of(chance.randrange(size))
    (value,) = forger.rows(f"SELECT {column} FROM ledger_auditevent WHERE id = %s", event)[0]
    other = "00" * 16 if column in ("actor_id", "project_id", "token_id") else _another(value or None)
    assert forger.sql(f"UPDATE ledger_auditevent SET {column} = %s WHERE id = %s", other, event) == 1
    if chance.random() < 0.5:
        forger.recompute_hashes()


def delete_an_event(chance: random.Random, size: int) -> None:
    event = forger.event_of(chance.randrange(size))
    for table, key in chance.choice(
        [
            [("ledger_auditevent", "id")],
            [("ledger_auditpayload", "event_id")],
            [("ledger_leaf", "event_id")],
            [("ledger_auditevent", "id"), ("ledger_auditpayload", "event_id"), ("ledger_leaf", "event_id")],
        ]
    ):
        assert forger.sql(f"DELETE FROM {table} WHERE {key} = %s", event) == 1


def swap_two(chance: random.Random, size: int) -> None:
    one, other = chance.sample(range(size), 2)
    how = chance.choice(["payloads", "places", "places with hashes", "hashes"])
    if how == "payloads":
        for column in ("salt", "body"):
            forger.swap("ledger_auditpayload", "event_id", column, forger.event_of(one), forger.event_of(other))
    if how.startswith("places"):
        forger.swap("ledger_leaf", "seq", "event_id", one, other)
    if how.endswith("hashes"):
        forger.swap("ledger_leaf", "seq", "leaf_hash", one, other)


def cut_off_the_end(chance: random.Random, size: int) -> None:
    forger.cut_off(size - chance.randint(1, size), with_heads=chance.random() < 0.5)


def replace_the_head(chance: random.Random, size: int) -> None:
    event = forger.event_of(chance.randrange(size))
    forger.sql("UPDATE ledger_auditevent SET verb = 'nothing.done' WHERE id = %s", event)
    forger.recompute_hashes(sign_with=keys.new_key("log.example.org"))


FORGERIES = [change_a_row, delete_a_row, change_an_event, delete_an_event, swap_two, cut_off_the_end, replace_the_head]


@pytest.mark.slow
def test_every_random_forgery_is_found(history):
    size = size_of_log()
    for seed in range(RANDOM_FORGERIES):
        chance = random.Random(seed)
        forgery = chance.choice(FORGERIES)
        with forger.forging():
            forgery(chance, size)
            findings = verify_ledger(limit=3)
        assert not findings.is_sound, f"{forgery.__name__} with seed {seed} was not found"
        first = findings.problems[0]
        assert first.what
        assert first.kind
        assert first.id
    assert verify_ledger().is_sound
