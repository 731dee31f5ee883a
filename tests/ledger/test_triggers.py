"""The tables of the log refuse changes, on whichever database the tests run."""

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState

from audit.ledger import triggers
from audit.ledger.models import AuditPayload, Checkpoint
from audit.ledger.sequencer import Sequencer

COLUMNS = {
    "ledger_auditevent": "verb",
    "ledger_auditpayload": "body",
    "ledger_leaf": "leaf_hash",
    "ledger_subtree": "root",
    "ledger_checkpoint": "note",
}


@pytest.fixture
def full_log(db, act):
    for number in range(256):
        act(thing=f"thing {number}")
    Sequencer().run_until_empty()


def refused(statement: str) -> bool:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    except IntegrityError as error:
        return "its rows are evidence" in str(error)
    return False


def run(operation: triggers._Refusal, *, backwards: bool = False) -> None:
    state = ProjectState()
    with connection.schema_editor(atomic=False) as editor:
        (operation.database_backwards if backwards else operation.database_forwards)("ledger", editor, state, state)


@pytest.fixture
def table(committed_db):
    """A table of a room's own, with one row."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE some_param (id integer PRIMARY KEY, name varchar(9), seen integer)")
        cursor.execute("INSERT INTO some_param VALUES (1, 'lr', 0)")
    return "some_param"


@pytest.mark.parametrize("table", COLUMNS)
def test_the_log_refuses_update_and_delete(full_log, table):
    assert refused(f"UPDATE {table} SET {COLUMNS[table]} = 'x'")
    assert refused(f"UPDATE {table} SET {COLUMNS[table]} = {COLUMNS[table]}")
    assert refused(f"DELETE FROM {table}")


@pytest.mark.parametrize("table", COLUMNS)
def test_the_log_refuses_to_be_emptied(full_log, table):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite knows no TRUNCATE; its DELETE is refused above")
    assert refused(f"TRUNCATE {table}")


def test_no_later_migration_has_lost_a_refusal(db):
    """Where SQLite rebuilds a table, its triggers go with the old one: each has to be made again afterwards."""
    made = MigrationLoader(connection).disk_migrations.values()
    operations = [op for migration in made for op in migration.operations if isinstance(op, triggers._Refusal)]
    names = {triggers.trigger_name(op.table, what) for op in operations for what in op._operations(connection.vendor)}
    assert len(names) > 10
    assert names == triggers.refusals(connection)


def test_a_payload_goes_only_when_the_session_says_that_it_erases(full_log):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no session settings; a delete is always refused there")
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL mled.erasing = 'on'")
    AuditPayload.objects.all().delete()
    assert AuditPayload.objects.count() == 0
    assert refused("DELETE FROM ledger_checkpoint")
    assert Checkpoint.objects.exists()


def test_a_room_can_keep_rows_as_they_were_inserted(table):
    run(triggers.RefuseUpdate(table))
    assert refused("UPDATE some_param SET seen = 1")
    assert not refused("DELETE FROM some_param")


def test_a_room_can_keep_some_columns_and_change_others(table):
    run(triggers.RefuseUpdate(table, columns=["name"]))
    assert refused("UPDATE some_param SET name = 'momentum'")
    assert refused("UPDATE some_param SET name = NULL")
    assert not refused("UPDATE some_param SET seen = 1")
    assert not refused("UPDATE some_param SET name = 'lr', seen = 2")


def test_a_room_can_keep_rows_for_good(table):
    run(triggers.RefuseUpdateAndDelete(table))
    assert refused("UPDATE some_param SET seen = 1")
    assert refused("DELETE FROM some_param")
    expected = {"some_param_refuse_update", "some_param_refuse_delete"}
    assert expected <= triggers.refusals(connection)


@pytest.mark.parametrize("operation", [triggers.RefuseUpdate, triggers.RefuseUpdateAndDelete])
def test_the_migration_can_be_taken_back(table, operation):
    before = triggers.refusals(connection)
    run(operation(table))
    run(operation(table), backwards=True)
    assert triggers.refusals(connection) == before
    assert not refused("UPDATE some_param SET seen = 1")
