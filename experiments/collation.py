"""Migration operation: text that compares by code point on PostgreSQL, as it does on SQLite."""

from collections.abc import Sequence

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState


class CollateByCodePoint(Operation):
    """Give columns the collation "C" on PostgreSQL, whatever the database's own: order, ranges and LIKE prefixes agree
    with SQLite and use the index."""

    reversible = True
    reduces_to_sql = True

    def __init__(self, table: str, columns: Sequence[tuple[str, str]]) -> None:
        self.table = table
        self.columns = columns

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Models stay as they are."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        self._alter(schema_editor, ' COLLATE "C"')

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        self._alter(schema_editor, "")

    def _alter(self, schema_editor: BaseDatabaseSchemaEditor, collation: str) -> None:
        if schema_editor.connection.vendor != "postgresql":
            return
        for column, kind in self.columns:
            schema_editor.execute(f'ALTER TABLE "{self.table}" ALTER COLUMN "{column}" TYPE {kind}{collation}')

    def describe(self) -> str:
        return f"Compare text of {self.table} by code point"
