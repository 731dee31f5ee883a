"""A back-up is restored elsewhere, MLED reads it and compares it with its own log, and the log says so."""

from __future__ import annotations

import io
import os
import subprocess
import sys

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection, connections

from audit.compliance.actions.rehearsals import record_rehearsal
from audit.ledger import sequencer
from audit.ledger.models import AuditEvent, Leaf
from audit.ledger.queries.history import with_payloads
from audit.ledger.verify import verify_ledger
from experiments.actions.batches import log_batch
from kernel.actor import operator
from kernel.errors import Invalid, Refused
from tests.factories import a_batch, a_run, a_team, an_administrator
from tests.services.databases import is_postgres, url_of


def told(verb: str = "compliance.record_rehearsal") -> list[dict[str, object]]:
    past = with_payloads(list(AuditEvent.objects.filter(verb=verb, outcome="done").order_by("id")))
    return [{name: pair[1] for change in one.changes for name, pair in change.fields.items()} for one in past]


def command(*args: str) -> str:
    out = io.StringIO()
    call_command("record_rehearsal", *args, stdout=out)
    return out.getvalue()


@pytest.fixture
def work(committed_db):
    """Runs with params and points, all in the log."""
    team = a_team()
    run = a_run(team.scientist)
    log_batch(team.scientist, run, batch=a_batch(params={"lr": "0.125"}, loss=[0.9, 0.7]))
    while sequencer.run_once():
        pass
    return team


@pytest.fixture
def restored(work, committed_db, tmp_path, monkeypatch):
    """A copy of the database as a back-up tool makes it, to be spoken of by its URL."""
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "mled_site.settings")
    name = connections.settings["default"]["NAME"]
    if not is_postgres():
        copy = str(tmp_path / "restored.sqlite3")
        with connection.cursor() as cursor:
            cursor.execute("VACUUM INTO %s", [copy])
        yield f"sqlite:///{copy}"
        return
    copy = f"{name}_restored"
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as server:
        connections.close_all()
        server.execute(f'CREATE DATABASE "{copy}" TEMPLATE "{name}"')
        try:
            yield url_of(copy)
        finally:
            server.execute(f'DROP DATABASE "{copy}" WITH (FORCE)')


def in_the_copy(url: str, statement: str) -> None:
    """Change the restored copy past everything that would refuse it."""
    if url.startswith("sqlite"):
        import sqlite3

        with sqlite3.connect(url.removeprefix("sqlite:///")) as copy:
            for (name,) in copy.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
                copy.execute(f'DROP TRIGGER "{name}"')
            copy.execute(statement)
        return
    with psycopg.connect(url) as copy:
        copy.execute("SET session_replication_role = replica")
        copy.execute(statement)


@pytest.mark.slow
def test_a_restored_copy_is_verified_and_recorded_as_the_beginning_of_our_log(work, restored):
    size = Leaf.objects.count()
    run = a_run(work.scientist)  # the log has gone on since the back-up
    sequencer.run_once()
    words = command("--restored", restored, "--note", "From last night's back-up.")
    assert f"a back-up with {size} events was restored" in words
    (said,) = told()
    assert (said["log_size"], said["checked"], said["note"]) == (size, True, "From last night's back-up.")
    assert said["log_behind"] == Leaf.objects.count() - size > 0
    assert said["records"] > 10
    sequencer.run_once()
    findings = verify_ledger()
    assert findings.problems == []
    assert not any("rehearsal" in remark for remark in findings.remarks)
    assert run.pk


@pytest.mark.slow
def test_a_copy_that_was_damaged_or_cannot_be_read_is_not_recorded(work, restored, tmp_path):
    (tmp_path / "text").write_text("no database at all, and long enough to be looked at as one")
    with pytest.raises(CommandError, match="cannot be read"):
        command("--restored", f"sqlite:///{tmp_path / 'text'}")
    in_the_copy(restored, "UPDATE experiments_param SET value = '0.5'")
    with pytest.raises(
        CommandError, match=r"not sound: \d problems, the first: experiments.param .* Nothing was recorded"
    ):
        command("--restored", restored)
    assert told() == []


def test_a_file_that_is_not_there_is_refused_and_not_made(db, tmp_path):
    missing = tmp_path / "restored.sqlite3"
    with pytest.raises(CommandError, match=r"there is no file .*restored\.sqlite3.* Nothing was recorded"):
        command("--restored", f"sqlite:///{missing}")
    assert not missing.exists()
    assert told() == []


@pytest.mark.slow
def test_a_copy_that_is_ahead_of_us_or_of_another_log_is_not_recorded(work, restored, data):
    other = AuditEvent.objects.count()
    with connection.cursor() as cursor:
        if is_postgres():
            cursor.execute("SET session_replication_role = replica")
        else:
            for name in ("ledger_leaf_refuse_delete", "ledger_leaf_refuse_update"):
                cursor.execute(f"DROP TRIGGER {name}")
        cursor.execute("UPDATE ledger_leaf SET leaf_hash = %s WHERE seq = 1", ["ab" * 32])
        with pytest.raises(CommandError, match="are not the first of ours"):
            command("--restored", restored)
        cursor.execute("DELETE FROM ledger_leaf WHERE seq = %s", [other - 1])
    with pytest.raises(CommandError, match=rf"has a log of {other} events, ours has {other - 1}"):
        command("--restored", restored)
    assert told() == []


@pytest.mark.slow
def test_verifying_a_copy_writes_nothing_into_it(work, restored, data):
    environment = {**os.environ, "DATABASE_URL": restored, "MLED_DATA": str(data)}
    code = (
        "import django; django.setup(); from django.core.management import call_command;"
        "call_command('verify_ledger', copy=True);"
        "from django.db import connection;"
        "connection.cursor().execute('DELETE FROM experiments_param')"
    )
    ended = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert "Sound." in ended.stdout
    assert "read" in ended.stderr.splitlines()[-1]


@pytest.mark.django_db
def test_a_rehearsal_elsewhere_is_recorded_with_its_story(act):
    act()
    sequencer.run_once()
    assert "as you say" in command("--log-size", "1", "--note", "Restored by the hosting company, counts compared.")
    (said,) = told()
    assert (said["log_size"], said["checked"]) == (1, False)
    with pytest.raises(CommandError, match="Say how"):
        command("--log-size", "1")
    for size in ("0", "-1", "3"):
        with pytest.raises(CommandError, match="how many events"):
            command("--log-size", size, "--note", "Restored.")
    assert len(told()) == 1


@pytest.mark.django_db
def test_administrators_record_rehearsals_and_nobody_else(act):
    act()
    sequencer.run_once()
    team, administrator = a_team(), an_administrator()
    record_rehearsal(administrator, log_size=1, note="Restored.")
    for other in (team.scientist, team.engineer, team.manager, team.auditor):
        with pytest.raises(Refused):
            record_rehearsal(other, log_size=1, note="Restored.")
    for wrong in (True, "1", 1.0, None):
        with pytest.raises(Invalid):
            record_rehearsal(operator(), log_size=wrong, note="Restored.")
    assert len(told()) == 1
