"""Migration operations that make a table refuse changes, on SQLite and PostgreSQL.

    operations = [RefuseUpdateAndDelete("ledger_leaf"), RefuseUpdate("experiments_param", columns=["key", "value"])]

Put them in a migration of their own, after the one that makes the table: where Django rebuilds a table on SQLite (any
later AlterField and most AddFields), the triggers go with the old one and have to be made again. `refusals` says which
are there. They stop mistakes and ordinary SQL, not the owner of the database: that is what the proof in the log is for.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

# PostgreSQL's class 23 comes back as IntegrityError, as RAISE(ABORT) does on SQLite.
_FUNCTION = """
CREATE OR REPLACE FUNCTION mled_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% of % is refused: its rows are evidence.', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END $$
"""

# A session that erases says so first: SET LOCAL mled.erasing = 'on'.
_UNLESS_ERASING = "current_setting('mled.erasing', true) IS DISTINCT FROM 'on'"


class _Refusal(Operation):
    """Shared part: makes one trigger per refused statement, and drops them again."""

    reversible = True
    reduces_to_sql = True
    refused: tuple[str, ...] = ()

    def __init__(self, table: str, columns: Sequence[str] | None = None) -> None:
        self.table = table
        self.columns = columns

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Models stay as they are."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        vendor = schema_editor.connection.vendor
        # Dropped first: after a change of the table they are gone on SQLite and still there on PostgreSQL.
        for statement in (*self._dropping(vendor), *self._making(vendor)):
            schema_editor.execute(statement, params=None)

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        for statement in self._dropping(schema_editor.connection.vendor):
            schema_editor.execute(statement, params=None)

    def describe(self) -> str:
        return f"Refuse {' and '.join(self.refused)} on {self.table}"

    def _making(self, vendor: str) -> Iterator[str]:
        if vendor == "postgresql":
            yield _FUNCTION
        for operation in self._operations(vendor):
            yield self.statement_for(operation, vendor)

    def statement_for(self, operation: str, vendor: str) -> str:
        """The statement that makes the trigger for one operation."""
        return (self._on_postgresql if vendor == "postgresql" else self._on_sqlite)(operation)

    def _dropping(self, vendor: str) -> Iterator[str]:
        on = f' ON "{self.table}"' if vendor == "postgresql" else ""
        for operation in self._operations(vendor):
            yield f'DROP TRIGGER IF EXISTS "{trigger_name(self.table, operation)}"{on}'

    def _operations(self, vendor: str) -> tuple[str, ...]:
        truncates = vendor == "postgresql" and "DELETE" in self.refused
        return (*self.refused, "TRUNCATE") if truncates else self.refused

    def _when(self, operation: str, vendor: str) -> str:
        """The condition of the trigger; empty where it always refuses."""
        if operation != "UPDATE" or self.columns is None:
            return ""
        differs = "IS DISTINCT FROM" if vendor == "postgresql" else "IS NOT"
        return " OR ".join(f'OLD."{column}" {differs} NEW."{column}"' for column in self.columns)

    def _on_postgresql(self, operation: str) -> str:
        when = self._when(operation, "postgresql")
        return (
            f'CREATE TRIGGER "{trigger_name(self.table, operation)}" BEFORE {operation} ON "{self.table}" '
            f"FOR EACH {'STATEMENT' if operation == 'TRUNCATE' else 'ROW'} "
            f"{f'WHEN ({when}) ' if when else ''}EXECUTE FUNCTION mled_refuse_change()"
        )

    def _on_sqlite(self, operation: str) -> str:
        when = self._when(operation, "sqlite")
        return (
            f'CREATE TRIGGER "{trigger_name(self.table, operation)}" BEFORE {operation} ON "{self.table}" '
            f"FOR EACH ROW {f'WHEN {when} ' if when else ''}BEGIN "
            f"SELECT RAISE(ABORT, '{operation} of {self.table} is refused: its rows are evidence.'); END"
        )


class RefuseUpdate(_Refusal):
    """Rows stay as they were inserted; deleting them is allowed. With columns: only these must not change."""

    refused = ("UPDATE",)


class RefuseUpdateAndDelete(_Refusal):
    """Rows stay as they were inserted, for good (on PostgreSQL TRUNCATE is refused too)."""

    refused = ("UPDATE", "DELETE")

    def __init__(self, table: str) -> None:
        super().__init__(table)


class RefuseUpdateAndDeleteUnlessErasing(RefuseUpdateAndDelete):
    """The same, but a PostgreSQL session that has set mled.erasing to 'on' may delete. SQLite has no session settings
    that a trigger could read, so there a delete is always refused."""

    def _when(self, operation: str, vendor: str) -> str:
        return _UNLESS_ERASING if (operation, vendor) == ("DELETE", "postgresql") else super()._when(operation, vendor)


def trigger_name(table: str, operation: str) -> str:
    """The name of the trigger that refuses an operation on a table."""
    return f"{table}_refuse_{operation.lower()}"


def refusals(connection: BaseDatabaseWrapper) -> set[str]:
    """The names of all such triggers in the database that are switched on."""
    queries: dict[str, str] = {
        "postgresql": "SELECT tgname FROM pg_trigger WHERE tgname LIKE '%\\_refuse\\_%' AND tgenabled IN ('O', 'A')",
        "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE '%\\_refuse\\_%' ESCAPE '\\'",
    }
    with connection.cursor() as cursor:
        cursor.execute(queries[connection.vendor])
        rows: list[Any] = cursor.fetchall()
        return {row[0] for row in rows}
