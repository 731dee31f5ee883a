"""A new database gets its tables in one step, and they are those to which all migrations lead one by one."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from django.core.management.commands import migrate
from django.db import DatabaseError, connection, models
from django.db.migrations import AddField, Migration, RunPython, RunSQL, SeparateDatabaseAndState
from django.db.migrations.recorder import MigrationRecorder

from mled_site import new_database
from mled_site.new_database import beyond_tables, fill_if_new, is_known
from tests.site.schema import row_counts, schema


def told() -> tuple[dict[str, list[str]], dict[str, int], set[tuple[str, str]]]:
    """Shape, numbers of rows, recorded migrations."""
    return schema(), row_counts(), set(MigrationRecorder(connection).applied_migrations())


def test_the_short_way_leads_where_all_migrations_lead(databases, django_db_blocker):
    with django_db_blocker.unblock():
        with databases.empty():
            call_command(migrate.Command(), verbosity=0, interactive=False)
            long_way = told()
        with databases.empty():
            assert fill_if_new(connection) == len(long_way[2])
            call_command("migrate", verbosity=0, interactive=False)
            short_way = told()
    for what in long_way[0]:
        assert short_way[0][what] == long_way[0][what], what
    assert short_way[1:] == long_way[1:]


def test_a_database_that_has_tables_is_left_to_the_migrations(databases, django_db_blocker):
    with django_db_blocker.unblock(), databases.empty():
        call_command("migrate", "contenttypes", verbosity=0)
        tables = connection.introspection.table_names()
        assert set(tables) == {"django_content_type", "django_migrations"}
        assert fill_if_new(connection) == 0
        assert connection.introspection.table_names() == tables


def test_what_fails_on_the_way_leaves_an_empty_database(databases, django_db_blocker, monkeypatch):
    monkeypatch.setattr(
        new_database, "beyond_tables", lambda plan: [("accounts", RunSQL("SELECT nothing FROM nowhere"))]
    )
    with django_db_blocker.unblock(), databases.empty():
        with pytest.raises(DatabaseError):
            fill_if_new(connection)
        assert connection.introspection.table_names() == []


class AddFieldAndMore(AddField):
    """Does to the database what its state does not tell."""


class AddsNoMore(AddFieldAndMore):
    """One of our own that says that its state tells all that it does."""

    leads_to_its_state = True


ADDED = AddField("run", "extra", models.IntegerField(null=True))


@pytest.mark.once
@pytest.mark.parametrize(
    ("operation", "known"),
    [
        (ADDED, True),
        (RunSQL("SELECT 1"), True),
        (RunPython(RunPython.noop), True),
        (AddsNoMore("run", "extra", models.IntegerField(null=True)), True),
        (AddFieldAndMore("run", "extra", models.IntegerField(null=True)), False),
        (SeparateDatabaseAndState(state_operations=[ADDED]), False),
        (RunSQL("SELECT 1", state_operations=[ADDED]), False),
    ],
)
def test_only_migrations_whose_last_state_tells_everything_go_the_short_way(operation, known):
    assert is_known(operation) is known


@pytest.mark.once
def test_what_only_carries_over_earlier_rows_is_left_out():
    carries_over, makes_a_row = RunPython(RunPython.noop, elidable=True), RunPython(RunPython.noop)

    class More(Migration):
        operations = [ADDED, carries_over, makes_a_row]

    assert list(beyond_tables([More("0002_more", "accounts")])) == [("accounts", makes_a_row)]
